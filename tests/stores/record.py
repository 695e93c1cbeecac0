"""Records what this release writes, for the releases after it to read: `python -m tests.stores.record`.

It makes tests/stores/recorded/SCHEMA.VERSION.json anew: the database as SQL, what opens it, and what is in it. Commit
the file when a release changes a form under a new number; those of the releases before stay as they are.
"""

import asyncio
import json
import sqlite3
from base64 import b64encode
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.model.identity import Established
from gateway.model.levels import Need, StepUpRequest
from gateway.model.session import Session, SignOutNote, Tokens
from gateway.model.transaction import (
    OidcLogin,
    ParkedAssertion,
    ParkedResponse,
    SamlLogin,
    SamlLogout,
    Served,
    SignOut,
    Transaction,
)
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.stores.applications.sign_out_notes import SignOutNotes
from gateway.stores.records import RecordStore
from gateway.stores.sealing import VERSION
from gateway.stores.sqlite.file import SCHEMA_VERSION
from gateway.stores.sqlite.store import SqliteStore
from gateway.wire.cookie_jar import CookieJar, JarCookie
from tests.stores.samples import JEANNE, KEYS, NO_LIMITS, NOW, PERMIS, PORTAL, Clock, Worker, browser

RECORDED = Path(__file__).with_name("recorded")
NETWORK = "192.0.2.7"
NAME_ID = ("jdupont", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "idp", "sp", None)

NEED = Need(level="eidas2", amr=("otp",), max_age=300)
HINTS = (("login_hint", "jeanne.dupont@metropole.example"),)
TRANSACTION = Transaction(
    app="permis",
    host=PERMIS,
    scheme="https",
    return_target="/dossiers?page=2&nom=Élus",
    binding=browser("binding"),
    round=1,
    created_at=NOW - 30,
    not_before=NOW - 60,
    need=NEED,
    provider="metropole",
    hints=HINTS,
)
SERVED = Served("id-of-a-transaction", TRANSACTION)
LOGIN = OidcLogin(
    "metropole",
    "nonce",
    "verifier",
    "https://portail.localhost/_ecluse/callback/metropole",
    browser("binding"),
    SERVED,
    NOW - 20,
    300,
    StepUpRequest(("eidas2",), 300, ("otp",)),
    "https://op.metropole.example",
)
SAML_LOGIN = SamlLogin("rectorat", "_1", ("urn:a",), "exact", True, browser("binding"), SERVED, NOW - 20, True)
PARKED = ParkedAssertion(JEANNE, "reference", "_2", NOW + 60, NOW + 3600, NAME_ID, "index", login=SAML_LOGIN)
SAML_LOGOUT = SamlLogout("rectorat", "_3", "https://permis.localhost/")
SIGN_OUT = SignOut("metropole", "https://permis.localhost/")
COOKIES = (
    JarCookie(b"PHPSESSID", b"\xe9", b"/app", True, NOW + 0.5, NOW - 5.0, NOW + 600.0),
    JarCookie(b"b", b"", b"/", False, NOW + 1.0, NOW + 1.0),
)
RESPONSE = ParkedResponse((("code", "c"), ("state", "é")))


def plain(value: object) -> Any:
    """As JSON has it, field by field."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, frozenset):
        return sorted(value)
    if hasattr(value, "items"):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, tuple | list) else value


async def written(path: Path) -> dict[str, Any]:
    """As `filled`, of the file at `path`."""
    store = SqliteStore(path)
    await store.open()
    told = await filled(store)
    await store.close()
    return told


async def filled(store: RecordStore) -> dict[str, Any]:
    """Fills the store; what opens each record, and what is in it."""
    worker = Worker(store, Clock())
    session = await worker.sessions.new_session(
        host=PORTAL,
        person=Established(JEANNE, "21590350100017"),
        browser=browser("jeanne"),
        idle=1800,
        absolute=43200,
        id_token="id.token.jws",
        sid="sid",
        replaces=None,
        limits=NO_LIMITS,
        name_id=NAME_ID,
        tokens=Tokens("refresh-token", NOW + 300, 2),
        issued_at=NOW - 5,
    )
    await worker.sessions.add(session)
    seat = await worker.enter(session.cookie)
    note = SignOutNote(session.session.id, PERMIS, "permis", b"h\xe9l\xe8ne", b"JSESSIONID=a")
    await SignOutNotes(store, KEYS, now=worker.clock.now).keep([note])
    jar = await CookieJars(store, worker.sessions, KEYS, now=worker.clock.now).keep(
        PERMIS, seat, COOKIES, ("worker", 7)
    )
    assert jar == CookieJar(COOKIES, (("worker", 7),))
    code = await worker.code(session.cookie)
    await worker.transactions.openid_logins.put(LOGIN, NETWORK, "state")
    await worker.transactions.openid_logouts.put(SIGN_OUT, NETWORK, "state of a sign-out")
    await worker.transactions.saml_logins.put(SAML_LOGIN, NETWORK, "reference")
    await worker.transactions.saml_logouts.put(SAML_LOGOUT, NETWORK, "reference of a logout")
    await store.perform([worker.transactions.round_counted("binding", PERMIS, 1)], worker.clock.now())
    await worker.transactions.first_use("assertion", "issuer", "_4", until=NOW + 300)
    opens = {
        "portal": session.cookie.decode(),
        "permis": seat.decode(),
        "code": code,
        "transaction": await worker.transactions.sign_ins.put(TRANSACTION, NETWORK),
        "response": await worker.transactions.openid_responses.put(RESPONSE, NETWORK),
        "parked": await worker.transactions.saml_responses.put(PARKED, NETWORK),
    }
    holds: dict[str, Session | object] = {
        "session": session.session,
        "transaction": TRANSACTION,
        "login": LOGIN,
        "sign_out": SIGN_OUT,
        "response": RESPONSE.parameters,
        "saml_login": SAML_LOGIN,
        "parked": PARKED,
        "saml_logout": SAML_LOGOUT,
        "note": note,
        "jar": jar,
    }
    return {"opens": opens, "holds": {name: plain(value) for name, value in holds.items()}}


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sessions.sqlite"
        told = asyncio.run(written(path))
        with closing(sqlite3.connect(path)) as connection:
            sql = list(connection.iterdump())
    numbers = {"schema": SCHEMA_VERSION, "record": VERSION}
    RECORDED.mkdir(exist_ok=True)
    file = RECORDED / f"{SCHEMA_VERSION}.{VERSION}.json"
    file.write_text(json.dumps({**numbers, **told, "sql": sql}, ensure_ascii=False, indent=1) + "\n")
    print(file)


if __name__ == "__main__":
    main()
