from collections.abc import Callable
from typing import Any

import pytest
import xmlsec
from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml import decryption
from gateway.saml.decryption import Decrypted, decrypt
from gateway.saml.document import parse
from gateway.saml.names import saml
from gateway.saml.parties import KeyPair, ServiceProvider
from tests.saml import parties
from tests.saml.idp import CBC256, DS, MORE, OAEP, SHA256, XENC, XENC11, Way, assertion, build, encrypt, written
from tests.saml.scene import OLD, OURS, SCENE, SP, STRANGER


def encrypted(way: Way | None = None, shape: str = "shibboleth", **how: Any) -> etree._Element:
    root = build(SCENE, shape)
    encrypt(assertion(root), how.pop("to", OURS), way, **how)
    return parse(written(root)).root.find(saml("EncryptedAssertion"))  # type: ignore[return-value]


def opened(element: etree._Element, *, cbc: bool = False, sp: ServiceProvider = SP) -> etree._Element:
    return decrypt(element, saml("Assertion"), sp, cbc=cbc).element


def refused(element: etree._Element, *, cbc: bool = False, sp: ServiceProvider = SP) -> tuple[Code, str]:
    with pytest.raises(GatewayError) as error:
        opened(element, cbc=cbc, sp=sp)
    return error.value.code, error.value.detail


# --- what opens -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("shape", ["shibboleth", "lemonldap", "pysaml2"])
def test_aes_gcm(bits: int, shape: str) -> None:
    assert opened(encrypted(Way(content=f"{XENC11}aes{bits}-gcm"), shape)).get("ID") == "_assertion-1"


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_cbc_only_where_it_is_let(bits: int) -> None:
    element = encrypted(Way(content=f"{XENC}aes{bits}-cbc"))
    assert opened(element, cbc=True).get("ID") == "_assertion-1"
    code, detail = refused(element)
    assert code is saml_codes.ENCRYPTION_ALGORITHM
    assert "`aes_cbc_inside_a_signed_response: true`" in detail


@pytest.mark.parametrize(
    ("transport", "digest", "mask"),
    [
        (f"{XENC}rsa-oaep-mgf1p", None, None),
        (f"{XENC}rsa-oaep-mgf1p", f"{DS}sha1", None),
        (f"{XENC}rsa-oaep-mgf1p", SHA256, None),
        (OAEP, None, None),
        (OAEP, SHA256, None),
        (OAEP, SHA256, f"{XENC11}mgf1sha1"),
        (OAEP, SHA256, f"{XENC11}mgf1sha256"),
        (OAEP, f"{MORE}sha384", f"{XENC11}mgf1sha384"),
        (OAEP, f"{XENC}sha512", f"{XENC11}mgf1sha512"),
    ],
)
def test_rsa_oaep(transport: str, digest: str | None, mask: str | None) -> None:
    assert opened(encrypted(Way(transport=transport, digest=digest, mask=mask))).get("ID") == "_assertion-1"


def test_the_key_may_stand_beside_the_data_and_name_us() -> None:
    assert opened(encrypted(Way(beside=True))) is not None
    assert opened(encrypted(Way(recipient=SP.entity_id))) is not None
    assert refused(encrypted(Way(recipient="https://other.example")))[0] is saml_codes.ENCRYPTION_FORM


@pytest.mark.parametrize("to", [OURS, OLD])
def test_each_key_of_ours_opens_during_a_roll_over(to: KeyPair) -> None:
    assert opened(encrypted(to=to)) is not None
    assert opened(encrypted(to=to), sp=parties.service_provider(OLD, OURS)) is not None


def test_a_key_for_signing_alone_is_no_hindrance() -> None:
    curve = parties.pair("ec-p256", "p256")
    assert opened(encrypted(), sp=parties.service_provider(curve, OURS)) is not None
    assert refused(encrypted(), sp=parties.service_provider(curve))[0] is saml_codes.DECRYPTION


@pytest.mark.parametrize("shape", ["shibboleth", "lemonldap", "keycloak", "pysaml2"])
@pytest.mark.parametrize("content", [xmlsec.constants.TransformAes256Gcm, xmlsec.constants.TransformAes128Cbc])
def test_what_libxmlsec_encrypts_in_the_document_opens_in_its_place(shape: str, content: Any) -> None:
    """It leaves the prefixes that are declared further up undeclared in what it encrypts."""
    root = build(SCENE, shape)
    element = assertion(root)
    data = xmlsec.template.encrypted_data_create(root, content, type=xmlsec.constants.TypeEncElement, ns="xenc")
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, xmlsec.constants.TransformRsaOaep)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(OURS.certificate, xmlsec.constants.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    bits = 256 if content is xmlsec.constants.TransformAes256Gcm else 128
    context.key = xmlsec.Key.generate(xmlsec.constants.KeyDataAes, bits, xmlsec.constants.KeyDataTypeSession)
    holder = etree.SubElement(root, saml("EncryptedAssertion"))
    holder.append(element)
    context.encrypt_xml(data, element)
    found = parse(written(root)).root.find(saml("EncryptedAssertion"))
    assert found is not None
    assert opened(found, cbc=True).get("ID") == "_assertion-1"


# --- what does not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way",
    [
        Way(transport=f"{XENC}rsa-1_5"),
        Way(content=f"{XENC}tripledes-cbc"),
        Way(transport=OAEP, digest=f"{MORE}md5"),
        Way(transport=OAEP, digest=SHA256, mask=f"{XENC11}mgf1sha224"),
        Way(mask=f"{XENC11}mgf1sha256", digest=SHA256),
    ],
)
def test_algorithms_outside_the_list_are_refused_before_a_key_is_used(way: Way) -> None:
    assert refused(encrypted(way), cbc=True)[0] is saml_codes.ENCRYPTION_ALGORITHM


