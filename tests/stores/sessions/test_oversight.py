"""What operators ask of sessions, on a store in memory: no name of a person goes in or comes out but as a hash."""

from typing import Any

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Established
from gateway.stores.memory import MemoryStore
from gateway.stores.sealing import StoreKeys
from gateway.stores.sessions.oversight import REVOKED_AT_ONCE, SessionOversight
from gateway.stores.tickets.tickets import Transactions
from tests.stores.samples import JEANNE, KEYS, NO_LIMITS, PERMIS, PORTAL, Around, Clock, Worker, browser

SIRET = "21690123100011"


class Revoker:
    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    async def revoked(self, session_ids: tuple[str, ...]) -> None:
        self.told.append(session_ids)


class Asked:
    """`old`: a session of a tenant, made an hour before `new`, which another provider's person has at PERMIS."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), Clock()
        self.worker = Worker(self.store, self.clock)
        self.revoker = Revoker()
        self.transactions = Transactions(self.store, KEYS, now=self.clock.now)
        self.oversight = SessionOversight(
            self.store,
            self.worker.sessions,
            self.revoker,
            self.transactions,
            issuer_of={"metropole": JEANNE.issuer}.get,  # type: ignore[arg-type]
            log=self.worker.log,  # type: ignore[arg-type]
            now=self.clock.now,
        )

    async def fill(self) -> "Asked":
        self.old = await self.session("metropole", SIRET, PORTAL, "")
        self.clock.pass_by(3600)
        self.new = await self.session("agglo", None, PERMIS, "permis")
        return self

    async def session(self, provider: str, tenant: str | None, host: str, app: str) -> str:
        person = Established(JEANNE.__class__(**{**_fields(JEANNE), "provider": provider}), tenant)
        made = await self.worker.sessions.new_session(
            host=host,
            person=person,
            browser=browser(provider),
            idle=43200,
            absolute=86400,
            id_token=None,
            sid=None,
            replaces=None,
            limits=NO_LIMITS,
            app=app,
        )
        await self.worker.sessions.add(made)
        return made.session.id

    async def listed(self, **where: Any) -> list[str]:
        answer = await self.oversight.answer({"what": "list", "where": where, "after": ""})
        assert answer["after"] == ""
        return sorted(session["id"] for session in answer["sessions"])


def _fields(identity: Any) -> dict[str, Any]:
    return {name: getattr(identity, name) for name in identity.__slots__}


async def test_each_part_of_the_filter_says_who_is_meant() -> None:
    asked = await Asked().fill()
    both = sorted([asked.old, asked.new])
    assert await asked.listed() == both
    for where, meant in (
        ({"provider": "metropole"}, [asked.old]),
        ({"tenant": SIRET}, [asked.old]),
        ({"app": "permis"}, [asked.new]),
        ({"older_than": 1800}, [asked.old]),
        ({"ids": [asked.new, "none"]}, [asked.new]),
        ({"issuer": JEANNE.issuer, "subject": JEANNE.subject}, both),
        ({"provider": "metropole", "subject": JEANNE.subject}, [asked.old]),
        ({"issuer": JEANNE.issuer, "subject": JEANNE.subject.upper()}, []),
        ({"issuer": JEANNE.issuer, "subject": JEANNE.subject, "app": "permis"}, [asked.new]),
        ({"provider": "metropole", "app": "permis"}, []),
    ):
        assert await asked.listed(**where) == meant, where


async def test_what_is_told_has_no_name_in_it() -> None:
    asked = await Asked().fill()
    (told,) = (await asked.oversight.answer({"what": "list", "where": {"ids": [asked.old]}, "after": ""}))["sessions"]
    assert told == {
        "id": asked.old,
        "person": StoreKeys(KEYS).log_name(JEANNE.issuer, JEANNE.subject),
        "provider": "metropole",
        "tenant": SIRET,
        "applications": [],
        "created": asked.clock.now_s - 3600,
        "expires": asked.clock.now_s - 3600 + 86400,
        "ends": asked.clock.now_s - 3600 + 43200,
    }


async def test_what_is_revoked_is_gone_before_the_answer_and_told_to_every_worker() -> None:
    asked = await Asked().fill()
    answer = await asked.oversight.answer({"what": "revoke", "ids": [asked.old], "operator": "root"})
    assert answer == {"revoked": [asked.old], "unwritten": []}
    assert asked.revoker.told == [(asked.old,)]
    assert await asked.listed() == [asked.new]
    person = StoreKeys(KEYS).log_name(JEANNE.issuer, JEANNE.subject)
    told = {"operator": "root", "person": person, "sessions": 1}
    assert asked.worker.log.events[-1] == ("logout.operator", told)


async def test_the_log_names_who_linked_an_account_and_whose_it_is() -> None:
    asked = await Asked().fill()
    by_uid = {"application": "permis", "issuer": JEANNE.issuer, "holder": "uid=jdupont", "subject": ""}
    by_subject = {**by_uid, "holder": f"subject={JEANNE.subject}", "subject": JEANNE.subject}
    for became, link in (("linked", by_uid), ("unlinked", by_subject)):
        question = {"what": "accounts", "became": became, "links": [link], "operator": "root"}
        assert await asked.oversight.answer(question) == {"noted": 1}
    (first, linked), (second, unlinked) = asked.worker.log.events[-2:]
    assert (first, second) == ("account.linked", "account.unlinked")
    assert (linked["operator"], linked["app"], "person" in linked) == ("root", "permis", False)
    assert unlinked["person"] == StoreKeys(KEYS).log_name(JEANNE.issuer, JEANNE.subject)
    assert "jdupont" not in str(asked.worker.log.events)


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"what": "list"},
        {"what": "revoke", "ids": ["a"] * (REVOKED_AT_ONCE + 1)},
        {"what": "revoke", "ids": [1]},
        {"what": "revoke", "ids": ["of-no-store-\udcff"]},
        {"what": "revoke", "ids": ["a" * 65]},
        {"what": "revoke", "ids": [""]},
        {"what": "list", "where": {"name": "jeanne"}, "after": ""},
        {"what": "list", "where": {"provider": 1}, "after": ""},
        {"what": "list", "where": {"older_than": "8h"}, "after": ""},
        {"what": "list", "where": {"provider": "gone", "subject": "x"}, "after": ""},
    ],
)
async def test_what_is_no_question_has_an_error_for_an_answer(question: dict[str, Any]) -> None:
    asked = await Asked().fill()
    assert set(await asked.oversight.answer(question)) == {"error"}
    assert len(await asked.listed()) == 2


async def test_an_end_that_the_store_cannot_take_is_told_to_every_worker_and_said() -> None:
    class Away(Around):
        async def perform(self, *_: object) -> bool:
            raise GatewayError(store_codes.UNREACHABLE, "gone")

    asked = await Asked().fill()
    asked.worker.sessions.unwritten._store = Away(asked.store)  # type: ignore[assignment]
    answer = await asked.oversight.answer({"what": "revoke", "ids": [asked.old]})
    assert answer == {"revoked": [asked.old], "unwritten": [asked.old]}
    assert asked.revoker.told == [(asked.old,)]
    assert ("revocation.unwritten", {"sessions": 1, "detail": "gone"}) in asked.worker.log.events


async def test_invariant_12_nothing_that_was_proven_before_signs_anybody_in_after_an_operators_end() -> None:
    asked = await Asked().fill()
    ends, before = asked.transactions.sign_in_ends, asked.clock.now()
    asked.clock.pass_by(1)
    await asked.oversight.answer({"what": "list", "where": {}, "after": ""})
    assert not await ends.has_ended(before, "all")
    await asked.oversight.answer({"what": "revoke", "ids": [asked.new]})
    assert await ends.has_ended(before, "all")
    assert not await ends.has_ended(before + 1, "all"), "signed in anew"


async def test_what_is_revoked_ends_in_memory_where_the_store_cannot_even_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whose the sessions were cannot be said then."""
    asked = await Asked().fill()

    async def away(*_: object, **__: object) -> None:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")

    with monkeypatch.context() as cut:
        for name in ("summaries", "perform", "perform_until"):
            cut.setattr(asked.store, name, away)
        answer = await asked.oversight.answer({"what": "revoke", "ids": [asked.old], "operator": "root"})
    assert answer == {"revoked": [asked.old], "unwritten": [asked.old]}
    assert asked.revoker.told == [(asked.old,)]
    assert asked.worker.log.events[-1] == ("logout.operator", {"operator": "root", "sessions": 1})
