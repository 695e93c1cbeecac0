"""The file of account links, in the state folder: one SQLite database, which every process opens by itself.

It has a rollback journal and no log beside it: there are few writes, a copy of the file is a whole backup, and nothing
is left behind by another account that wrote. It is made by the first link and never again: a file that is gone is a
fault, and so is any that is not ours; neither is ever mended or set aside.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from hmac import compare_digest
from pathlib import Path
from typing import Final

from gateway.accounts.link import AccountLink, NewLink
from gateway.accounts.seals import LinkKeys, LinkSeals, new_data_key, unwrapped, wrapped
from gateway.model.account import AccountHolder
from gateway.model.account_codes import (
    ACCOUNT_RECORD,
    ACCOUNT_SHARED,
    ACCOUNT_TAKEN,
    ACCOUNT_UNREADABLE,
    ACCOUNT_UNWRITABLE,
)
from gateway.model.errors import GatewayError

NAME: Final = "links.sqlite"
# Tells a file that is gone from one that was never made.
MADE: Final = "links.made"

APPLICATION_ID: Final = 0x45434C4C  # "ECLL"
SCHEMA_VERSION: Final = 1

# `person`, `login`: keyed hashes. `holder`, `sealed`, `secret`: see seals.
_TABLES: Final = (
    "CREATE TABLE keys (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE links (
        person BLOB PRIMARY KEY, application TEXT NOT NULL, login BLOB NOT NULL,
        holder BLOB NOT NULL, sealed BLOB NOT NULL, secret BLOB
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX links_by_login ON links (application, login)",
)
# Seconds. How long a read or a write waits for another process's write.
_BUSY: Final = 1.0


def links_path(state_folder: str) -> Path:
    return Path(state_folder) / NAME


class LinkRefused(GatewayError):
    """`number`: which of the links, from 0."""

    def __init__(self, number: int, detail: str) -> None:
        super().__init__(ACCOUNT_TAKEN, detail)
        self.number = number


class LinkFile:
    """`keys`: of gateway.yaml. For one thread. Errors are GatewayError: ACCOUNT_UNREADABLE, ACCOUNT_KEY of any step,
    ACCOUNT_UNWRITABLE of those that write, ACCOUNT_RECORD of those that open a link."""

    def __init__(
        self,
        path: Path,
        keys: LinkKeys,
        *,
        now: Callable[[], float] = time.time,
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._path = path
        self._keys = tuple(keys)
        self._now = now
        self._chance = chance
        self._connection: sqlite3.Connection | None = None
        self._seals: LinkSeals | None = None
        self._identity = (0, 0)
        self._opened = 0

    def close(self) -> None:
        connection, self._connection, self._seals = self._connection, None, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    # --- reading

    def state(self) -> tuple[int, int]:
        """Another value whenever another connection has changed the links, or another file lies there."""
        with self._reading() as connection:
            if connection is None:
                return 0, 0
            return self._opened, connection.execute("PRAGMA data_version").fetchone()[0]

    def find(self, holder: AccountHolder, *, shared: bool) -> AccountLink | None:
        """A person's link. GatewayError(ACCOUNT_SHARED): others have this login, and it is not `shared`."""
        with self._reading() as connection:
            if connection is None:
                return None
            seals = self._opened_seals()
            row = connection.execute(
                "SELECT sealed, secret, login FROM links WHERE person = ?", (seals.found_by(holder),)
            ).fetchone()
            if row is None:
                return None
            sealed, secret, login_hash = row
            link = seals.opened(holder, sealed, secret)
            if login_hash != seals.login_hash(holder.application, link.login):
                raise GatewayError(ACCOUNT_RECORD, "the hash of a login is not that of the login beside it")
            if not shared and self._of_login(connection, holder.application, login_hash) > 1:
                raise GatewayError(ACCOUNT_SHARED, f"several people are linked to one login of {holder.application}")
            return link

    def secret(self, link: AccountLink) -> str | None:
        """In clear; None where the link has none."""
        with self._reading() as connection:
            return None if connection is None or link.secret is None else self._opened_seals().secret(link)

    def all(self, application: str | None = None) -> list[AccountLink]:
        """Of one application or of all, in the order of application, issuer and person."""
        with self._reading() as connection:
            if connection is None:
                return []
            seals = self._opened_seals()
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
        """All of them or none. By link: whether it is new or changed, False where it was there as it is.

        LinkRefused: the person has another login, or somebody else has this one."""
        with self._writing() as connection:
            return [self._add(connection, number, link) for number, link in enumerate(links)]

    def remove(self, holders: Iterable[AccountHolder]) -> int:
        """How many links there were."""
        with self._reading() as connection:
            if connection is None:
                return 0
        with self._writing() as connection:
            seals = self._opened_seals()
            found = [(seals.found_by(holder),) for holder in holders]
            return sum(connection.execute("DELETE FROM links WHERE person = ?", one).rowcount for one in found)

    def _add(self, connection: sqlite3.Connection, number: int, new: NewLink) -> bool:
        seals, holder = self._opened_seals(), new.holder
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

    # --- the file

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """None where no link was ever made."""
        try:
            yield self._connected() if self._was_made() else None
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._fault(error) from error
        except GatewayError:
            self.close()
            raise

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as found:
            connection = found
        try:
            if connection is None:
                self._make()
                connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._fault(error, writing=True) from error
        except BaseException:
            # Closing takes back what is not committed.
            self.close()
            raise

    def _was_made(self) -> bool:
        return any(map(_is_there, (self._path, self._path.with_name(MADE))))

    def _opened_seals(self) -> LinkSeals:
        assert self._seals is not None
        return self._seals

    def _connected(self) -> sqlite3.Connection:
        found = os.stat(self._path)
        identity = found.st_dev, found.st_ino
        if self._connection is None or identity != self._identity:
            self.close()
            if not found.st_size:
                raise sqlite3.DatabaseError("it is empty")
            connection = _connect(self._path)
            try:
                # What is taken back is overwritten, and what is written is on the disk.
                for setting in ("trusted_schema = OFF", "secure_delete = ON", "synchronous = FULL"):
                    connection.execute(f"PRAGMA {setting}")
                self._seals = self._check(connection)
            except BaseException:
                connection.close()
                raise
            self._connection, self._identity = connection, identity
            self._opened += 1
        return self._connection

    def _check(self, connection: sqlite3.Connection) -> LinkSeals:
        (ours,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if ours != APPLICATION_ID:
            raise sqlite3.DatabaseError("it is not a file of account links")
        if version != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"it has schema version {version}, this release reads {SCHEMA_VERSION}")
        found = connection.execute("SELECT id, wrapped FROM keys").fetchall()
        data_key = unwrapped(found, self._keys)
        current = self._keys[0][0]
        if current not in {id for id, _ in found}:
            # The next release of the key: from here on it opens the file by itself. Where the disk is full, it is
            # written at another time.
            with suppress(sqlite3.Error):
                connection.execute("INSERT INTO keys VALUES (?, ?)", (current, self._wrapped(data_key)))
        return LinkSeals(data_key, self._chance)

    def _wrapped(self, data_key: bytes) -> bytes:
        return wrapped(data_key, *self._keys[0], self._chance)

    def _make(self) -> None:
        """The file is written under another name first, so that nobody meets half of it."""
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._path.with_name(f"{NAME}.{os.getpid()}.new")
        try:
            self._own(beside)
            with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
                connection.execute("BEGIN")
                for statement in _TABLES:
                    connection.execute(statement)
                data_key = new_data_key(self._chance)
                connection.execute("INSERT INTO keys VALUES (?, ?)", (self._keys[0][0], self._wrapped(data_key)))
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                connection.execute("COMMIT")
            with suppress(FileExistsError):
                os.link(beside, self._path)
        finally:
            beside.unlink(missing_ok=True)
        self._own(self._path.with_name(MADE))

    def _own(self, path: Path) -> None:
        """A file that is the account's that serves, whoever makes it."""
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        if os.geteuid() == 0:
            folder = os.stat(self._path.parent)
            os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)

    def _fault(self, error: Exception, *, writing: bool = False) -> GatewayError:
        code = ACCOUNT_UNWRITABLE if writing else ACCOUNT_UNREADABLE
        if isinstance(error, FileNotFoundError) and not writing:
            why = f"it is gone: put it back from the backup, or remove {MADE} beside it to begin without any link"
        else:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return GatewayError(code, f"{self._path}: {why}")


def _has_secret(seals: LinkSeals, link: AccountLink, secret: str | None) -> bool:
    """Whether this is the link's; None is the one of a link that has none."""
    known = None if link.secret is None else seals.secret(link)
    return compare_digest((known or "").encode(), (secret or "").encode())


def _is_there(path: Path) -> bool:
    """Raises OSError where that cannot be told."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _connect(path: Path) -> sqlite3.Connection:
    """Never makes the file."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, timeout=_BUSY, isolation_level=None, uri=True, check_same_thread=False)