def flipped(value: bytes) -> bytes:
    return value[:20] + bytes([value[20] ^ 1]) + value[21:]


FAILURES = {
    "another's key": {"to": STRANGER},
    "no data": {"way": Way(spoil=lambda value: b"")},
    "one byte": {"way": Way(spoil=lambda value: b"x")},
    "the nonce alone": {"way": Way(spoil=lambda value: value[:12])},
    "a short tag": {"way": Way(spoil=lambda value: value[:-4])},
    "a changed tag": {"way": Way(spoil=lambda value: value[:-1] + bytes([value[-1] ^ 1]))},
    "a changed bit": {"way": Way(spoil=flipped)},
    "a changed key": {"way": Way(spoil_key=lambda value: value[:-1] + bytes([value[-1] ^ 1]))},
    "a short key": {"way": Way(spoil_key=lambda value: value[:-1])},
    "no key": {"way": Way(spoil_key=lambda value: b"")},
    "cbc: no block": {"way": Way(content=CBC256, spoil=lambda value: value[:16])},
    "cbc: half a block": {"way": Way(content=CBC256, spoil=lambda value: value[:-8])},
    "cbc: padding of 0": {"way": Way(content=CBC256, pad=lambda text: text[: len(text) // 16 * 16 - 1] + b"\x00")},
    "cbc: padding of 17": {"way": Way(content=CBC256, pad=lambda text: text[: len(text) // 16 * 16 - 1] + b"\x11")},
    "cbc: a changed bit": {"way": Way(content=CBC256, spoil=flipped)},
    "not XML": {"plaintext": b"\xff\xfe\x00"},
    "nothing": {"plaintext": b""},
    "text": {"plaintext": b"secret"},
    "another element": {"plaintext": b"<x/>"},
    "an Assertion of no namespace": {"plaintext": b"<Assertion/>"},
    "two": {"plaintext": f'<a:Assertion xmlns:a="{saml("")[1:-1]}"/>'.encode() * 2},
    "text before": {"plaintext": f'x<a:Assertion xmlns:a="{saml("")[1:-1]}"/>'.encode()},
    "text after": {"plaintext": f'<a:Assertion xmlns:a="{saml("")[1:-1]}"/>x'.encode()},
    "a way out": {"plaintext": f'<a:Assertion xmlns:a="{saml("")[1:-1]}"/></context><context>'.encode()},
    "a comment": {"plaintext": f'<!-- --><a:Assertion xmlns:a="{saml("")[1:-1]}"/>'.encode()},
    "too deep": {
        "plaintext": f'<a:Assertion xmlns:a="{saml("")[1:-1]}">'.encode()
        + b"<b>" * 40
        + b"</b>" * 40
        + b"</a:Assertion>"
    },
    "a DTD": {"plaintext": b"<!DOCTYPE a><a/>"},
    "a declaration": {"plaintext": b'<?xml version="1.0"?><a/>'},
}


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_one_answer(name: str) -> None:
    detail = "none of our keys decrypts the encrypted part, or its content is not allowed"
    assert refused(encrypted(**FAILURES[name]), cbc=True) == (saml_codes.DECRYPTION, detail)  # type: ignore[arg-type]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that cost something, in their order."""
    done: list[str] = []

    def counting(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            done.append(name)
            return step(*args)

        return counted

    for function, name in (("_unwrapped", "key"), ("_decrypted", "content"), ("_read", "read")):
        monkeypatch.setattr(decryption, function, counting(name, getattr(decryption, function)))
    return done


def test_every_failure_does_the_same_work(counted: list[str]) -> None:
    """Each key of ours is tried on each wrapped key, and the content opened with something, whatever failed before."""
    for name, how in FAILURES.items():
        counted.clear()
        refused(encrypted(**how), cbc=True)  # type: ignore[arg-type]
        assert sorted(counted) == ["content", "key", "key", "read"], name


def test_what_opens_is_tried_with_no_further_key(counted: list[str]) -> None:
    """A private operation costs as much as all other checks together."""
    opened(encrypted(to=OURS))
    assert counted == ["key", "content", "read"]
    counted.clear()
    opened(encrypted(to=OLD))
    assert counted == ["key", "key", "content", "read"]


def test_no_plain_text_is_written_anywhere(capfd: pytest.CaptureFixture[str]) -> None:
    refused(encrypted(plaintext="<secret>Lebœuf</secre".encode()))
    assert capfd.readouterr() == ("", "")


def test_nobody_else_makes_an_opened() -> None:
    element = build(SCENE)
    with pytest.raises(TypeError):
        Decrypted(element, element, object())
