import pytest

from gateway.saml.authn_context import satisfies

LOW, SUBSTANTIAL, HIGH = (f"http://eidas.europa.eu/LoA/{level}" for level in ("low", "substantial", "high"))
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
UNSPECIFIED = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
X509 = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"


@pytest.mark.parametrize(
    ("stated", "asked", "comparison", "answer"),
    [
        (None, (), "exact", True),
        (PASSWORD, (), "minimum", True),
        (None, (PASSWORD,), "exact", False),
        (None, (PASSWORD,), "minimum", False),
        (PASSWORD, (PASSWORD,), "exact", True),
        (PASSWORD, (X509, PASSWORD), "exact", True),
        (X509, (PASSWORD,), "exact", False),
        (HIGH, (SUBSTANTIAL,), "exact", False),
        (HIGH, (SUBSTANTIAL,), "minimum", True),
        (SUBSTANTIAL, (SUBSTANTIAL,), "minimum", True),
        (LOW, (SUBSTANTIAL,), "minimum", False),
        (LOW, (HIGH, LOW), "minimum", True),
        ("eidas1", ("eidas2",), "minimum", False),
        ("eidas3", ("eidas2",), "minimum", True),
        (HIGH, (LOW, SUBSTANTIAL), "better", True),
        (SUBSTANTIAL, (LOW, SUBSTANTIAL), "better", False),
        (LOW, (SUBSTANTIAL,), "maximum", True),
        (HIGH, (SUBSTANTIAL,), "maximum", False),
        (HIGH, (LOW, HIGH), "maximum", True),
        (PASSWORD, (X509, PASSWORD), "minimum", True),
        (PASSWORD, (PASSWORD,), "maximum", True),
        # Between these only the provider knows, and it may not have looked at what was asked
        (X509, (PASSWORD,), "minimum", False),
        (UNSPECIFIED, (PASSWORD,), "minimum", False),
        (PASSWORD, (SUBSTANTIAL,), "minimum", False),
        (SUBSTANTIAL, (PASSWORD,), "minimum", False),
        (HIGH, (PASSWORD, SUBSTANTIAL), "minimum", True),
        ("eidas1", (SUBSTANTIAL,), "minimum", False),
        ("eidas3", (SUBSTANTIAL, "eidas2"), "minimum", True),
        ("eidas1", (LOW, "eidas2"), "minimum", False),
        (X509, (PASSWORD,), "better", False),
        (PASSWORD, (PASSWORD,), "better", False),
        (HIGH, (PASSWORD, SUBSTANTIAL), "better", False),
        (X509, (PASSWORD,), "maximum", False),
        ("eidas1", (SUBSTANTIAL,), "maximum", False),
    ],
)
def test_a_context_answers_what_was_asked(
    stated: str | None, asked: tuple[str, ...], comparison: str, answer: bool
) -> None:
    assert satisfies(stated, asked, comparison) is answer
