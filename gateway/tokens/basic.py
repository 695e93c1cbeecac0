"""HTTP Basic towards an application (RFC 7617): with one account or an account per person, and one secret or a secret
per person, which is never the person's sign-in password.
"""

import base64

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.tokens.claims import account, secret_of
from gateway.tokens.spec import BasicSpec

HEADER = "Authorization"


def basic_line(spec: BasicSpec, identity: Identity) -> bytes:
    """The header line, beginning with CRLF.

    Raises GatewayError(translation_codes.UNENCODABLE), without the value: no account or several, a colon in the
    account, trailing white space, a letter outside the charset, or no secret.
    """
    user = _user(spec, identity)
    password = spec.password if spec.secret is None else secret_of(spec.secret, identity, HEADER)
    try:
        pair = f"{user}:{password}".encode(spec.charset)
    except UnicodeEncodeError as error:
        at = error.start - len(user) - 1
        where = f"U+{ord(user[error.start]):04X}" if at < 0 else "a letter of the secret"
        raise _refused(f"{where} is not in {spec.charset}") from None
    return b"\r\n%b: Basic %b" % (HEADER.encode("ascii"), base64.b64encode(pair))


def fixed_line(spec: BasicSpec) -> bytes:
    """The header line of an account shared by everybody; b"" for other accounts."""
    return b"" if spec.account.attribute is not None else basic_line(spec, _NOBODY)


def described_basic(spec: BasicSpec, identity: Identity) -> dict[str, str]:
    """By header, without the secret. Raises GatewayError(translation_codes.UNENCODABLE)."""
    basic_line(spec, identity)
    return {HEADER: f"(Basic, as {_user(spec, identity)}, with a secret)"}


def _user(spec: BasicSpec, identity: Identity) -> str:
    # RFC 7617 2: what stands behind a colon would be read as the password.
    return account(spec.account, identity, HEADER, forbidden=":")


def _refused(why: str) -> GatewayError:
    return GatewayError(translation_codes.UNENCODABLE, f"{HEADER}: {why}")


_NOBODY = Identity(provider="", issuer="", subject="", attributes={})
