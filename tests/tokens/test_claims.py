"""What a token tells of a person: what the file lists, each value whole, or nothing at all."""

from dataclasses import replace

import pytest

from gateway.model.errors import GatewayError
from gateway.tokens.claims import told
from gateway.tokens.spec import TokenClaim
from tests.tokens.test_making import HELENE


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        (TokenClaim("groups", "groups", several=True), ["ONDE", "élus"]),
        (TokenClaim("groups", "uid", several=True), ["helene"]),
        (TokenClaim("groups", "absent", several=True), []),
        (TokenClaim("groups", "absent"), None),
        (TokenClaim("groups", text="prod"), "prod"),
        (TokenClaim("groups", "provider"), "metropole"),
        (TokenClaim("groups", "issuer"), "https://op.example"),
        (TokenClaim("groups", "cn"), "L\u00e9a"),
    ],
)
def test_claims(claim: TokenClaim, value: object) -> None:
    assert told([claim], HELENE).get("groups") == value


def test_the_subject_is_the_providers_unless_the_file_says_otherwise() -> None:
    assert told([], HELENE) == {"sub": "he-1"}
    assert told([TokenClaim("sub", "uid")], HELENE) == {"sub": "helene"}


@pytest.mark.parametrize(
    ("claim", "attributes", "why"),
    [
        (TokenClaim("g", "groups"), {}, "claim g: 2 values"),
        (TokenClaim("sub", "absent"), {}, "claim sub: this person has no value"),
        (TokenClaim("sub", "groups", several=True), {"groups": ()}, "claim sub: this person has no value"),
        (TokenClaim("uid", "uid"), {"uid": ("a\r\nb",)}, "claim uid: a control character"),
        (TokenClaim("uid", "uid"), {"uid": ("a\ud800",)}, "claim uid: a control character"),
        (TokenClaim("uid", "uid"), {"uid": ("admin ",)}, "claim uid: white space at an end"),
        (TokenClaim("g", "groups", several=True), {"groups": ("a", "\xa0admins")}, "claim g: white space at an end"),
    ],
)
def test_what_cannot_be_told_is_refused_with_its_name_and_without_its_value(
    claim: TokenClaim, attributes: dict[str, tuple[str, ...]], why: str
) -> None:
    who = replace(HELENE, attributes={**HELENE.attributes, **attributes})
    with pytest.raises(GatewayError) as refused:
        told([claim], who)
    assert refused.value.code.id == "translation.unencodable"
    assert why in refused.value.detail
    assert "ONDE" not in refused.value.detail
