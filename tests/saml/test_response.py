import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from lxml import etree

from gateway.model.assertion import NameId, SamlAttribute
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.response import OLDEST
from tests.saml import parties
from tests.saml.forged_signatures import SIGNATURES
from tests.saml.forged_statements import refusal
from tests.saml.forgeries import FORGERIES
from tests.saml.forging import Forgery
from tests.saml.idp import CBC256, SAML, Way, assertion, at, build, encrypt, one, sign, written
from tests.saml.scene import ASKED, ASKED_FOR, KEY, METADATA, NOW, SCENE, SP, STRANGER, provider, validated
from tests.saml.valid import WAYS, Valid, valid_responses

VALID = list(valid_responses(NOW))


@pytest.mark.parametrize("valid", VALID, ids=[valid.id for valid in VALID])
def test_a_good_provider_s_response_signs_in(valid: Valid) -> None:
    found = validated(valid.make(SCENE), of=provider(**valid.settings))
    assert found.name_id is not None
    assert found.name_id.value == "AAdzZWNyZXQx"
    assert "helene.leboeuf@metropole.example" in {value for each in found.attributes for value in each.values}


def test_there_are_300_of_them() -> None:
    assert len(VALID) >= 300
    assert len({valid.id for valid in VALID}) == len(VALID)
    assert len(WAYS) == 10


def test_an_assertion_says_what_was_signed() -> None:
    root = build(SCENE)
    sign(assertion(root), SCENE.key)
    found = validated(written(root))
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
        SamlAttribute("urn:oid:0.9.2342.19200300.100.1.3", "mail", ("helene.leboeuf@metropole.example",)),
        SamlAttribute("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "eduPersonPrincipalName", ("hleboeuf@metropole.example",)),
        SamlAttribute(
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "eduPersonTargetedID", ("84e411ea-7daa-4a57-bbf6-b5cc52981b73",)
        ),
    )
    assert "84e411ea" not in repr(found)
    assert "AAdz" not in repr(found)


@pytest.mark.parametrize("forgery", FORGERIES, ids=[each.id for each in FORGERIES])
def test_a_forgery_is_refused_with_its_code(forgery: Forgery) -> None:
    document = forgery.make(SCENE)
    with pytest.raises(GatewayError) as error:
        validated(document, of=provider(**forgery.settings), asked=ASKED_FOR[forgery.asked])
    assert error.value.code is forgery.code
    assert error.value.detail.isprintable()
    assert len(error.value.detail) < 1000


def test_there_are_150_of_them_and_each_is_another() -> None:
    assert len(FORGERIES) >= 150
    assert len({each.id for each in FORGERIES}) == len(FORGERIES)
    made = {(each.make(SCENE), each.asked, repr(each.settings)) for each in FORGERIES}
    assert len(made) >= 150


def test_every_case_of_a_forgery_is_good_but_for_its_fault() -> None:
    """What the forgeries are made from signs in: they end on their fault, and not on something else."""
    for settings in {repr(each.settings): each.settings for each in FORGERIES}.values():
        way = "both signed, encrypted" if settings.get("encrypted") else "both signed"
        apply = WAYS[way][0]
        root = build(SCENE)
        apply(root, SCENE, "shibboleth")
        usual = {key: value for key, value in settings.items() if key != "name_id_format"}
        assert validated(written(root), of=provider(**usual))


REFUSALS = (
    saml_codes.STATUS,
    saml_codes.STATUS_REQUEST,
    saml_codes.STATUS_UNEXPLAINED,
    saml_codes.NO_PASSIVE,
    saml_codes.NO_AUTHN_CONTEXT,
)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        (("Responder", "AuthnFailed"), saml_codes.STATUS),
        (("Requester", "RequestDenied"), saml_codes.STATUS),
        (("Responder", "UnknownPrincipal"), saml_codes.STATUS),
        (("Responder", "NoPassive"), saml_codes.NO_PASSIVE),
        (("Requester", "NoAuthnContext"), saml_codes.NO_AUTHN_CONTEXT),
        (("Requester", "InvalidNameIDPolicy"), saml_codes.STATUS_REQUEST),
        (("Requester",), saml_codes.STATUS_REQUEST),
        (("VersionMismatch", "RequestVersionTooLow"), saml_codes.STATUS_REQUEST),
        (("Responder",), saml_codes.STATUS_UNEXPLAINED),
        (("Responder", "Responder", "AuthnFailed"), saml_codes.STATUS),
        (("Responder", "of another kind"), saml_codes.STATUS_UNEXPLAINED),
    ],
)
def test_each_kind_of_refusal_has_a_code_of_its_own(stated: tuple[str, ...], told: Code) -> None:
    """Core 3.2.2.2"""
    names = [f"urn:oasis:names:tc:SAML:2.0:status:{one}" for one in stated]
    assert code(refusal(*names)(SCENE)) is told


