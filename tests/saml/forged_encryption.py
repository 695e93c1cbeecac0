"""What is encrypted to another, in another way, or was changed."""

import copy
from collections.abc import Mapping
from typing import Any

from lxml import etree

from gateway.model.codes import saml_codes
from tests.saml.forging import (
    Forgery,
    add,
    after,
    remove,
    saying,
)
from tests.saml.idp import (
    CBC256,
    SAML,
    SAMLP,
    XENC,
    Scene,
    Way,
    assertion,
    build,
    encrypt,
    one,
    sign,
    written,
)


def _encrypting(
    way: Way | None = None,
    *,
    signed: str = "assertion",
    to: str = "recipient_key",
    of: str = "//a:Assertion",
    plaintext: bytes | None = None,
) -> Any:
    """Signed as said, then encrypted, then the Response signed where that was said."""

    def make(scene: Scene) -> bytes:
        root = build(scene)
        if signed in ("assertion", "both") and of == "//a:Assertion":
            sign(assertion(root), scene.key)
        encrypt(one(root, of), getattr(scene, to), way, plaintext=plaintext)
        if signed in ("assertion", "both") and of != "//a:Assertion":
            sign(assertion(root), scene.key)
        if signed in ("response", "both"):
            sign(root, scene.key)
        return written(root)

    return make


def _flipped(value: bytes) -> bytes:
    return value[:20] + bytes([value[20] ^ 1]) + value[21:]


def _same_id_inside(scene: Scene) -> bytes:
    root = build(scene.but(response_id="_assertion-1"))
    sign(assertion(root), scene.key)
    encrypt(assertion(root), scene.recipient_key)
    return written(root)


_CBC: Mapping[str, Any] = {"cbc": True}
_NAME = "//a:Subject/a:NameID"

