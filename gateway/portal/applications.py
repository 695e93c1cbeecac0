"""The applications that a person can open: policy admits the person to the home page."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gateway.access.decision import AppIdentity, Question
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import policy_codes, session_codes
from gateway.model.decision import Allow, Challenge, Deny
from gateway.model.levels import NO_NEED, Need
from gateway.model.session import Seat
from gateway.model.theme import ShownText, said_in
from gateway.portal.let_in import SLICE
from gateway.wire.target import canonical_target


@dataclass(frozen=True, slots=True)
class ListedApplication:
    """`folded`: the label, folded for comparing and sorting."""

    app: App
    label: ShownText
    folded: str
    url: str


class ApplicationList:
    """All applications by label, made once for each language of a snapshot."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._listed: dict[str, list[ListedApplication]] = {}

    async def open_to(
        self, snapshot: Snapshot, seat: Seat, language: str, search: str, now: float
    ) -> AsyncIterator[tuple[ListedApplication, Need]]:
        """Returns the applications by label, if they match every word of `search`, each with the result of
        `need_at`. `now`: Unix seconds."""
        words = fold_label(search).split()
        for at, listed in enumerate(await self._all(snapshot, language)):
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            if not all(word in listed.folded for word in words):
                continue
            need = need_at(listed.app, seat, now)
            if need is not None:
                yield listed, need

    async def _all(self, snapshot: Snapshot, language: str) -> list[ListedApplication]:
        if self._snapshot is not snapshot:
            self._snapshot, self._listed = snapshot, {}
        # After a reload in the meantime, a new list is begun, and the present list is useless.
        kept = self._listed
        found = kept.get(language)
        if found is None:
            found = []
            for at, app in enumerate(snapshot.apps.values()):
                if at % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
                host = next((host for host in app.hosts if not host.startswith("*.")), "")
                if host:
                    label = said_in(app.labels, language)
                    found.append(ListedApplication(app, label, fold_label(label.text), app.origin(host) + app.home))
            found.sort(key=lambda listed: listed.folded)
            kept[language] = found
        return found


def need_at(app: App, seat: Seat, now: float) -> Need | None:
    """Returns the sign-in that policy needs before it admits the person to the application's home page. None: no
    sign-in is enough. Empty: the present sign-in is enough, or policy cannot tell before a request. `now`: Unix
    seconds."""
    if not app.accepts(seat.identity):
        return None
    # Reads the address like a request. The check at loading found that it has a single reading.
    home = app.routes.find(canonical_target(app.home.encode("ascii"), app.leniency).segments)
    question = Question(AppIdentity(app, seat.identity, 0.0, now), home, "GET", app.tenant_of(seat, now))
    match question.decision():
        case Allow():
            return NO_NEED
        case Challenge(reason=reason, need=need):
            return need if reason is session_codes.TOO_WEAK else None
        case Deny(reason=reason):
            return NO_NEED if question.turns_on_request and reason is policy_codes.UNKNOWN else None


def fold_label(text: str) -> str:
    """Without accents and case, as people type."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))
