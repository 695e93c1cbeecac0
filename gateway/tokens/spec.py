"""The tokens of an application's file, as served."""

from dataclasses import dataclass, field
from typing import Final, Literal

TokenAlgorithm = Literal["ES256", "EdDSA", "RS256"]

SharedKeyAlgorithm = Literal["A256GCM", "HS256"]

LONGEST_LIFE: Final = 3600
"""Seconds."""

RESERVED_CLAIMS: Final = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
"""RFC 7519 4.1, without `sub`: the gateway alone writes these."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`id`: its kid. `pem`: the private key. `public`: the JWK of its public half, as JSON (RFC 7517)."""

    algorithm: TokenAlgorithm
    id: str
    pem: bytes = field(repr=False)
    public: str


@dataclass(frozen=True, slots=True)
class Carrier:
    """The place of a token in a request: the header or the cookie with this name. `scheme`: written before the token in
    a header, such as Bearer; empty: none.
    """

    kind: Literal["header", "cookie"]
    name: str
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class TokenClaim:
    """`attribute`: of the person, or subject, provider, issuer; None: `text` is sent for everybody.
    `several`: a list, for any number of values.
    """

    name: str
    attribute: str | None = None
    text: str = ""
    several: bool = False


@dataclass(frozen=True, slots=True)
class JwtSpec:
    """`life`: seconds from making to `exp`. `spare`: seconds before the end in which the token is no longer sent, to
    arrive in time.
    """

    carrier: Carrier
    issuer: str
    audience: str
    algorithm: TokenAlgorithm
    life: int
    spare: int
    claims: tuple[TokenClaim, ...]


@dataclass(frozen=True, slots=True)
class SharedKeySpec:
    """As JwtSpec, under a key of 32 bytes that the application has too: sealed, or signed alone."""

    carrier: Carrier
    issuer: str
    audience: str
    algorithm: SharedKeyAlgorithm
    key: bytes = field(repr=False)
    life: int
    spare: int
    claims: tuple[TokenClaim, ...]


TicketValidation = Literal["SHA1", "HMACSHA256", "HMACSHA384", "HMACSHA512"]
TicketCompatibility = Literal["Framework20SP1", "Framework20SP2", "Framework45"]


@dataclass(frozen=True, slots=True)
class AspNetTicketSpec:
    """A ticket of ASP.NET Forms Authentication, under the application's machineKey.

    `account`: the name in the ticket.
    `user_data`: UserData; None: empty.
    `path`: CookiePath.
    `life`, `spare`: as in JwtSpec.
    """

    carrier: Carrier
    account: TokenClaim
    user_data: TokenClaim | None
    path: str
    compatibility: TicketCompatibility
    validation: TicketValidation
    validation_key: bytes = field(repr=False)
    decryption_key: bytes = field(repr=False)
    life: int
    spare: int


@dataclass(frozen=True, slots=True)
class Ltpa2Spec:
    """An LTPA2 token of WebSphere. `account`: the name behind the realm, a DN mostly. `shared_key`: 16 bytes;
    `private_key`: PEM. `life`, `spare`: as of JwtSpec."""

    carrier: Carrier
    account: TokenClaim
    realm: str
    shared_key: bytes = field(repr=False)
    private_key: bytes = field(repr=False)
    life: int
    spare: int


TokenSpec = JwtSpec | SharedKeySpec | AspNetTicketSpec | Ltpa2Spec


@dataclass(frozen=True, slots=True)
class BasicSpec:
    """HTTP Basic, which has no end and is not a token.

    `account`: shared, or per person.
    `charset`: Python's name.
    `secret`: the person's attribute with the password; None: `password` is everybody's.
    """

    account: TokenClaim
    password: str = field(repr=False)
    secret: str | None = None
    charset: Literal["utf-8", "latin-1"] = "utf-8"
