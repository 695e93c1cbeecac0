"""Sentences that several codes share."""

from gateway.model import sign_in_texts


def test_advice_is_of_whole_sentences_and_a_title_of_none() -> None:
    texts = {name: text for name, text in vars(sign_in_texts).items() if name.isupper()}
    advice = {name for name in texts if name.endswith("_ADVICE") or name == "NOT_TAKEN"}
    assert {name for name, text in texts.items() if text.endswith(".")} == advice