def test_to_who_forges_every_refusal_is_the_same() -> None:
    """But for the provider's own refusal, which is of no use to a forger."""
    pages = {(each.code.status, each.code.title, each.code.advice) for each in FORGERIES if each.code not in REFUSALS}
    assert len(pages) == 1


# --- what an answer is judged by beside itself ------------------------------------------------------------------------


def good(**values: object) -> bytes:
    root = build(SCENE.but(**values))
    sign(assertion(root), SCENE.key)
    return written(root)


def code(document: bytes, **how: Any) -> Code:
    with pytest.raises(GatewayError) as error:
        validated(document, **how)
    return error.value.code


def test_metadata_that_expired_or_are_another_s_prove_nothing() -> None:
    assert validated(good(), metadata=replace(METADATA, valid_until=NOW + 1))
    assert code(good(), metadata=replace(METADATA, valid_until=NOW)) is saml_codes.METADATA_EXPIRED
    assert code(good(), metadata=replace(METADATA, entity_id="https://idp.other.example")) is saml_codes.ISSUER


def test_a_new_key_of_the_provider_counts_beside_its_old_one() -> None:
    both = parties.idp(STRANGER, KEY)
    assert validated(good(), metadata=both)
    assert code(good(), metadata=parties.idp(STRANGER)) is saml_codes.SIGNATURE


def test_by_artifact_the_answer_is_for_that_endpoint_and_may_leave_its_name_out() -> None:
    for destination in (SP.artifact_acs, None):
        document = good(recipient=SP.artifact_acs, destination=destination)
        assert validated(document, binding="artifact")
    assert code(good(), binding="artifact") is saml_codes.DESTINATION
    assert code(good(destination=SP.artifact_acs), binding="artifact") is saml_codes.RECIPIENT


def test_an_answer_that_nobody_asked_for_where_it_is_let_in() -> None:
    document = good(in_response_to=None, confirmed_request=None)
    assert validated(document, of=provider(unsolicited=True), asked=None)
    assert code(document, asked=None) is saml_codes.UNSOLICITED


def test_the_context_of_the_provider_file_counts_for_an_answer_that_nobody_asked_for() -> None:
    document = good(in_response_to=None, confirmed_request=None)
    x509 = ("urn:oasis:names:tc:SAML:2.0:ac:classes:X509",)
    assert code(document, of=provider(unsolicited=True, authn_context=x509), asked=None) is saml_codes.AUTHN_CONTEXT


def test_a_fresh_authentication_where_it_was_asked_for() -> None:
    fresh = replace(ASKED, fresh=True)
    assert validated(good(authn_instant=at(ASKED.issued_at - 180)), asked=fresh).authn_instant == ASKED.issued_at - 180
    assert code(good(authn_instant=at(ASKED.issued_at - 181)), asked=fresh) is saml_codes.AUTHN_INSTANT
    assert validated(good(authn_instant=at(ASKED.issued_at - 181)))


def test_cbc_in_an_unsigned_response_has_a_leniency_of_its_own() -> None:
    root = build(SCENE)
    sign(assertion(root), SCENE.key)
    encrypt(assertion(root), SCENE.recipient_key, Way(content=CBC256))
    document = written(root)
    with pytest.raises(GatewayError) as error:
        validated(document, of=provider(cbc=True))
    assert error.value.code is saml_codes.ENCRYPTION_ALGORITHM
    assert "-SamlResponseSignature MessageAndAssertion" in error.value.detail
    assert validated(document, of=provider(cbc=True, cbc_in_unsigned_response=True))


