"""What the log and the counters learn of refusals and sign-ins: codes and configured names, never a secret or value."""

from collections import Counter
from collections.abc import Callable, Iterable
from traceback import extract_tb
from typing import Any

from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.kept_post import KeptFile
from gateway.model.session import Session
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.portal.http.request import PortalRequest
from gateway.saml.parties import OpinionVerdict, OtherImplementation
from gateway.stores.records import SessionSummary
from gateway.stores.sealing import log_name_of

_EVENTS = {
    "login": "login.refused",
    "oidc": "login.refused",
    "saml": "login.refused",
    "handover": "handover.refused",
    "logout": "logout.refused",
    "directory": "login.refused",
}


class Report:
    """`log_name`: the name that the log has for a person, by issuer and subject."""

    def __init__(self, *, counters: Counters, log: Log, log_name: Callable[[str, str], str]) -> None:
        self._counters = counters
        self._log = log
        self._log_name = log_name

    def refused(self, request: PortalRequest, error: GatewayError) -> None:
        code = error.code.id
        event = _EVENTS.get(code.partition(".")[0], "request.refused")
        if event == "login.refused":
            self._counters.add("ecluse_auth_logins_total", request.provider, "refused", code)
        if error.code is login_codes.PROVIDER_UNREACHABLE:
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

    def signed_in(self, request: PortalRequest, session: Session) -> None:
        identity = session.identity
        level = request.snapshot.ladder.level_of(identity)
        self._event("login.succeeded", request, identity, tenant=session.tenant or "", sign_in_level=level)
        self._counters.add("ecluse_auth_logins_total", request.provider, "success", "")

    def second_opinion(
        self, request: PortalRequest, by: OtherImplementation, verdict: OpinionVerdict, *, ours: str, theirs: str
    ) -> None:
        """Logs an accepted Response. `ours`: the grounds of acceptance; `theirs`: the other implementation's
        objection."""
        self._counters.add("ecluse_saml_second_opinion_total", by, verdict)
        if verdict != "agree":
            self._event("saml.second_opinion", request, by=by, verdict=verdict, ours=ours, theirs=theirs)

    def post_kept(self, request: PortalRequest, file: KeptFile) -> None:
        self._post("kept", request, file)

    def post_sent(self, request: PortalRequest, file: KeptFile) -> None:
        self._post("sent", request, file)

    def post_returned(self, request: PortalRequest, file: KeptFile) -> None:
        self._post("returned", request, file)

    def _post(self, result: str, request: PortalRequest, file: KeptFile) -> None:
        """`file.person`: the person's index of the ended session."""
        self._counters.add("ecluse_posts_total", request.app_name, result)
        self._event(f"post.{result}", request, size=file.size, person=log_name_of(file.person))

    def signed_out(self, request: PortalRequest, sessions: int, identity: Identity | None) -> None:
        """`identity`: None without a session."""
        self._counters.add("ecluse_auth_logouts_total")
        self._event("logout", request, identity, sessions=sessions)

    def sessions_limited(self, request: PortalRequest, sessions: int, identity: Identity) -> None:
        self._counters.count(sessions, "ecluse_auth_sessions_limited_total")
        self._event("session.limited", request, identity, sessions=sessions)

    def others_ended(self, request: PortalRequest, ended: Iterable[SessionSummary], identity: Identity) -> None:
        """Logs a line for each person whose sessions ended. `identity`: the person who signed in."""
        for person, sessions in by_person(ended).items():
            by = self._person(identity)
            self._event("session.others_ended", request, person=person, sessions=sessions, by=by)

    def ended_by_provider(
        self, request: PortalRequest, ended: Iterable[SessionSummary], people: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Logs a line for each person whose sessions ended. `people`: (issuer, subject) of the named people, with or
        without sessions. Without a known person, one line without a pseudonym."""
        self._counters.add("ecluse_auth_provider_logouts_total", request.provider)
        found = dict.fromkeys([self._log_name(*person) for person in people], 0) | by_person(ended)
        for person, sessions in found.items():
            self._event("logout.provider", request, person=person, sessions=sessions)
        if not found:
            self._event("logout.provider", request, sessions=0)

    def scim_read(self) -> None:
        self._counters.add("ecluse_scim_requests_total", "read")

    def scim_told(
        self, request: PortalRequest, client: str, what: str, user: str, people: Iterable[tuple[str, str]]
    ) -> None:
        """Logs a directory's change of a user, by the directory's id of the user. Writes a line for each person (issuer
        and subject) who has signed in under the user's name; without such a person, a line without a pseudonym."""
        self._counters.add("ecluse_scim_requests_total", what)
        names: list[str | None] = [self._log_name(*person) for person in people]
        for name in names or [None]:
            facts: dict[str, Any] = {} if name is None else {"person": name}
            self._event("scim.told", request, client_name=client, what=what, user=user, **facts)

    def scim_refused(self, request: PortalRequest, error: GatewayError) -> None:
        self._counters.add("ecluse_scim_requests_total", "refused")
        self._event("scim.refused", request, code=error.code.id, detail=error.detail)

    def application_not_told(self, request: PortalRequest, error: GatewayError) -> None:
        self._event("logout.application", request, code=error.code.id, detail=error.detail)

    def logout_refused(self, request: PortalRequest, error: GatewayError) -> None:
        """Logs a provider's logout message that was refused or never came."""
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

    def _person(self, identity: Identity) -> str:
        return self._log_name(identity.issuer, identity.subject)

    def _event(self, event: str, request: PortalRequest, identity: Identity | None = None, **facts: object) -> None:
        provider = request.provider
        if identity is not None:
            facts["person"] = self._person(identity)
            provider = provider or identity.provider
        self._log.event(
            event,
            **facts,
            provider=provider,
            app=request.app_name,
            host=request.host,
            client=request.client,
            method=request.inbound.method,
            request_id=request.request_id,
        )


def by_person(sessions: Iterable[SessionSummary]) -> dict[str, int]:
    """Counts the sessions of each person, by the person's pseudonym in the log."""
    return dict(Counter(log_name_of(one.person) for one in sessions))


def where(fault: Exception) -> str:
    """Returns the type and the place of a fault, without its text, which can quote secrets."""
    frames = extract_tb(fault.__traceback__)[-3:]
    return " < ".join([type(fault).__name__, *(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))])
