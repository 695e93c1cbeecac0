"""The operators' view of sessions: list sessions and end some of them. People appear only under the log's pseudonym.

`operator`: the operator who asks, as proven by the control socket.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from gateway.model.errors import GatewayError
from gateway.model.ports import Revoker
from gateway.ops.log import Log
from gateway.stores.records import RecordStore, SessionPage, SessionSummary
from gateway.stores.sealing import log_name_of
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import Transactions

# Of one question: what a worker does beside its requests stays small.
REVOKED_AT_ONCE = 100
# stores.sealing.new_id: base64url.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Selects sessions; every given condition has to hold.

    `subject`: needs `issuer` or `provider`.
    `older_than`: seconds since the sign-in; 0 for any age.
    """

    ids: tuple[str, ...] = ()
    issuer: str = ""
    subject: str = ""
    provider: str = ""
    tenant: str = ""
    app: str = ""
    older_than: int = 0

    def holds(self, session: SessionSummary, now: int) -> bool:
        return (
            (not self.ids or session.id in self.ids)
            and self.provider in ("", session.provider)
            and self.tenant in ("", session.tenant)
            and (not self.app or self.app in session.apps)
            and (not self.older_than or session.created_at < now - self.older_than)
        )


class SessionOversight:
    """Answers operators' questions about sessions.

    `revoker`: puts the end of sessions in force in every worker.
    `issuer_of`: the issuer of a provider's name; empty for an unknown name.
    """

    def __init__(
        self,
        store: RecordStore,
        sessions: Sessions,
        revoker: Revoker,
        transactions: Transactions,
        *,
        issuer_of: Callable[[str], str],
        log: Log,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._revoker = revoker
        self._ends = transactions.sign_in_ends
        self._issuer_of = issuer_of
        self._log = log
        self._now = now

    async def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Returns JSON values: `sessions` and `after`; or the `revoked` ids with the `unwritten` ids among them; or an
        `error` in words."""
        try:
            match question:
                case {"what": "list", "where": {**where}, "after": str(after)}:
                    return self._told(await self._page(_filter_of(where), after))
                case {"what": "revoke", "ids": [*ids]} if len(ids) <= REVOKED_AT_ONCE and _may_be_ids(ids):
                    ended = await self._revoke(ids, str(question.get("operator", "")))
                    return {"revoked": list(ended), "unwritten": list(self._sessions.unwritten.among(ended))}
                case {"what": "accounts", "became": "linked" | "unlinked" as became, "links": [*links]}:
                    return self._accounts(became, links, str(question.get("operator", "")))
        except GatewayError as error:
            return {"error": f"{error.code.id}: {error.detail}"}
        except (TypeError, ValueError) as error:
            return {"error": str(error)}
        return {"error": "not a question about sessions"}

    async def _page(self, where: SessionFilter, after: str) -> SessionPage:
        now = self._now()
        if where.subject:
            issuer = where.issuer or self._issuer_of(where.provider)
            if not issuer:
                raise ValueError(f"whose subject that is: no provider has the name `{where.provider}`")
            found = await self._store.summaries(await self._sessions.ids_of_subject(issuer, where.subject), now)
            page = SessionPage(found, "")
        elif where.ids:
            page = SessionPage(await self._store.summaries(where.ids, now), "")
        else:
            page = await self._store.list_sessions(after, now)
        return page._replace(sessions=tuple(session for session in page.sessions if where.holds(session, now)))

    async def _revoke(self, ids: Sequence[str], operator: str) -> tuple[str, ...]:
        """Ends the sessions. Writes a log line for each person whose session ended, as far as the store can name
        people."""
        known: tuple[SessionSummary, ...] | None = None
        # Invariant 12: they end in memory where the store cannot even be read.
        with suppress(GatewayError):
            known = await self._store.summaries(ids, self._now())
        # Invariant 12, whoever they are: people whose sign-in was proven and waits (portal.flow.proven) sign in again.
        await self._ends.mark("an operator", "all")
        ended = await self._sessions.end(ids)
        await self._revoker.revoked(ended)
        people = Counter(log_name_of(one.person) for one in known or ())
        for person, number in people.items():
            self._log.event("logout.operator", operator=operator, person=person, sessions=number)
        if not people:
            self._log.event("logout.operator", operator=operator, sessions=0 if known is not None else len(ended))
        return ended

    def _accounts(self, became: str, links: Sequence[Any], operator: str) -> dict[str, Any]:
        """An operator's change of account links, as the command reports it. `holder`: the person's key in the
        application's file; `subject`: empty if the key is not the subject."""
        for link in links[:REVOKED_AT_ONCE]:
            app, issuer, holder, subject = (
                str(link.get(name, "")) for name in ("application", "issuer", "holder", "subject")
            )
            whose = {"holder": self._sessions.log_name(issuer, holder)}
            whose |= {"person": self._sessions.log_name(issuer, subject)} if subject else {}
            self._log.event(f"account.{became}", operator=operator, app=app, **whose)
        return {"noted": len(links)}

    def _told(self, page: SessionPage) -> dict[str, Any]:
        return {"sessions": [_as_json(session) for session in page.sessions], "after": page.after}


def _filter_of(where: Mapping[Any, Any]) -> SessionFilter:
    """Raises TypeError for an unknown key, ValueError for a wrong value."""
    ids = tuple(where.get("ids", ()))
    texts = [value for key, value in where.items() if key not in ("ids", "older_than")]
    if not _are_texts([*ids, *texts]) or not isinstance(where.get("older_than", 0), int):
        raise ValueError("a value of `where` is not of its kind")
    return SessionFilter(**{**where, "ids": ids})


def _are_texts(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _may_be_ids(values: Sequence[object]) -> bool:
    """Whether the values have the form of session ids. The end of an impossible id would be tried for ever and would
    block later ends."""
    return all(isinstance(value, str) and _ID.fullmatch(value) for value in values)


def _as_json(session: SessionSummary) -> dict[str, Any]:
    return {
        "id": session.id,
        "person": log_name_of(session.person),
        "provider": session.provider,
        "tenant": session.tenant,
        "applications": list(session.apps),
        "created": session.created_at,
        "expires": session.expires_at,
        "ends": session.ends_at,
    }
