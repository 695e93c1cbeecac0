"""A secret is opened for the live seat of its person at its application, and for nobody else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.accounts.credentials import LinkedAccounts
from gateway.accounts.file import LinkFile
from gateway.config.snapshot import App
from gateway.model.codes import account_codes, session_codes
from gateway.model.credential import Credential, NoCredential
from gateway.model.errors import GatewayError
from tests.access.test_account import app_of
from tests.accounts.samples import holder, link, link_file
from tests.accounts.test_book import Bench
from tests.proxy.stand_ins import identity, seat

ISSUER, SUBJECT = "http://127.0.0.1:9400", "subject-1"
HELENE = holder("uid=helene", issuer=ISSUER)


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.close()


def linked(bench: Bench, **more: object) -> tuple[App, LinkFile]:
    file = link_file(bench.folder)
    file.add([link(who=HELENE, **{"secret": "mot de passé", **more})])
    return app_of(), file


async def asked(bench: Bench, app: App, **changed: str) -> Credential | NoCredential:
    told = {"application": "permis", "issuer": ISSUER, "subject": SUBJECT, **changed}
    return await LinkedAccounts(app, bench.book).find(**told, seat=bench.seat)


async def test_a_persons_own_credential(bench: Bench) -> None:
    app, _ = linked(bench)
    found = await asked(bench, app)
    assert found == Credential("h.durand", "mot de passé")
    assert "passé" not in repr(found)


@pytest.mark.parametrize(
    "changed", [{"application": "paie"}, {"issuer": "https://other.example"}, {"subject": "subject-2"}]
)
async def test_what_is_asked_for_is_what_the_seat_is_of(bench: Bench, changed: dict[str, str]) -> None:
    app, _ = linked(bench)
    found = await asked(bench, app, **changed)
    assert isinstance(found, NoCredential)
    assert found.reason is session_codes.REQUIRED


async def test_a_seat_that_has_ended_opens_nothing_nor_one_that_ends_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = linked(bench)
    secret = LinkFile.secret

    def late(file: LinkFile, found: object) -> object:
        bench.seat.live = False
        return secret(file, found)  # type: ignore[arg-type]

    monkeypatch.setattr(LinkFile, "secret", late)
    for detail in ("the seat has ended meanwhile", "this seat is not the live one of that person at that application"):
        assert await asked(bench, app) == NoCredential(session_codes.REQUIRED, detail)


async def test_a_person_whom_the_application_does_not_hear(bench: Bench) -> None:
    app, _ = linked(bench)
    bench.seat.identity = replace(bench.seat.identity, provider="departement")
    found = await asked(bench, app)
    assert isinstance(found, NoCredential)
    assert found.reason is session_codes.REQUIRED


async def test_without_a_link_or_a_secret_the_person_is_told_whom_to_ask(bench: Bench) -> None:
    app, file = linked(bench, secret=None)
    found = await asked(bench, app)
    assert isinstance(found, NoCredential)
    assert (found.reason, found.shown) == (account_codes.SECRET, "Écrivez à la DSI.")
    file.remove([HELENE])
    found = await asked(bench, app)
    assert isinstance(found, NoCredential)
    assert (found.reason, found.shown) == (account_codes.MISSING, "Écrivez à la DSI.")


async def test_another_persons_secret_in_this_ones_row_opens_for_nobody(bench: Bench) -> None:
    app, file = linked(bench)
    file.add([link("p.martin", holder("uid=paul", issuer=ISSUER), secret="of paul")])
    with file._file.writing() as connection:
        seals = file._file.seals
        helene, paul = seals.found_by(HELENE), seals.found_by(holder("uid=paul", issuer=ISSUER))
        connection.execute(
            "UPDATE links SET secret = (SELECT secret FROM links WHERE person = ?) WHERE person = ?", (paul, helene)
        )
    with pytest.raises(GatewayError) as error:
        await asked(bench, app)
    assert error.value.code is account_codes.RECORD
    bench.seat = seat("permis.localhost", identity(uid="paul"))
    assert await asked(bench, app) == Credential("p.martin", "of paul")
