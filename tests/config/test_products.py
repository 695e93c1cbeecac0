"""Products are recognised by their documents, and nothing else is taken for one."""

from dataclasses import replace

import pytest

from gateway.config.presets.products import (
    ADFS,
    ENTRA,
    GOOGLE,
    KEYCLOAK,
    LEMONLDAP,
    SHIBBOLETH,
    SamlProduct,
    openid_preset,
    saml_product,
)
from gateway.oidc.discovery import ProviderMetadata
from gateway.saml.parties import Endpoint
from tests.oidc.samples import METADATA
from tests.saml.parties import idp, pair


def announced(
    issuer: str, authorization: str = "/authorize", token: str = "/token", jwks: str = "/jwks"
) -> ProviderMetadata:
    base = issuer.removesuffix("/")
    return replace(
        METADATA,
        issuer=issuer,
        authorization_endpoint=base + authorization,
        token_endpoint=base + token,
        jwks_uri=base + jwks,
    )


KEYCLOAK_ENDPOINTS = ("/protocol/openid-connect/auth", "/protocol/openid-connect/token")


@pytest.mark.parametrize(
    ("metadata", "preset"),
    [
        (announced("https://auth.agentconnect.gouv.fr/api/v2"), "proconnect"),
        (announced("https://fca.integ01.dev-agentconnect.fr/api/v2"), "proconnect-integration"),
        (announced("https://oidc.franceconnect.gouv.fr/api/v2"), "franceconnect"),
        (announced("https://auth.franceconnect.gouv.fr/api/v2"), "franceconnect-plus"),
        (announced("https://accounts.google.com"), "google"),
        (announced("https://login.microsoftonline.com/0000-11/v2.0"), "entra"),
        (announced("https://sso.ville.example/realms/agents", *KEYCLOAK_ENDPOINTS), "keycloak"),
        (announced("https://sso.ville.example/auth/realms/agents", *KEYCLOAK_ENDPOINTS), "keycloak"),
        (announced("https://fs.ville.example/adfs", "/oauth2/authorize/", "/oauth2/token/", "/discovery/keys"), "adfs"),
        (announced("https://auth.ville.example/", "/oauth2/authorize", "/oauth2/token", "/oauth2/jwks"), "lemonldap"),
        (announced("https://op.ville.example"), None),
        (announced("https://op.ville.example/realms/agents"), None),
        (announced("https://login.microsoftonline.com.evil.example/0000/v2.0"), None),
        (announced("https://login.microsoftonline.com/a/b/v2.0"), None),
        (announced("https://accounts.google.com.evil.example"), None),
        (announced("https://op.ville.example", "/oauth2/authorize", "/oauth2/token"), None),
    ],
)
def test_openid(metadata: ProviderMetadata, preset: str | None) -> None:
    assert openid_preset(metadata) == preset


@pytest.mark.parametrize(
    ("entity", "sign_on", "product"),
    [
        ("http://fs.ville.example/adfs/services/trust", "https://fs.ville.example/adfs/ls/", ADFS),
        ("https://sts.windows.net/0000/", "https://login.microsoftonline.com/0000/saml2", ENTRA),
        ("https://accounts.google.com/o/saml2?idpid=C0", "https://accounts.google.com/o/saml2/idp?idpid=C0", GOOGLE),
        ("https://sso.example/realms/a", "https://sso.example/realms/a/protocol/saml", KEYCLOAK),
        ("https://auth.example/saml/metadata", "https://auth.example/saml/singleSignOn", LEMONLDAP),
        ("urn:ville", "https://idp.example/idp/profile/SAML2/Redirect/SSO", SHIBBOLETH),
        ("https://idp.example", "https://idp.example/sso", None),
    ],
)
def test_saml(entity: str, sign_on: str, product: SamlProduct | None) -> None:
    metadata = replace(idp(pair("idp")), entity_id=entity, sign_on=(Endpoint("redirect", sign_on),))
    assert saml_product(metadata) == product
