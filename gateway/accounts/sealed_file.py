"""A file of sealed records in the state folder: an SQLite database, which every process opens by itself.

The database has a rollback journal and no write-ahead log: writes are rare, a copy of the file is a whole backup, and
an account that wrote leaves no further file behind. The first record creates the file. A foreign or damaged file is a
fault; the gateway never repairs a file or sets it aside."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from gateway.accounts.seals import LinkKeys, new_data_key, unwrapped, wrapped
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError

Seals = TypeVar("Seals")

# Seconds. How long a read or a write waits for another process's write.
_BUSY: Final = 1.0
_KEYS: Final = "CREATE TABLE keys (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID"


@dataclass(frozen=True, slots=True)
class FileForm(Generic[Seals]):
    """The kind of a sealed file.

    `of`: a word for the content, to which the file's keys are bound.
    `schema`: the number of this release's form.
    `tables`: the statements that create the tables.
    `seals`: makes the seals from the file's key.
    `made`: the name of a marker beside the file, written with the first record. The marker tells a lost file from a
    file that never existed. Empty if a lost file may simply be made again.
    """

    of: str
    application: int
    schema: int
    tables: tuple[str, ...]
    seals: Callable[[bytes, Callable[[int], bytes]], Seals]
    made: str = ""


class SealedFile(Generic[Seals]):
    """A sealed file, for use in one thread.

    `keys`: the keys of gateway.yaml.

    Raises GatewayError: account_codes.UNREADABLE and account_codes.KEY in every step, account_codes.UNWRITABLE in steps
    that write."""

    def __init__(
        self,
        form: FileForm[Seals],
        path: Path,
        keys: LinkKeys,
        *,
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._form = form
        self._path = path
        self._keys = tuple(keys)
        self._chance = chance
        self._connection: sqlite3.Connection | None = None
        self._seals: Seals | None = None
        self._identity = (0, 0)
        self.opened = 0

    @property
    def seals(self) -> Seals:
        """The seals of the file. To be used within a step that reads or writes."""
        assert self._seals is not None
        return self._seals

    def close(self) -> None:
        connection, self._connection, self._seals = self._connection, None, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Yields a connection; None if no record was ever written."""
        try:
            yield self._connected() if self._was_made() else None
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._fault(error) from error
        except GatewayError:
            self.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self.reading() as found:
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
        marks = (self._path.with_name(self._form.made),) if self._form.made else ()
        return any(map(_is_there, (self._path, *marks)))

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
            self.opened += 1
        return self._connection

    def _check(self, connection: sqlite3.Connection) -> Seals:
        (ours,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        form = self._form
        if ours != form.application:
            raise sqlite3.DatabaseError(f"it is not a file of account {form.of}")
        if version != form.schema:
            raise sqlite3.DatabaseError(f"it has schema version {version}, this release reads {form.schema}")
        found = connection.execute("SELECT id, wrapped FROM keys").fetchall()
        data_key = unwrapped(found, self._keys, form.of)
        current = self._keys[0][0]
        if current not in {id for id, _ in found}:
            # The next release of the key: from here on it opens the file by itself. Where the disk is full, it is
            # written at another time.
            with suppress(sqlite3.Error):
                connection.execute("INSERT INTO keys VALUES (?, ?)", (current, self._wrapped(data_key)))
        return form.seals(data_key, self._chance)

    def _wrapped(self, data_key: bytes) -> bytes:
        return wrapped(data_key, *self._keys[0], self._chance, self._form.of)

    def _make(self) -> None:
        """Writes the file under another name first, so that no process opens an unfinished file."""
        folder, form = self._path.parent, self._form
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            self._own(beside)
            with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
                connection.execute("BEGIN")
                for statement in (_KEYS, *form.tables):
                    connection.execute(statement)
                data_key = new_data_key(self._chance)
                connection.execute("INSERT INTO keys VALUES (?, ?)", (self._keys[0][0], self._wrapped(data_key)))
                connection.execute(f"PRAGMA application_id = {form.application}")
                connection.execute(f"PRAGMA user_version = {form.schema}")
                connection.execute("COMMIT")
            with suppress(FileExistsError):
                os.link(beside, self._path)
        finally:
            beside.unlink(missing_ok=True)
        if form.made:
            self._own(self._path.with_name(form.made))

    def _own(self, path: Path) -> None:
        """Creates the file if it is missing. The file belongs to the account that serves, also when root creates it."""
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        if os.geteuid() == 0:
            folder = os.stat(self._path.parent)
            os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)

    def _fault(self, error: Exception, *, writing: bool = False) -> GatewayError:
        code = account_codes.UNWRITABLE if writing else account_codes.UNREADABLE
        made, of = self._form.made, self._form.of
        if isinstance(error, FileNotFoundError) and made and not writing:
            why = f"it is gone: put it back from the backup, or remove {made} beside it to begin without {of}"
        else:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return GatewayError(code, f"{self._path}: {why}")


def _is_there(path: Path) -> bool:
    """Whether the file exists. Raises OSError if this cannot be told."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _connect(path: Path) -> sqlite3.Connection:
    """Opens the database, and never creates the file."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, timeout=_BUSY, isolation_level=None, uri=True, check_same_thread=False)