ENCRYPTIONS = (
    Forgery("unsigned inside the encryption", "XS17", saml_codes.SIGNATURE_MISSING, _encrypting(signed="none")),
    Forgery("encrypted to another", "XS17", saml_codes.DECRYPTION, _encrypting(to="stranger")),
    Forgery("a bit of AES-GCM changed", "XS17", saml_codes.DECRYPTION, _encrypting(Way(spoil=_flipped))),
    Forgery("a short GCM tag", "XS17", saml_codes.DECRYPTION, _encrypting(Way(spoil=lambda value: value[:-8]))),
    Forgery("an empty CipherValue", "XS17, K139", saml_codes.DECRYPTION, _encrypting(Way(spoil=lambda value: b""))),
    Forgery(
        "a CipherValue of one byte", "XS17, K139", saml_codes.DECRYPTION, _encrypting(Way(spoil=lambda value: b"x"))
    ),
    Forgery("a wrapped key that was changed", "XS17", saml_codes.DECRYPTION, _encrypting(Way(spoil_key=_flipped))),
    Forgery("RSA 1.5", "XS17", saml_codes.ENCRYPTION_ALGORITHM, _encrypting(Way(transport=f"{XENC}rsa-1_5"))),
    Forgery("3DES", "XS17", saml_codes.ENCRYPTION_ALGORITHM, _encrypting(Way(content=f"{XENC}tripledes-cbc"))),
    Forgery("AES-CBC where it was not let", "XS17", saml_codes.ENCRYPTION_ALGORITHM, _encrypting(Way(content=CBC256))),
    Forgery(
        "AES-CBC in a Response that is not signed",
        "XS17",
        saml_codes.ENCRYPTION_ALGORITHM,
        _encrypting(Way(content=CBC256)),
        _CBC,
    ),
    Forgery(
        "AES-CBC, a bit changed",
        "XS17",
        saml_codes.DECRYPTION,
        _encrypting(Way(content=CBC256, spoil=_flipped), signed="both"),
        _CBC,
    ),
    Forgery(
        "AES-CBC, padding of another length",
        "XS17, K139",
        saml_codes.DECRYPTION,
        _encrypting(Way(content=CBC256, spoil=lambda value: value[:-16]), signed="both"),
        _CBC,
    ),
    Forgery(
        "AES-CBC, half a block",
        "XS17, K139",
        saml_codes.DECRYPTION,
        _encrypting(Way(content=CBC256, spoil=lambda value: value[:-8]), signed="both"),
        _CBC,
    ),
    Forgery(
        "AES-CBC named with its leniency, a bit changed",
        "XS17",
        saml_codes.DECRYPTION,
        _encrypting(Way(content=CBC256, spoil=_flipped)),
        {"cbc": True, "cbc_in_unsigned_response": True},
    ),
    Forgery("encrypted text", "XS17", saml_codes.DECRYPTION, _encrypting(plaintext=b"admin")),
    Forgery(
        "an encrypted Response",
        "XS17",
        saml_codes.DECRYPTION,
        _encrypting(plaintext=f'<p:Response xmlns:p="{SAMLP}"/>'.encode()),
    ),
    Forgery(
        "an encrypted DTD",
        "XS17",
        saml_codes.DECRYPTION,
        _encrypting(plaintext=b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"),
    ),
    Forgery(
        "two encrypted assertions in one",
        "K136",
        saml_codes.DECRYPTION,
        _encrypting(plaintext=f'<a:Assertion xmlns:a="{SAML}"/>'.encode() * 2),
    ),
    Forgery(
        "an encrypted assertion of no shape",
        "K120",
        saml_codes.SHAPE,
        _encrypting(plaintext=f'<a:Assertion xmlns:a="{SAML}"/>'.encode()),
    ),
    Forgery("the Response's ID again inside", "XS09", saml_codes.ID, _same_id_inside),
    Forgery("two EncryptedAssertions", "K136", saml_codes.SHAPE, lambda scene: written(_twice_encrypted(scene))),
    Forgery(
        "in clear, where encryption is asked for", "XS17", saml_codes.ENCRYPTION_MISSING, saying(), {"encrypted": True}
    ),
    Forgery(
        "no EncryptedKey", "XS17", saml_codes.ENCRYPTION_FORM, lambda scene: _without(scene, "//xenc:EncryptedKey")
    ),
    Forgery("no EncryptedData", "XS17", saml_codes.SHAPE, lambda scene: _without(scene, "//xenc:EncryptedData")),
    Forgery(
        "a key for another recipient",
        "XS17",
        saml_codes.ENCRYPTION_FORM,
        _encrypting(Way(recipient="https://other.example")),
    ),
    Forgery(
        "a CipherReference",
        "XS17",
        saml_codes.SHAPE,
        after(
            add(
                "/p:Response",
                '<a:EncryptedAssertion><xenc:EncryptedData><xenc:CipherData><xenc:CipherReference URI="file:///etc/hostname"/></xenc:CipherData></xenc:EncryptedData></a:EncryptedAssertion>',
            )
        ),
    ),
    Forgery("an encrypted name for another", "XS17", saml_codes.DECRYPTION, _encrypting(of=_NAME, to="stranger")),
    Forgery(
        "an encrypted name by AES-CBC",
        "XS17",
        saml_codes.ENCRYPTION_ALGORITHM,
        _encrypting(Way(content=CBC256), of=_NAME),
        _CBC,
    ),
    Forgery(
        "an encrypted name that is an assertion",
        "XS17",
        saml_codes.DECRYPTION,
        _encrypting(of=_NAME, plaintext=f'<a:Assertion xmlns:a="{SAML}"/>'.encode()),
    ),
    Forgery(
        "an encrypted attribute that was changed",
        "XS17",
        saml_codes.DECRYPTION,
        _encrypting(Way(spoil=_flipped), of="(//a:Attribute)[1]"),
    ),
    Forgery(
        "an encrypted attribute without a name",
        "XS17",
        saml_codes.SHAPE,
        _encrypting(of="(//a:Attribute)[1]", plaintext=f'<a:Attribute xmlns:a="{SAML}"/>'.encode()),
    ),
)


def _twice_encrypted(scene: Scene) -> etree._Element:
    root = build(scene)
    sign(assertion(root), scene.key)
    encrypted = encrypt(assertion(root), scene.recipient_key)
    encrypted.addnext(copy.deepcopy(encrypted))
    return root


def _without(scene: Scene, path: str) -> bytes:
    root = build(scene)
    encrypt(assertion(root), scene.recipient_key)
    remove(path)(root, scene)
    return written(root)
