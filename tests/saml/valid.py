"""Responses that good providers send: six products, ten ways to sign and encrypt, seven edges of the allowed time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from gateway.saml.response import OLDEST
from tests.saml.idp import (
    CBC256,
    GCM256,
    MORE,
    MORE07,
    OAEP,
    RSA_SHA256,
    SHA256,
    XENC,
    XENC11,
    Scene,
    Way,
    assertion,
    at,
    build,
    encrypt,
    one,
    sign,
    sign_enveloped_alone,
    written,
)
from tests.saml.shapes import SHAPES

SKEW = 180

# What each product signs with when nobody changed anything, or what it can be set to.
_SIGNING: Mapping[str, Mapping[str, str]] = {
    "adfs": {"algorithm": RSA_SHA256},
    "entra": {"algorithm": RSA_SHA256},
    "shibboleth": {"algorithm": f"{MORE}rsa-sha512", "digest": f"{XENC}sha512", "prefixes": "xsd"},
    "lemonldap": {"algorithm": RSA_SHA256},
    "keycloak": {"algorithm": f"{MORE07}sha256-rsa-MGF1", "prefixes": "xs"},
    "pysaml2": {"algorithm": f"{MORE}rsa-sha384", "digest": f"{MORE}sha384"},
}
_ENCRYPTING: Mapping[str, Way] = {
    "adfs": Way(),
    "entra": Way(content=f"{XENC11}aes128-gcm"),
    "shibboleth": Way(transport=OAEP, digest=SHA256, mask=f"{XENC11}mgf1sha256", recipient="SP"),
    "lemonldap": Way(content=f"{XENC11}aes192-gcm", digest=f"{XENC}sha256"),
    "keycloak": Way(beside=True),
    "pysaml2": Way(content=GCM256, transport=OAEP, digest=f"{XENC}sha512", mask=f"{XENC11}mgf1sha512"),
}


@dataclass(frozen=True)
class Valid:
    """`settings`: what the provider file says beside the usual. `shift`: seconds of the clock against the scene."""

    id: str
    make: Callable[[Scene], bytes]
    settings: Mapping[str, Any] = field(default_factory=dict)


def _sign(element: etree._Element, scene: Scene, shape: str) -> None:
    sign(element, scene.key, **_SIGNING[shape])


def _way(scene: Scene, shape: str, **changes: Any) -> Way:
    way = Way(**{**_ENCRYPTING[shape].__dict__, **changes})
    return Way(**{**way.__dict__, "recipient": scene.audience}) if way.recipient else way


def _assertion_signed(root: etree._Element, scene: Scene, shape: str) -> None:
    _sign(assertion(root), scene, shape)


def _response_signed(root: etree._Element, scene: Scene, shape: str) -> None:
    _sign(root, scene, shape)


def _both_signed(root: etree._Element, scene: Scene, shape: str) -> None:
    _assertion_signed(root, scene, shape)
    _sign(root, scene, shape)


def _signed_then_encrypted(root: etree._Element, scene: Scene, shape: str) -> None:
    _assertion_signed(root, scene, shape)
    encrypt(assertion(root), scene.recipient_key, _way(scene, shape))


def _encrypted_in_a_signed_response(root: etree._Element, scene: Scene, shape: str) -> None:
    encrypt(assertion(root), scene.recipient_key, _way(scene, shape))
    _sign(root, scene, shape)


def _both_signed_and_encrypted(root: etree._Element, scene: Scene, shape: str) -> None:
    _signed_then_encrypted(root, scene, shape)
    _sign(root, scene, shape)


def _parts_encrypted(root: etree._Element, scene: Scene, shape: str) -> None:
    encrypt(one(root, "//a:Subject/a:NameID"), scene.recipient_key, _way(scene, shape))
    encrypt(one(root, "//a:Attribute"), scene.recipient_key, _way(scene, shape))
    _assertion_signed(root, scene, shape)


def _cbc_in_a_signed_response(root: etree._Element, scene: Scene, shape: str) -> None:
    _assertion_signed(root, scene, shape)
    encrypt(assertion(root), scene.recipient_key, _way(scene, shape, content=CBC256))
    _sign(root, scene, shape)


def _assertion_signed_enveloped_alone(root: etree._Element, scene: Scene, shape: str) -> None:
    sign_enveloped_alone(assertion(root), scene.key)


def _both_signed_enveloped_alone(root: etree._Element, scene: Scene, shape: str) -> None:
    _assertion_signed_enveloped_alone(root, scene, shape)
    sign_enveloped_alone(root, scene.key)


WAYS: Mapping[str, tuple[Callable[[etree._Element, Scene, str], None], Mapping[str, Any]]] = {
    "assertion signed": (_assertion_signed, {}),
    "response signed": (_response_signed, {"signed": "response"}),
    "both signed": (_both_signed, {"signed": "both"}),
    "signed, encrypted": (_signed_then_encrypted, {"encrypted": True}),
    "encrypted, response signed": (_encrypted_in_a_signed_response, {"signed": "response", "encrypted": True}),
    "both signed, encrypted": (_both_signed_and_encrypted, {"signed": "both", "encrypted": True}),
    "name and attribute encrypted": (_parts_encrypted, {}),
    "assertion signed, enveloped alone": (_assertion_signed_enveloped_alone, {}),
    "both signed, enveloped alone": (_both_signed_enveloped_alone, {"signed": "both"}),
    "aes-cbc, both signed": (_cbc_in_a_signed_response, {"signed": "both", "cbc": True}),
}


def edges(now: int) -> Mapping[str, Mapping[str, object]]:
    """Values at the last second that is allowed, each to one side; the skew is 180 s."""
    late, early = now - SKEW + 1, now + SKEW
    return {
        "now": {},
        "not before, ahead": {"not_before": at(early), "issued": at(early), "assertion_issued": at(early)},
        "conditions nearly over": {"not_on_or_after": at(late), "not_before": at(late - 300)},
        "confirmation nearly over": {"confirmed_until": at(late)},
        "issued long ago": {
            "issued": at(now - OLDEST - SKEW),
            "assertion_issued": at(now - OLDEST - SKEW),
            "authn_instant": at(now - 86400),
        },
        "session nearly over": {"session_end": at(late)},
        "to the fraction, no session end": {
            "issued": at(now, ".1234567"),
            "assertion_issued": at(now, ".123456789012"),
            "authn_instant": at(early, ".9"),
            "session_end": None,
        },
    }


def valid_responses(now: int) -> Iterator[Valid]:
    for shape in SHAPES:
        for way, (apply, settings) in WAYS.items():
            for edge, values in edges(now).items():
                yield Valid(f"{shape}, {way}, {edge}", _maker(shape, apply, values), settings)


def _maker(
    shape: str, apply: Callable[[etree._Element, Scene, str], None], values: Mapping[str, object]
) -> Callable[[Scene], bytes]:
    def make(scene: Scene) -> bytes:
        root = build(scene.but(**values), shape)
        apply(root, scene, shape)
        return written(root)

    return make
