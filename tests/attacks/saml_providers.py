"""A SAML provider, and an application that listens to it alone, for each provider file that a forgery is tried on."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from tests.saml.forgeries import FORGERIES
from tests.saml.forging import Forgery
from tests.saml.parties import certificate_text, pair

KEY, STRANGER, OURS = pair("idp"), pair("stranger"), pair("sp-1")
IDP = "https://idp.saml.example"

# What the validation core calls a setting, and what a provider file does.
_KEYS = {
    "cbc": "aes_cbc_inside_a_signed_response",
    "cbc_in_unsigned_response": "aes_cbc_although_the_response_is_not_signed",
}
_ASKED: Mapping[str, Mapping[str, object]] = {
    "usual": {},
    "nothing": {},
    "fresh": {"force_authn": True},
    "strong": {"authn_context": ["urn:oasis:names:tc:SAML:2.0:ac:classes:X509"]},
    "at least": {
        "authn_context": ["http://eidas.europa.eu/LoA/substantial"], "authn_context_comparison": "minimum",
    },
}  # fmt: skip


def settings_of(forgery: Forgery) -> dict[str, object]:
    """The `saml:` of its provider file, beside the entity and its metadata."""
    named = {_KEYS.get(name, name): value for name, value in forgery.settings.items()}
    return {**named, **_ASKED[forgery.asked]}


def _numbered() -> dict[str, int]:
    texts = dict.fromkeys(json.dumps(settings_of(forgery), sort_keys=True) for forgery in FORGERIES)
    return {text: number for number, text in enumerate(texts)}


_NUMBERS = _numbered()


def name_of(forgery: Forgery) -> str:
    """Of the provider, and of the application."""
    return name_with(**settings_of(forgery))


def name_with(**settings: object) -> str:
    """Of those whose `saml:` says this beside the entity and its metadata."""
    return f"saml-{_NUMBERS[json.dumps(settings, sort_keys=True)]}"


# A provider that may speak for one organisation alone (XS15).
BOUNDED = "saml-bounded"
SIRET, OTHER_SIRET = "21590350100017", "22590001801244"
_BOUNDS = {
    "tenant": "siret",
    "asserts": {
        "siret": [SIRET], "email_domains": ["metropole.example"], "attributes": {"groups": ["agents", "A-admins"]},
    },
}  # fmt: skip
# Under which applications know people by an address, and none of them is called one.
DISGUISES = (
    "upn", "Email", "Mail", "urn:mace:dir:attribute-def:mail",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
)  # fmt: skip
_ATTRIBUTES = {"uid": "NameID", "groups": "groups", "mail": "urn:oid:0.9.2342.19200300.100.1.3"}


_ANYBODY = '<shibmd:Scope regexp="true">.*</shibmd:Scope>'


def entity_of(name: str) -> str:
    return f"{IDP}/{name}"


def write(folder: Path, template: str) -> None:
    """`template`: an application's file, of which hosts and providers are changed."""
    (folder / "certs/saml.key").write_bytes(OURS.key)
    (folder / "certs/saml.crt").write_bytes(OURS.certificate)
    for text, number in _NUMBERS.items():
        _write_one(folder, template, f"saml-{number}", json.loads(text), {"attributes": _ATTRIBUTES})
    more: dict[str, object] = {name: name for name in ("siret", "siren")} | {"eppn": "eduPersonPrincipalName"}
    more["login"] = list(DISGUISES)
    more["etab"] = ["codeSiret", "supannEtablissement"]
    _write_one(folder, template, BOUNDED, {}, {**_BOUNDS, "attributes": _ATTRIBUTES | more})


def _write_one(folder: Path, template: str, name: str, saml: Mapping[str, object], rest: Mapping[str, object]) -> None:
    (folder / f"certs/{name}.xml").write_text(_metadata(name))
    told = {"entity_id": entity_of(name), "metadata": {"file": f"../certs/{name}.xml"}, **saml}
    document = {"version": 1, "provider": name, "saml": told, **rest}
    (folder / f"policies/providers/{name}.yaml").write_text(json.dumps(document))
    app = template.replace("app: both", f"app: {name}").replace(
        'both.localhost, "*.wild.localhost"', f"{name}.localhost"
    )
    (folder / f"policies/apps/{name}.yaml").write_text(app.replace("[alpha, beta]", f"[{name}]"))


def form_field(document: bytes) -> str:
    return base64.b64encode(document).decode()


def _metadata(name: str) -> str:
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" entityID="{entity_of(name)}">'
        "<md:Extensions><shibmd:Scope>metropole.example</shibmd:Scope>"
        # What it says of itself widens nothing.
        f"{_ANYBODY if name == BOUNDED else ''}</md:Extensions>"
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor '
        'use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
        f"{certificate_text(KEY)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        '<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{IDP}/slo"/>'
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{IDP}/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )
