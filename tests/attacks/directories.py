"""DI: people whom a directory knows, and people who would like to be taken for them."""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from deploy.demo.ports import free
from gateway.directories.http_reader import HttpReader
from gateway.directories.ldap_filter import person_filter
from gateway.directories.source import DirectoryAway
from gateway.identity.directories import joined_key
from gateway.model.directory import GivenAttribute, HttpSource
from tests.attacks import lying_ldap
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.office_table import SIREN, make
from tests.attacks.world import World
from tests.config.samples import BASE, problems
from tests.directories import http_server

APP = "offices"


@contextmanager
def saying(world: World, *statements: str) -> Iterator[None]:
    """The directory with other words in it."""
    path = world.folder / "offices.db"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(";".join(statements))
        file.commit()
    try:
        yield
    finally:
        make(path)


def seen(target: str, status: int, *, uid: str = "", login: str = "alice", provider: str = "alpha") -> Run:
    """What somebody gets of whom the provider says `uid`."""

    async def run(world: World) -> None:
        issuer, person = world.alpha if provider == "alpha" else world.beta, world.guest()
        changes = {"preferred_username": uid} if uid else {}
        with issuer.misbehaving(claims=lambda told: told | changes):
            _, page = await world.sign_in(login, world.url(APP, "/"), person=person, provider=provider)
            expect(page.status == 200, f"the control: signed in: {page.status} {page.url}")
            page = await person.step("GET", world.url(APP, target))
        expect(page.status == status, f"{uid or login} at {target}: {page.status}, not {status}")
        await person.close()

    return run


_KEYS = (
    "%", "a%", "_lice", "alic_", "%' OR '1'='1", "' OR uid LIKE '%", "x' UNION SELECT 'x', 'chief' --", "alice' --",
    "\uff41lice", "ALI\u0130CE", "?1", ":uid", "alice;", "*", "alice)(uid=*", "[a]lice",
)  # fmt: skip


def lying(statements: tuple[str, ...], target: str) -> Run:
    async def run(world: World) -> None:
        with saying(world, *statements):
            await seen(target, 403)(world)
        await seen(target, 200)(world)

    return run


_VIEW = "DROP TABLE offices; CREATE VIEW offices AS SELECT "
_LIES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("two rows of one person", ("INSERT INTO offices VALUES ('alice', 'chief')",), "/chief/x"),
    ("a row of somebody else", (_VIEW + "'bob' AS uid, 'chief' AS office WHERE 'alice' LIKE '%'",), "/chief/x"),
    ("a value with an end of line", ("UPDATE offices SET office = 'chief' || char(10) || 'x'",), "/chief/x"),
    ("a value that is no text", ("UPDATE offices SET office = x'6368696566'",), "/chief/x"),
    ("no UTF-8", ("UPDATE offices SET office = CAST(x'6368ff' AS TEXT)",), "/chief/x"),
    ("a mandate without a last day", ("UPDATE terms SET fin = NULL",), "/mairie/x"),
    ("a last day that is none", ("UPDATE terms SET fin = '2099-02-30'",), "/mairie/x"),
    ("a last day with a time", ("UPDATE terms SET fin = '2099-01-01T00:00:00'",), "/mairie/x"),
    ("an organisation that is none", ("UPDATE terms SET siren = '123456789'",), "/mairie/x"),
    ("one mistaken mandate among good ones", (
        f"INSERT INTO terms VALUES ('alice', 'maire', '{SIREN}', '2020-01-01', 'never')",), "/mairie/x"),
)  # fmt: skip


def stopping(*statements: str) -> Run:
    """People of whom it cannot say anything are refused; who is in stays, and other applications are as they were."""

    async def run(world: World) -> None:
        with saying(world, *statements):
            person, page = await world.sign_in("alice", world.url(APP, "/"))
            expect(page.status == 503, f"signed in without a word of it: {page.status}")
            other, page = await world.sign_in("alice", world.url("both", "/x"))
            expect(page.status == 200, f"another application waits for it: {page.status}")
            await asyncio.gather(person.close(), other.close())
        # It is left alone for five seconds.
        async with asyncio.timeout(world.patience):
            while True:
                person, page = await world.sign_in("alice", world.url(APP, "/chief/x"))
                await person.close()
                if page.status == 200:
                    break
                await asyncio.sleep(0.5)

    return run


