"""A request with an access token, where the application takes tokens: only the token identifies the caller."""

from dataclasses import dataclass, field
from typing import Final, final

from gateway.access.outcome import Refuse
from gateway.access.request_line import RequestLine
from gateway.config.api import Api, ValuesOf
from gateway.model.codes import api_codes, login_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat

_TOLD: Final = (api_codes.SCOPE, api_codes.BOUND)


@final
@dataclass(frozen=True, slots=True)
class ProgramToken:
    """`owner`: the provider that is asked about an opaque token; empty: none (invariant 7)."""

    token: bytes = field(repr=False)
    owner: str


def bearer(authorization: bytes) -> bytes | None:
    """RFC 6750 2.1: the scheme in any case (RFC 9110 11.1). The rest is returned unchanged, even if malformed: the
    gateway refuses it, so the application, which may be more lenient, never reads it."""
    scheme = authorization.split(None, 1)[:1]
    return authorization[len(scheme[0]) :].strip(b" ") if scheme and scheme[0].lower() == b"bearer" else None


def token_of(api: Api, line: RequestLine, authorization: bytes, values_of: ValuesOf) -> ProgramToken | None:
    """The program's token; None: no program sent the request. `values_of`: the values of a header in the request, by
    its name in lower case."""
    token, opaque = bearer(authorization), line.opaque_tokens
    if token is None or opaque is None:
        return None
    # A JWT names its issuer. A token of another form belongs to one provider at most.
    return ProgramToken(token, "" if token.count(b".") == 2 else api.introspected_by(token, opaque, values_of))


def is_program(seat: Seat) -> bool:
    """A program, identified by its token: a signed-in person has a cookie."""
    return not seat.cookie


def not_accepted(error: GatewayError) -> Refuse:
    """RFC 6750 3.1: what was wrong with a token in detail is for the log alone."""
    if error.code is login_codes.PROVIDER_UNREACHABLE:
        return Refuse(error.code, error.detail)
    reason = bearer_error(b"insufficient_scope" if error.code is api_codes.SCOPE else b"invalid_token")
    return Refuse(error.code, error.detail, error.code if error.code in _TOLD else api_codes.TOKEN, bearer=reason)


def bearer_error(error: bytes) -> bytes:
    return b'error="%b"' % error
