"""The tokens for applications: sections of `translate` in policies/apps/*.yaml, and the keys of gateway.yaml."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.fence import ByAttributes, ByCookies, ByHeaders, ByHosts, BySecrets, Own
from gateway.config.schema.types import (
    AttributeName,
    Maybe,
    PublicReference,
    Secret,
    Strict,
    Text,
    WholeSeconds,
    Word,
    wrong,
)
from gateway.tokens.spec import LONGEST_LIFE, RESERVED_CLAIMS

SHORTEST_LIFE: Final = 30
_DAY: Final = 86400
_SHORTEST_ROTATION: Final = _DAY
USUAL_ROTATION: Final = 90 * _DAY


def life_of_token(seconds: int) -> int:
    """Raises what pydantic tells as a problem of the key."""
    if not SHORTEST_LIFE <= seconds <= LONGEST_LIFE:
        raise wrong("a token lives from 30s to 1h", "write life: 5m")
    return seconds


def _claim_name(name: str) -> str:
    if name in RESERVED_CLAIMS:
        raise wrong(f"{name} is the gateway's to write", "choose another name for this claim")
    return name


class ClaimSection(Strict):
    source: ByAttributes[Maybe[AttributeName]] = Field(default=None, alias="from")
    """An attribute of the person, or subject, provider, issuer. The claim is omitted if the person has no value."""
    value: Maybe[Text] = None
    """A fixed text. Not a secret: every reader of the token sees it."""
    list: bool = False
    """Always sends a list, even for one value. By default several values are refused."""

    @model_validator(mode="after")
    def _one_source(self) -> "ClaimSection":
        if (self.source is None) == (self.value is None):
            raise wrong("this comes from one place", "write {from: attribute} or {value: text}")
        return self


class TokenSection(Strict):
    """The keys of every kind of token."""

    header: ByHeaders[Maybe[Word]] = None
    """The header that carries the token; in `Authorization` after `Bearer`."""
    cookie: ByCookies[Maybe[Word]] = None
    """The cookie that carries the token."""
    audience: ByHosts[Maybe[Word]] = None
    """The `aud` of the token, by which the application recognises tokens for itself. Default: the application's name.
    In a team's file: the application's name, or an address of one of the application's hosts."""
    life: Annotated[WholeSeconds, AfterValidator(life_of_token)] = 300
    """The time from `iat` to `exp`. A new token is made after half of this time."""
    claims: dict[Annotated[Word, AfterValidator(_claim_name)], ClaimSection] = Field(default={}, max_length=100)
    """Claims beside `iss`, `aud`, `iat`, `exp`, `jti` and `sub`. `sub` is the provider's identifier of the person,
    unless it is set here."""

    @model_validator(mode="after")
    def _one_carrier(self) -> "TokenSection":
        if (self.header is None) == (self.cookie is None):
            raise wrong("a token stands in one place", "write header: NAME or cookie: NAME")
        return self


class JwtSection(TokenSection):
    """A signed JSON Web Token (RFC 7519), which the application verifies by the keys at `/_ecluse/app/jwks`."""

    algorithm: Literal["ES256", "EdDSA", "RS256"] = "ES256"
    """`tokens.keys` of gateway.yaml must contain a key for this algorithm."""


class SealedSection(TokenSection):
    """A token under a key that the application has too. Readers in PHP, Java and Python are in `deploy/readers`."""

    algorithm: Literal["A256GCM", "HS256"] = "A256GCM"
    """`A256GCM` encrypts the token (JWE, RFC 7516), so that only the application reads it. `HS256` only signs it (JWS,
    RFC 7515)."""
    key: BySecrets[PublicReference]
    """The key: 32 bytes in base64 (`openssl rand -base64 32`), as `{file: path}`, `{env: NAME}` or `{credential:
    name}`. A team's file may use only `{file: ...}`, below its `secrets`."""


class BasicAccountSection(Strict):
    source: ByAttributes[Maybe[AttributeName]] = Field(default=None, alias="from")
    """An attribute of the person, or subject, provider, issuer: the person's account at the application. A person
    without a value, or with a colon in the value, is refused."""
    value: Maybe[Text] = None
    """One account for all people."""

    @model_validator(mode="after")
    def _one_source(self) -> "BasicAccountSection":
        if (self.source is None) == (self.value is None):
            raise wrong("this comes from one place", "write {from: attribute} or {value: text}")
        return self


class BasicSection(Strict):
    """HTTP Basic (RFC 7617), in `Authorization`. The secret lets its holder act as any person, so only the gateway may
    reach the application. A person's password is never sent."""

    account: BasicAccountSection
    password: BySecrets[Maybe[PublicReference]] = None
    """The secret, on one line: `{file: path}`, `{env: NAME}` or `{credential: name}`. A team's file may use only
    `{file: ...}`, below its `secrets`."""
    password_from: ByAttributes[Maybe[AttributeName]] = None
    """The attribute that holds each person's own secret for this application. A directory gives it with `secret:
    true`."""
    encoding: Own[Literal["utf8", "latin1"]] = "utf8"
    """The charset of account and password."""

    @model_validator(mode="after")
    def _one_password(self) -> "BasicSection":
        if [self.password, self.password_from].count(None) != 1:
            raise wrong("the secret comes from one place", "write password: {file: path} or password_from: NAME")
        if self.password_from is not None and self.account.source is None:
            raise wrong("one account has one secret", "write password: {file: path}, or account: {from: attribute}")
        return self


def _rotation(seconds: int) -> int:
    if seconds < _SHORTEST_ROTATION:
        raise wrong("a key is kept for a day at least", "write rotate: 90d")
    return seconds


class TokenKeySection(Strict):
    algorithm: Literal["ES256", "EdDSA", "RS256"] = "ES256"
    key: Secret
    """PEM: a private key without a passphrase, EC on P-256, Ed25519, or RSA of at least 2048 bits."""


class TokensSection(Strict):
    """The keys that sign tokens for applications. Applications verify tokens with the public keys."""

    keys: list[TokenKeySection] = Field(default=[], min_length=1, max_length=16)
    """All keys are published at `/_ecluse/app/jwks`. The first key of each algorithm signs. List a new key second, move
    it to the first place once the applications have fetched it, and delete the old key when its last token has expired.
    Without keys here, the gateway makes its own, keeps them in the state folder and rotates them; this works on one
    machine only."""
    rotate: Annotated[WholeSeconds, AfterValidator(_rotation)] = USUAL_ROTATION
    """The age at which the gateway replaces a key that it made; at least a day."""

    @model_validator(mode="after")
    def _made_or_given(self) -> "TokensSection":
        if self.keys and "rotate" in self.model_fields_set:
            raise wrong("keys that are given here are changed here", "leave rotate out, or keys")
        return self
