"""Recognises a provider's product or service by the documents, for the first provider file.

The file of an unknown product has plain settings.
"""

import re
from dataclasses import dataclass
from typing import Final, get_args
from urllib.parse import urlsplit

from gateway.config.presets import PresetName, preset
from gateway.oidc.discovery import ProviderMetadata
from gateway.saml.parties import IdpMetadata

_ENTRA: Final = re.compile(r"https://login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)/[^/]+/v2\.0")
_ENTRA_SAML: Final = re.compile(r"https://sts\.(?:windows\.net|chinacloudapi\.cn)/[^/]+/")
_REALM: Final = re.compile(r"/realms/[^/]+")
# A preset for programs, which one file has on purpose.
_NOT_FIRST: Final = "-api"


@dataclass(frozen=True, slots=True)
class SamlProduct:
    """`attributes`: our names and the product's names, beside the common names.
    `advice`: advice on the product, as comments of the file."""

    label: str
    attributes: tuple[tuple[str, str], ...] = ()
    advice: tuple[str, ...] = ()


_CBC: Final = ("If it encrypts: have it sign the response too, and add aes_cbc_inside_a_signed_response: true",)
_MICROSOFT: Final = "http://schemas.microsoft.com/identity/claims/"
_CLAIMS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
ADFS: Final = SamlProduct(
    "AD FS",
    (("upn", f"{_CLAIMS}upn"),),
    ("AD FS sends a NameID only by a claim rule of its own: without one, sign-ins are refused (saml.subject).", *_CBC),
)
ENTRA: Final = SamlProduct(
    "Microsoft Entra ID",
    (("uid", f"{_CLAIMS}name"), ("object_id", f"{_MICROSOFT}objectidentifier")),
    _CBC,
)
GOOGLE: Final = SamlProduct(
    "Google", (), ("Google sends the attributes that its administrator maps, under their names there.",)
)
KEYCLOAK: Final = SamlProduct(
    "Keycloak", (), ("Keycloak sends no attribute before a client scope maps one (X500 email, X500 surname ...).",)
)
LEMONLDAP: Final = SamlProduct("LemonLDAP::NG", (), _CBC)
SHIBBOLETH: Final = SamlProduct("Shibboleth")


def openid_preset(metadata: ProviderMetadata) -> PresetName | None:
    """The preset for a provider's issuer or endpoints; None: not recognised."""
    names: tuple[PresetName, ...] = get_args(PresetName)
    for name in names:
        found = preset(name)
        if found is not None and _NOT_FIRST not in name and _issuer_of(found.under({})) == metadata.issuer:
            return name
    if _ENTRA.fullmatch(metadata.issuer):
        return "entra"
    if _has_endpoints(metadata, "/protocol/openid-connect/auth", "/protocol/openid-connect/token"):
        return "keycloak" if _REALM.search(metadata.issuer) else None
    if _has_endpoints(metadata, "/oauth2/authorize/", "/oauth2/token/") and metadata.issuer.endswith("/adfs"):
        return "adfs"
    if _has_endpoints(metadata, "/oauth2/authorize", "/oauth2/token"):
        return "lemonldap" if metadata.jwks_uri == metadata.issuer.removesuffix("/") + "/oauth2/jwks" else None
    return None


def saml_product(metadata: IdpMetadata) -> SamlProduct | None:
    """The product, by the entityID or the address of the sign-in page; None: not recognised."""
    entity, sign_on = metadata.entity_id, urlsplit(metadata.sign_on[0].location).path
    if entity.endswith("/adfs/services/trust") or sign_on.startswith("/adfs/ls"):
        return ADFS
    if _ENTRA_SAML.fullmatch(entity):
        return ENTRA
    if entity.startswith("https://accounts.google.com/o/saml2"):
        return GOOGLE
    if _REALM.search(sign_on) and sign_on.endswith("/protocol/saml"):
        return KEYCLOAK
    if sign_on.endswith("/saml/singleSignOn"):
        return LEMONLDAP
    if "/profile/SAML2/" in sign_on:
        return SHIBBOLETH
    return None


def _issuer_of(data: dict[str, object]) -> object:
    oidc = data.get("oidc")
    return oidc.get("issuer") if isinstance(oidc, dict) else None


def _has_endpoints(metadata: ProviderMetadata, *paths: str) -> bool:
    """Whether the authorization endpoint and the token endpoint have these paths below the issuer."""
    base = metadata.issuer.removesuffix("/")
    return (metadata.authorization_endpoint, metadata.token_endpoint) == tuple(base + path for path in paths)
