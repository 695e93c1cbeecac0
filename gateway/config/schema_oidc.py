"""The section `oidc:` of a provider file."""

from typing import Literal

from pydantic import Field, model_validator

from gateway.config.schema_types import Issuer, Maybe, Place, Secret, Strict, Word, wrong
from gateway.model.provider import ClientAuthentication, SigningAlgorithm

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

_WITH_SECRET = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


class ClientKey(Strict):
    id: Maybe[Word] = None
    """Its `kid`; the thumbprint of the key (RFC 7638) where this is left out."""
    key: Secret
    """PEM: a private key without a passphrase, RSA of at least 2048 bits or EC on P-256."""
    algorithm: SigningAlgorithm = "RS256"


class ClientCertificate(Strict):
    certificate: Place
    """PEM: the certificate that the provider knows us by."""
    key: Secret
    """PEM: its private key, without a passphrase."""


class Oidc(Strict):
    issuer: Issuer
    """The provider's issuer, exactly as it names itself."""
    client_id: Word
    client_secret: Maybe[Secret] = None
    client_authentication: ClientAuthentication = "client_secret_basic"
    """How the gateway proves itself at the token endpoint; PKCE is always used as well."""
    client_keys: list[ClientKey] = Field(default=[], max_length=8)
    """All are published at `/_ecluse/oidc/jwks` of the portal, the first signs: a new key is listed last for a while,
    then first."""
    client_certificate: Maybe[ClientCertificate] = None
    """Shown in the TLS handshake with this provider."""
    assertion_audience: Literal["issuer", "token_endpoint"] = "issuer"
    """Whom the assertions of client_secret_jwt and private_key_jwt are written to; some providers take the token
    endpoint alone."""
    scopes: list[Word] = Field(default=["openid", "profile", "email"], min_length=1, max_length=50)
    algorithms: list[Algorithm] = Field(default=["RS256"], min_length=1)
    """The only signatures of ID tokens that are accepted."""
    userinfo: bool = True
    """Whether the userinfo endpoint is asked too."""
    ca: Maybe[Place] = None
    """PEM: the authority that signed the provider's TLS certificate, where it is not a public one."""
    private_addresses: bool = False
    """The provider may live on a private network."""

    @model_validator(mode="after")
    def _whole(self) -> "Oidc":
        self._check_secret()
        if self.client_authentication == "private_key_jwt" and not self.client_keys:
            raise wrong("private_key_jwt signs with a key", "client_keys: [{key: {file: path}}]")
        if self.client_authentication == "tls_client_auth" and self.client_certificate is None:
            raise wrong("tls_client_auth shows a certificate", "client_certificate: {certificate: ..., key: ...}")
        if "openid" not in self.scopes:
            raise wrong("scopes without openid: this is what asks for an ID token", "add openid")
        return self

    def _check_secret(self) -> None:
        method = self.client_authentication
        if method in _WITH_SECRET and self.client_secret is None:
            raise wrong("client_secret is missing", "or write client_authentication: none for a public client")
        if method not in _WITH_SECRET and self.client_secret is not None:
            raise wrong(f"a client_secret is never sent with client_authentication: {method}", "leave one of them out")
