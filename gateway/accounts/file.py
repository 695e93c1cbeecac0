"""The file of account links, in the state folder. The first link creates the file. A missing file is never created
again: it is a fault."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Final

from gateway.accounts.link import AccountLink, NewLink
from gateway.accounts.sealed_file import FileForm, SealedFile
from gateway.accounts.seals import LinkKeys, LinkSeals
from gateway.model.account import AccountHolder
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError

NAME: Final = "links.sqlite"
# A marker beside the file: it tells a lost file from a file that was never made.
MADE: Final = "links.made"

APPLICATION_ID: Final = 0x45434C4C  # "ECLL"
SCHEMA_VERSION: Final = 1

# `person`, `login`: keyed hashes. `holder`, `sealed`, `secret`: see seals.
_TABLES: Final = (
    """CREATE TABLE links (
        person BLOB PRIMARY KEY, application TEXT NOT NULL, login BLOB NOT NULL,
        holder BLOB NOT NULL, sealed BLOB NOT NULL, secret BLOB
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX links_by_login ON links (application, login)",
)
_FORM: Final = FileForm("links", APPLICATION_ID, SCHEMA_VERSION, _TABLES, LinkSeals, MADE)


def links_path(state_folder: str) -> Path:
    return Path(state_folder) / NAME


class LinkRefused(GatewayError):
    """A link that cannot be stored. `number`: its index among the links, from 0."""

    def __init__(self, number: int, detail: str) -> None:
        super().__init__(account_codes.TAKEN, detail)
        self.number = number


class LinkFile:
    """The file of account links, for use in one thread.

    `keys`: the keys of gateway.yaml.

    Raises GatewayError: account_codes.UNREADABLE and account_codes.KEY in every method, account_codes.UNWRITABLE in
    methods that write, account_codes.RECORD in methods that open a link."""

    def __init__(
        self,
        path: Path,
        keys: LinkKeys,
        *,
        now: Callable[[], float] = time.time,
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._file = SealedFile(_FORM, path, keys, chance=chance)
        self._now = now

    def close(self) -> None:
        self._file.close()

    # --- reading

    def state(self) -> tuple[int, int]:
        """A value that changes whenever another connection has changed the links, or the file was replaced."""
        with self._file.reading() as connection:
            if connection is None:
                return 0, 0
            return self._file.opened, connection.execute("PRAGMA data_version").fetchone()[0]

    def find(self, holder: AccountHolder, *, shared: bool) -> AccountLink | None:
        """The link of a person. Raises GatewayError(account_codes.SHARED) if other people have its login and it is not
        `shared`."""
        with self._file.reading() as connection:
            if connection is None:
                return None
            seals = self._file.seals
            row = connection.execute(
                "SELECT sealed, secret, login FROM links WHERE person = ?", (seals.found_by(holder),)
            ).fetchone()
            if row is None:
                return None
            sealed, secret, login_hash = row
            link = seals.opened(holder, sealed, secret)
            if login_hash != seals.login_hash(holder.application, link.login):
                raise GatewayError(account_codes.RECORD, "the hash of a login does not match the login beside it")
            if not shared and self._of_login(connection, holder.application, login_hash) > 1:
                raise GatewayError(
                    account_codes.SHARED, f"several people are linked to one login of {holder.application}"
                )
            return link

    def secret(self, link: AccountLink) -> str | None:
        """The link's secret in clear; None if the link has no secret."""
        with self._file.reading() as connection:
            return None if connection is None or link.secret is None else self._file.seals.secret(link)

    def all(self, application: str | None = None) -> list[AccountLink]:
        """The links of one application or of all applications, in the order of application, issuer and person."""
        with self._file.reading() as connection:
            if connection is None:
                return []
            seals = self._file.seals
            found = [
                seals.opened(seals.whose(name, person, holder), sealed, secret)
                for name, person, holder, sealed, secret in connection.execute(
                    "SELECT application, person, holder, sealed, secret FROM links"
                    " WHERE ?1 IS NULL OR application = ?1",
                    (application,),
                )
            ]
        return sorted(found, key=lambda link: (link.holder.application, link.holder.issuer, link.holder.person))

    # --- writing

    def add(self, links: Sequence[NewLink]) -> list[bool]:
        """Adds all links or none. Returns for each link whether it is new or changed; False if the file had the same
        link before.

        Raises LinkRefused: the person has another login, or another person has this login.
        """
        with self._file.writing() as connection:
            return [self._add(connection, number, link) for number, link in enumerate(links)]

    def remove(self, holders: Iterable[AccountHolder]) -> int:
        """Removes the links of these people. Returns the number of removed links."""
        with self._file.reading() as connection:
            if connection is None:
                return 0
        with self._file.writing() as connection:
            seals = self._file.seals
            found = [(seals.found_by(holder),) for holder in holders]
            return sum(connection.execute("DELETE FROM links WHERE person = ?", one).rowcount for one in found)

    def _add(self, connection: sqlite3.Connection, number: int, new: NewLink) -> bool:
        seals, holder = self._file.seals, new.holder
        found_by, login_hash = seals.found_by(holder), seals.login_hash(holder.application, new.login)
        row = connection.execute("SELECT sealed, secret FROM links WHERE person = ?", (found_by,)).fetchone()
        before = None if row is None else seals.opened(holder, *row)
        if before is not None:
            if before.login == new.login and _has_secret(seals, before, new.secret):
                return False
            if before.login != new.login and not new.replace:
                raise LinkRefused(number, f"this person has another login of {holder.application} already")
            connection.execute("DELETE FROM links WHERE person = ?", (found_by,))
        if not new.shared and self._of_login(connection, holder.application, login_hash):
            raise LinkRefused(number, f"another person has this login of {holder.application}")
        whose, sealed, secret = seals.sealed(new, int(self._now()))
        connection.execute(
            "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?)",
            (found_by, holder.application, login_hash, whose, sealed, secret),
        )
        return True

    @staticmethod
    def _of_login(connection: sqlite3.Connection, application: str, login_hash: bytes) -> int:
        found = connection.execute(
            "SELECT count(*) FROM links WHERE application = ? AND login = ?", (application, login_hash)
        )
        return int(found.fetchone()[0])


def _has_secret(seals: LinkSeals, link: AccountLink, secret: str | None) -> bool:
    """Whether `secret` is the secret of the link. None matches a link without a secret."""
    known = None if link.secret is None else seals.secret(link)
    return compare_digest((known or "").encode(), (secret or "").encode())