def test_an_id_is_remembered_for_as_long_as_it_could_be_used() -> None:
    far = at(NOW + 10**8)
    document = good(not_on_or_after=far, confirmed_until=far)
    expires = validated(document).expires
    assert expires == NOW + OLDEST + 180
    assert validated(document, now=expires)
    assert code(document, now=expires + 1) is saml_codes.ISSUE_INSTANT
    soon = good(confirmed_until=at(NOW + 10))
    expires = validated(soon).expires
    assert expires == NOW + 10 + 180
    assert code(soon, now=expires) is saml_codes.EXPIRED


def test_what_the_provider_says_of_its_refusal_is_for_the_log_and_safe_there() -> None:
    refusal = next(each for each in FORGERIES if each.id == "the provider refuses")
    with pytest.raises(GatewayError) as error:
        validated(refusal.make(SCENE))
    assert "AuthnFailed" in error.value.detail
    assert '"No??X-Admin: 1"' in error.value.detail


def test_two_threads_validate_side_by_side() -> None:
    documents = [(valid.make(SCENE), provider(**valid.settings)) for valid in VALID[::24]]
    refused = [(each.make(SCENE), each.code) for each in SIGNATURES if each.settings == {} and each.asked == "usual"][
        :14
    ]

    def work() -> int:
        done = 0
        for _ in range(4):
            for (document, of), (forged, expected) in zip(documents, refused, strict=False):
                done += validated(document, of=of).name_id.value == "AAdzZWNyZXQx"
                done += code(forged) is expected
        return done

    with ThreadPoolExecutor(2) as pool:
        assert [future.result() for future in [pool.submit(work) for _ in range(4)]] == [112] * 4


# --- what real providers do, and what is no harm ----------------------------------------------------------------------


def _other(change: Callable[[bytes], bytes], signed: str = "assertion") -> bytes:
    """Changed as a text, then signed."""
    root = etree.fromstring(change(written(build(SCENE, "shibboleth"))))
    sign(assertion(root) if signed == "assertion" else root, KEY)
    return written(root)


def test_times_with_an_offset_of_nothing() -> None:
    """XML Schema 2 3.2.7.3."""
    document = _other(lambda xml: re.sub(rb"(T[0-9:.]+)Z", rb"\1+00:00", xml))
    assert document.count(b"+00:00") >= 5
    assert validated(document).name_id is not None


def test_white_space_around_the_issuer() -> None:
    issuer = SCENE.issuer.encode()
    document = _other(lambda xml: xml.replace(b">" + issuer + b"<", b">\n      " + issuer + b"\n    <"))
    assert document.count(issuer + b"\n") == 2
    assert validated(document).issuer == SCENE.issuer


def test_an_id_that_begins_with_a_digit_is_taken_where_the_provider_file_says_so() -> None:
    document = _other(lambda xml: xml.replace(b'ID="_', b'ID="1'))
    with pytest.raises(GatewayError, match="ids_begin_with_a_digit") as refused:
        validated(document)
    assert refused.value.code is saml_codes.ID
    assert validated(document, of=provider(digit_ids=True)).id.startswith("1")
    for begin in (b"1 ", b".1", b"-1"):
        other = _other(partial(_beginning, begin))
        with pytest.raises(GatewayError) as refused:
            validated(other, of=provider(digit_ids=True))
        assert refused.value.code is saml_codes.ID


def _beginning(begin: bytes, document: bytes) -> bytes:
    return document.replace(b'ID="_', b'ID="' + begin)


def test_a_name_for_another_service_in_an_attribute_is_told_apart() -> None:
    name_id = '<saml2:NameID xmlns:saml2="{a}" SPNameQualifier="{sp}">x</saml2:NameID>'
    for sp, apart in ((SP.entity_id, False), ("https://other.example", True)):
        root = build(SCENE, "shibboleth")
        value = one(root, "(//a:AttributeValue)[1]")
        value.clear()
        value.append(etree.fromstring(name_id.format(a=SAML, sp=sp)))
        sign(assertion(root), KEY)
        assert next(iter(validated(written(root)).attributes)).of_another_sp is apart
