"""What the log and the counters learn of refusals and sign-ins: codes and configured names, never a secret or value."""

from collections.abc import Callable
from traceback import extract_tb

from gateway.model.codes import LOGIN_PROVIDER_UNREACHABLE
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.portal.http.request import PortalRequest
from gateway.saml.parties import OpinionVerdict, OtherImplementation

_EVENTS = {
    "login": "login.refused",
    "oidc": "login.refused",
    "saml": "login.refused",
    "handover": "handover.refused",
    "logout": "logout.refused",
    "directory": "login.refused",
}


class Report:
    """`person`: the name that the log has for somebody."""

    def __init__(self, *, counters: Counters, log: Log, person: Callable[[Identity], str]) -> None:
        self._counters = counters
        self._log = log
        self._person = person

    def refused(self, request: PortalRequest, error: GatewayError) -> None:
        code = error.code.id
        event = _EVENTS.get(code.partition(".")[0], "request.refused")
        if event == "login.refused":
            self._counters.add("ecluse_auth_logins_total", request.provider, "refused", code)
        if error.code is LOGIN_PROVIDER_UNREACHABLE:
            self._counters.add("ecluse_provider_errors_total", request.provider, code)
            event = "provider.unreachable"
        self._event(event, request, code=code, detail=error.detail)

    def fault(self, request: PortalRequest, detail: str) -> None:
        self._event("gateway.fault", request, code="gateway.fault", detail=detail)

    def transaction_begun(self, app: str) -> None:
        self._counters.add("ecluse_auth_transactions_total", app)

    def login_started(self, request: PortalRequest) -> None:
        self._event("login.started", request)

    def account_linked(self, request: PortalRequest, identity: Identity) -> None:
        self._event("account.linked", request, identity)

    def account_unlinked(self, request: PortalRequest, identity: Identity) -> None:
        self._event("account.unlinked", request, identity)

    def account_asked(self, request: PortalRequest, identity: Identity, reference: str) -> None:
        self._counters.add("ecluse_account_requests_total", request.app_name, "sent")
        self._event("account.asked", request, identity, account_request=reference)

    def account_not_asked(self, request: PortalRequest, error: GatewayError) -> None:
        self._counters.add("ecluse_account_requests_total", request.app_name, "refused")
        self.refused(request, error)

    def signed_in(self, request: PortalRequest, identity: Identity) -> None:
        self._event("login.succeeded", request, identity)
        self._counters.add("ecluse_auth_logins_total", request.provider, "success", "")

    def second_opinion(
        self, request: PortalRequest, by: OtherImplementation, verdict: OpinionVerdict, *, ours: str, theirs: str
    ) -> None:
        """On a Response that was accepted. `ours`: on what grounds; `theirs`: its reason, where it does not agree."""
        self._counters.add("ecluse_saml_second_opinion_total", by, verdict)
        if verdict != "agree":
            self._event("saml.second_opinion", request, by=by, verdict=verdict, ours=ours, theirs=theirs)

    def post_kept(self, request: PortalRequest, size: int) -> None:
        self._post("kept", request, size)

    def post_sent(self, request: PortalRequest, size: int) -> None:
        self._post("sent", request, size)

    def post_returned(self, request: PortalRequest, size: int) -> None:
        self._post("returned", request, size)

    def _post(self, result: str, request: PortalRequest, size: int) -> None:
        self._counters.add("ecluse_posts_total", request.app_name, result)
        self._event(f"post.{result}", request, size=size)

    def signed_out(self, request: PortalRequest, sessions: int, identity: Identity | None) -> None:
        """`identity`: None where nobody was signed in."""
        self._counters.add("ecluse_auth_logouts_total")
        self._event("logout", request, identity, sessions=sessions)

    def sessions_limited(self, request: PortalRequest, sessions: int, identity: Identity) -> None:
        self._counters.count(sessions, "ecluse_auth_sessions_limited_total")
        self._event("session.limited", request, identity, sessions=sessions)

    def others_ended(self, request: PortalRequest, sessions: int, identity: Identity) -> None:
        """`identity`: who is signed in from here on."""
        self._event("session.others_ended", request, identity, sessions=sessions)

    def ended_by_provider(self, request: PortalRequest, sessions: int) -> None:
        self._counters.add("ecluse_auth_provider_logouts_total", request.provider)
        self._event("logout.provider", request, sessions=sessions)

    def scim_told(self, request: PortalRequest, client: str, what: str) -> None:
        """`what`: read, or what was told of a person."""
        self._counters.add("ecluse_scim_requests_total", what)
        if what != "read":
            self._event("scim.told", request, client_name=client, what=what)

    def scim_refused(self, request: PortalRequest, error: GatewayError) -> None:
        self._counters.add("ecluse_scim_requests_total", "refused")
        self._event("scim.refused", request, code=error.code.id, detail=error.detail)

    def application_not_told(self, request: PortalRequest, error: GatewayError) -> None:
        self._event("logout.application", request, code=error.code.id, detail=error.detail)

    def logout_refused(self, request: PortalRequest, error: GatewayError) -> None:
        """A logout message of a provider that was refused, or that never came."""
        self._event("logout.refused", request, code=error.code.id, detail=error.detail)

    def refreshed(self, provider: str) -> None:
        self._counters.add("ecluse_auth_refreshes_total", provider, "success", "")

    def refresh_ended(self, identity: Identity, error: GatewayError) -> None:
        provider, code = identity.provider, error.code.id
        self._counters.add("ecluse_auth_refreshes_total", provider, "ended", code)
        person = self._person(identity)
        self._log.event("refresh.ended", provider=provider, code=code, detail=error.detail, person=person)

    def refresh_failed(self, provider: str, error: GatewayError) -> None:
        self._counters.add("ecluse_auth_refreshes_total", provider, "failed", error.code.id)
        self._log.event("refresh.failed", provider=provider, code=error.code.id, detail=error.detail)

    def _event(self, event: str, request: PortalRequest, identity: Identity | None = None, **facts: object) -> None:
        if identity is not None:
            facts["person"] = self._person(identity)
        self._log.event(
            event,
            **facts,
            provider=request.provider,
            app=request.app_name,
            host=request.host,
            client=request.client,
            method=request.inbound.method,
            request_id=request.request_id,
        )


def where(fault: Exception) -> str:
    """The type of a fault and its place. Not its text: that can quote what was being handled."""
    frames = extract_tb(fault.__traceback__)[-3:]
    return " < ".join([type(fault).__name__, *(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))])
