import pytest

from gateway.model.assertion import NameId, SamlAttribute
from gateway.model.errors import GatewayError
from tests.saml.forgeries import WRAPPINGS, Forgery
from tests.saml.idp import assertion, build, sign, written
from tests.saml.scene import METADATA, NOW, SCENE, SP, provider, validated
from tests.saml.valid import WAYS, Valid, valid_responses

VALID = list(valid_responses(NOW))


@pytest.mark.parametrize("valid", VALID, ids=[valid.id for valid in VALID])
def test_a_good_provider_s_response_signs_in(valid: Valid) -> None:
    found = validated(valid.make(SCENE), of=provider(**valid.settings))
    assert found.name_id.value == "AAdzZWNyZXQx"
    assert "helene.leboeuf@metropole.example" in {value for each in found.attributes for value in each.values}


def test_there_are_300_of_them() -> None:
    assert len(VALID) >= 300
    assert len({valid.id for valid in VALID}) == len(VALID)
    assert len(WAYS) == 8


def test_an_assertion_says_what_was_signed() -> None:
    root = build(SCENE)
    sign(assertion(root), SCENE.key)
    found = validated(written(root))
    uri = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
    assert found.id == "_assertion-1"
    assert found.issuer == METADATA.entity_id
    assert found.audience == SP.entity_id
    assert found.name_id == NameId(
        "AAdzZWNyZXQx",
        format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
        name_qualifier=METADATA.entity_id,
        sp_name_qualifier=SP.entity_id,
    )
    assert (found.session_index, found.session_not_on_or_after) == ("_session-1", NOW + 28800)
    assert (found.authn_instant, found.expires) == (NOW - 10, NOW + 300 + 180)
    assert found.authn_context == "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    assert found.attributes == (
        SamlAttribute("urn:oid:0.9.2342.19200300.100.1.3", uri, "mail", ("helene.leboeuf@metropole.example",)),
        SamlAttribute(
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", uri, "eduPersonPrincipalName", ("hleboeuf@metropole.example",)
        ),
        SamlAttribute(
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.10", uri, "eduPersonTargetedID", ("84e411ea-7daa-4a57-bbf6-b5cc52981b73",)
        ),
    )
    assert "84e411ea" not in repr(found)
    assert "AAdz" not in repr(found)


@pytest.mark.parametrize("forgery", WRAPPINGS, ids=[each.id for each in WRAPPINGS])
def test_a_forgery_is_refused_with_its_code(forgery: Forgery) -> None:
    with pytest.raises(GatewayError) as error:
        validated(forgery.make(SCENE), of=provider(**forgery.settings))
    assert error.value.code is forgery.code
