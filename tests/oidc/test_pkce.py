import pytest

from gateway.oidc.pkce import code_challenge


def test_the_example_of_the_specification() -> None:
    # RFC 7636 appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("length", [43, 128])
def test_the_bounds_of_a_verifier(length: int) -> None:
    assert len(code_challenge("~" * length)) == 43


@pytest.mark.parametrize("verifier", ["", "v" * 42, "v" * 129, "v" * 43 + "=", "v" * 42 + "é", "v" * 43 + "\n"])
def test_another_verifier_is_a_fault_of_ours(verifier: str) -> None:
    with pytest.raises(ValueError, match="43 to 128"):
        code_challenge(verifier)
