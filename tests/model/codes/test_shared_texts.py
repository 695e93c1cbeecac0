"""Sentences that several codes share."""

from gateway.model.codes import shared_texts


def test_advice_is_of_whole_sentences_and_a_title_of_none() -> None:
    texts = {name: text for name, text in vars(shared_texts).items() if name.isupper()}
    advice = {
        name for name in texts if name.endswith("_ADVICE") or name in ("NOT_TAKEN", "PROVIDER_FAULT", "SIGN_IN_AGAIN")
    }
    assert {name for name, text in texts.items() if text.endswith(".")} == advice