async def of_one_person(world: World) -> None:
    """One of whom it says too much, again and again, at either worker: it is there for everybody else."""
    with saying(world, "INSERT INTO offices VALUES ('mallory', hex(zeroblob(600000)))"):
        for _ in range(8):
            person, page = await world.sign_in("mallory", world.url(APP, "/"))
            expect(page.status == 503, f"the control: it cannot say anything of mallory: {page.status}")
            await person.close()
        await seen("/chief/x", 200)(world)


async def on_the_way(world: World) -> None:
    """A key is one step of a path, or is not asked by; an answer about somebody else is about nobody."""
    (port,) = free(1)
    staff = http_server.staff(port)
    assert isinstance(staff.source, HttpSource)
    async with http_server.people(port) as server:
        reader = HttpReader(staff, staff.source)
        for uid in ("..", ".", "../alice", "alice/", "x/../alice", "alice%2f", "%2e%2e", "alice;x", "\\alice"):
            found, _ = await reader.finding(joined_key([uid]), 0)
            expect(found.unknown == {"matricule", "services"}, f"{uid}: {found}")
        expect(not server.asked, f"asked by a key that is no step: {server.asked}")
        for uid in ("alice?uid=bob", "alice#", "nobody&uid=alice", "~1alice", "/", "person/0", "another"):
            found, _ = await reader.finding(joined_key([uid]), 0)
            expect(not found.values, f"{uid}: {found}")
        for uid in ("elsewhere", "large", "deep", "html", "twice", "nan", "latin"):
            try:
                found, _ = await reader.finding(joined_key([uid]), 0)
            except DirectoryAway:
                continue
            expect(not found.values, f"{uid}: {found}")
        found, _ = await reader.finding(joined_key(["alice"]), 0)
        expect(bool(found.values), "the control: alice is known")
        await reader.close()


_ALICE = {"uid": [b"alice"], "employeeNumber": [b"4711"]}
# What it answers about alice, and the code that the operator reads; none where all is well.
_LDAP_LIES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("the control: her entry", {"answers": [lying_ldap.entry(_ALICE)]}, ""),
    ("an entry of somebody else", {"answers": [lying_ldap.entry(_ALICE | {"uid": [b"bob"]})]}, "directory.key"),
    ("an entry of hers and of somebody else", {
        "answers": [lying_ldap.entry(_ALICE), lying_ldap.entry(_ALICE | {"uid": [b"bob"]})]}, "directory.key"),
    ("an entry without her key", {"answers": [lying_ldap.entry({"employeeNumber": [b"4711"]})]}, "directory.key"),
    ("her entry twice", {"answers": [lying_ldap.entry(_ALICE)] * 2}, "directory.rows"),
    ("two numbers where one is meant", {
        "answers": [lying_ldap.entry(_ALICE | {"employeeNumber": [b"1", b"2"]})]}, "directory.value"),
    ("a number that is none", {
        "answers": [lying_ldap.entry(_ALICE | {"employeeNumber": [b"4711x"]})]}, "directory.value"),
    ("no UTF-8", {"answers": [lying_ldap.entry(_ALICE | {"employeeNumber": [b"47\xff"]})]}, "directory.value"),
    ("an end of line", {"answers": [lying_ldap.entry(_ALICE | {"employeeNumber": [b"1\n2"]})]}, "directory.value"),
    ("a megabyte", {
        "answers": [lying_ldap.entry(_ALICE | {"employeeNumber": [b"1" * (1 << 21)]})]}, "directory.answer"),
    ("a referral to another server", {"answers": [lying_ldap.reference(b"ldap://127.0.0.1:1/")], "code": 10},
     "directory.answer"),
    ("an operations error", {"answers": [lying_ldap.entry(_ALICE)], "code": 1}, "directory.answer"),
    ("what is no LDAP", {"raw": b"HTTP/1.1 200 OK\r\n\r\n"}, "directory.unreachable"),
)  # fmt: skip


def told_by_ldap(how: dict[str, Any], code: str) -> Run:
    """Her number is known where all is well, and else unknown; nothing of it is anybody's."""

    def asked(port: int) -> tuple[Mapping[str, tuple[str, ...]], str]:
        from gateway.directories.kinds import server_reader
        from tests.directories import slapd

        number = GivenAttribute("matricule", "employeeNumber", "number")
        with closing(server_reader(slapd.staff(port, gives=(number,)))) as reader:
            try:
                found, faults = reader.finding(joined_key(["alice"]), 0)
            except DirectoryAway as away:
                return {}, away.code.id
        return found.values, faults[0].code.id if faults else ""

    async def run(world: World) -> None:
        (port,) = free(1)
        async with lying_ldap.lying(port, *how.get("answers", ()), code=how.get("code", 0), raw=how.get("raw", b"")):
            values, said = await asyncio.to_thread(asked, port)
        expect(said == code, f"the operator reads {said or 'nothing'}, not {code or 'nothing'}")
        expect(values == ({} if code else {"matricule": ("4711",)}), f"known: {values}")

    return run


