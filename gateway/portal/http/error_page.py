"""The link and the picture of an error page, by its code."""

from collections.abc import Collection
from typing import Literal

from gateway.model.account import LINKED_ANEW
from gateway.model.codes import account_codes, login_codes, policy_codes, route_codes, saml_codes
from gateway.model.codes.code import Code
from gateway.portal.http.request import PortalRequest
from gateway.wire.cookies import presented_seat

_REFUSING = frozenset({"policy", "translation", "account"})
_SIGNING_IN = frozenset({"login", "handover", "oidc", "saml"})
# Titles of codes about providers. Several codes differ only in the log, and share a title.
_OF_PROVIDERS = frozenset(
    code.title
    for code in (
        *(
            login_codes.MAPPING,
            login_codes.PROVIDER_BUSY,
            login_codes.PROVIDER_FAULT,
            login_codes.PROVIDER_UNREACHABLE,
            login_codes.TOO_WEAK,
        ),
        *(saml_codes.METADATA_EXPIRED, saml_codes.METADATA_UNREACHABLE),
    )
)


def is_of_no_host(code: Code) -> bool:
    """Whether no application answers at the host: resources of a page would not load either."""
    return code in (route_codes.HOST_UNKNOWN, route_codes.HOST_UNREAD, route_codes.APP_CLOSED)


def is_for_another(code: Code) -> bool:
    """Whether the person might be admitted with a different account."""
    if code is policy_codes.LOGIN_FORM:
        # No person needs to send the form by hand.
        return False
    return code.id.partition(".")[0] in _REFUSING or code in (login_codes.OUTSIDE_PERIMETER, login_codes.DEACTIVATED)


def way_of(code: Code) -> Literal["sign_in", "leave", "start", "back", "link", "ask"]:
    """The action of an error page's link."""
    if code in LINKED_ANEW:
        return "link"
    if code is account_codes.ASK:
        return "ask"
    kind = code.id.partition(".")[0]
    if code.status == 401:
        return "sign_in"
    if is_for_another(code):
        return "leave"
    return "start" if kind in _SIGNING_IN else "back"


def words_of(code: Code) -> Literal["operator", "provider", "clocks"]:
    """The author of the text that comes with an error. The operator's stands in the place of our own sentence; the
    provider's, and how far two clocks are apart, stand beside it."""
    if code.id.startswith("login."):
        return "provider"
    return "clocks" if code.id.startswith("oidc.id_token.") else "operator"


def blames_provider(code: Code) -> bool:
    """Whether the person may have better luck with another sign-in service, where the application takes several."""
    return code.title in _OF_PROVIDERS and not is_for_another(code)


def may_choose(request: PortalRequest, code: Code) -> bool:
    """Whether a choice of another sign-in service stands on the page. Without a session the link to another account
    leads there: two links would lead to the same page."""
    return request.has_others and (not is_for_another(code) or presented_seat(request.cookie_line) is not None)


def is_for_nobody(code: Code, filled: Collection[str]) -> bool:
    """Whether the text about the person's account does not apply, because the person is not signed in."""
    return code.status == 403 and code.id.startswith("policy.") and is_for_another(code) and "account" not in filled


def is_of_portal(code: Code, filled: Collection[str]) -> bool:
    """Whether the missing page is a page of the portal."""
    return code is route_codes.RESERVED and "place" not in filled


def sign_of(code: Code) -> Literal["person", "lock", "clock", "note"]:
    """The picture of an error page."""
    by_status: dict[int, Literal["person", "lock", "clock"]] = {401: "person", 403: "lock"}
    return by_status.get(code.status, "clock" if code.status in (408, 502, 503, 504) else "note")