async def no_sign_of_a_filter(world: World) -> None:
    for uid in (
        "*",
        "a*",
        "alice)(uid=*",
        "*)(|(uid=*))",
        "\\2a",
        "x\0",
        "(",
        ")",
        "&",
        "|",
        "!",
        "é",
        "a=b",
        "~",
        "<",
    ):
        text = person_filter("(objectClass=person)", [("uid", uid)])
        inside = text.removeprefix("(&(objectClass=person)(uid=").removesuffix("))")
        expect(not set(inside) & set("*()&|!=~<>\0") and inside.isascii(), f"{uid}: {text}")


_SOURCE = "version: 1\ndirectory: staff\ncsv: {path: x.csv}\nkey: {uid: {from: uid%s}}\ngives: {office: {}}\n"


async def refused_at_load(world: World) -> None:
    """A key of nobody's word, and another team's directory."""
    fence = "{hosts: [permis.localhost], providers: [metropole], upstreams: [127.0.0.1], headers: [X-Remote-User]}"
    app = BASE["apps/permis.yaml"].replace("providers: [metropole]", "providers: [metropole]\ndirectories: [staff]")
    theirs = {
        "apps/permis.yaml": None, "apps/x/permis.yaml": app,
        "directories/staff.yaml": _SOURCE % ", providers: [metropole]",
        "gateway.yaml": BASE["gateway.yaml"] + f"teams: {{x: {fence}}}\n",
    }  # fmt: skip
    of_all = {"directories/staff.yaml": _SOURCE % ""}
    for files, said in ((theirs, "may not use the directory staff"), (of_all, "whose word is taken")):
        told = problems(files)
        expect(any(said in one for one in told), f"{said}: {told}")


CASES: tuple[Case, ...] = (
    uncontrolled("DI01.1", "the control: the chief is let in", seen("/chief/x", 200)),
    uncontrolled("DI01.2", "a person without the office is not", seen("/chief/x", 403, login="bob")),
    *numbered(
        "DI01", ((f"SQL by {uid!r}", seen("/chief/x", 403, uid=uid)) for uid in _KEYS), first=3, controlled=False
    ),
    *numbered("DI02", controlled=False, rows=(
        ("provider B says A's uid, for the office", seen("/chief/x", 403, uid="alice", provider="beta")),
        ("provider B says A's uid, for the mandate", seen("/mairie/x", 403, uid="alice", provider="beta")),
    )),
    *numbered("DI03", controlled=False, rows=(
        ("a mandate that ended", seen("/mairie/x", 403, login="bob")),
        ("two that ended", seen("/mairie/x", 403, login="root")),
        ("one that is to come", seen("/mairie/x", 403, login="tilda")),
    )),
    uncontrolled("DI03.4", "the control: one that is held", seen("/mairie/x", 200)),
    uncontrolled("DI03.5", "one that is held beside one that ended", seen("/mairie/x", 200, login="mallory")),
    *numbered("DI04", ((f"it lies: {what}", lying(how, target)) for what, how, target in _LIES), controlled=False),
    *numbered("DI05", controlled=False, rows=(
        ("a directory without its table", stopping("DROP TABLE offices")),
        ("a directory with other columns", stopping("ALTER TABLE terms RENAME COLUMN fin TO fini")),
    )),
    uncontrolled("DI05.3", "a directory that cannot say anything of one person", of_one_person),
    uncontrolled("DI06", "no key leads to another path, and no answer to another person", on_the_way),
    uncontrolled("DI07", "no sign of a key is one of an LDAP filter", no_sign_of_a_filter),
    uncontrolled("DI08", "a key of nobody's word and another team's directory are refused at load", refused_at_load),
    *numbered(
        "DI09", ((f"LDAP tells {what}", told_by_ldap(how, code)) for what, how, code in _LDAP_LIES), controlled=False
    ),
)  # fmt: skip
