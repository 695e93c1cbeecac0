"""The file of account requests, in the state folder beside the file of links.

The two files are apart because every person who may sign in can write a request, while every page of such an
application reads the links: links never wait for requests. A lost request can be sent again, so a missing file counts
as empty.
"""

import hmac
import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.accounts.request import AccountRequest, NewRequest, RequestRefusal
from gateway.accounts.sealed_file import FileForm, SealedFile
from gateway.accounts.seals import LinkKeys
from gateway.model.account import AccountHolder
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.model.theme import ByLanguage
from gateway.ops.log import short_reference
from gateway.stores.sealing import NONCE_BYTES, SealBinding, draw_key, join, open_sealed, seal

REQUESTS_NAME: Final = "requests.sqlite"
REQUESTS_APPLICATION_ID: Final = 0x45434C52  # "ECLR"
REQUESTS_SCHEMA: Final = 1

# Seconds, from when it was sent, and from when it was refused.
LASTS: Final = 30 * 86400
MOST_OF_PERSON: Final = 20
MOST_OF_APPLICATION: Final = 5_000
MOST_IN_ALL: Final = 10_000
# People of one organisation, or strangers where a provider lets anybody open an account, leave room for the others.
MOST_OF_ORGANISATION: Final = 5_000
MOST_OF_ORGANISATION_THERE: Final = 2_500

# `holder`, `person`: keyed hashes, of a person at an application and at all of them; `person` begins with that of the
# organisation. `sealed`, `refusal`: JSON.
_TABLES: Final = (
    """CREATE TABLE requests (
        holder BLOB PRIMARY KEY, reference TEXT NOT NULL UNIQUE, application TEXT NOT NULL, person BLOB NOT NULL,
        at INTEGER NOT NULL, until INTEGER NOT NULL, sealed BLOB NOT NULL, refusal BLOB
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX requests_by_application ON requests (application)",
    "CREATE INDEX requests_by_person ON requests (person)",
    "CREATE INDEX requests_by_end ON requests (until)",
)
ORGANISATION_BYTES: Final = 16
_READ: Final = "SELECT application, holder, reference, at, until, sealed, refusal FROM requests"
_Row = tuple[str, bytes, str, int, int, bytes, bytes | None]


def requests_path(state_folder: str) -> Path:
    return Path(state_folder) / REQUESTS_NAME


class RequestSeals:
    """Seals requests with the key of one file. A sealed part is bound to the application, the person and the times of
    its row."""

    def __init__(self, data_key: bytes, chance: Callable[[int], bytes] = os.urandom) -> None:
        self._chance = chance
        self._index, self._asked, self._refusal = (
            draw_key(data_key, b"requests/" + purpose) for purpose in (b"index", b"asked", b"refusal")
        )

    def found_by(self, holder: AccountHolder) -> bytes:
        return self._hash("holder", holder.application, holder.issuer, holder.person)

    def person_hash(self, new: NewRequest) -> bytes:
        """A hash that is equal for all requests of one person. Hashes for one organisation of one provider have the
        same beginning."""
        issuer = new.holder.issuer
        organisation = self._hash("organisation", issuer, new.organisation)[:ORGANISATION_BYTES]
        return organisation + self._hash("person", issuer, new.subject)

    def sealed(self, request: AccountRequest) -> bytes:
        new = request.asked
        holder = new.holder
        values = [holder.issuer, holder.person, new.subject, new.name, new.mail, new.organisation, new.text]
        return self._seal(values, self._asked, self._bound("asked", request))

    def sealed_refusal(self, request: AccountRequest, refusal: RequestRefusal) -> bytes:
        return self._seal([refusal.at, dict(refusal.words)], self._refusal, self._bound("refusal", request))

    def opened(self, row: _Row) -> AccountRequest:
        """Raises GatewayError(account_codes.RECORD)."""
        application, found_by, reference, at, until, record, refusal = row
        bound = _binding("asked", application, found_by, reference, at)
        issuer, person, *about = json.loads(self._open(record, self._asked, bound))
        asked = NewRequest(AccountHolder(application, issuer, person), *about)
        if refusal is None:
            return AccountRequest(reference, asked, at, until)
        bound = _binding("refusal", application, found_by, reference, at)
        refused_at, words = json.loads(self._open(refusal, self._refusal, bound))
        return AccountRequest(reference, asked, at, until, RequestRefusal(refused_at, words))

    def _bound(self, kind: str, request: AccountRequest) -> SealBinding:
        holder = request.asked.holder
        return _binding(kind, holder.application, self.found_by(holder), request.reference, request.at)

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self._index, join(*(part.encode("utf-8", "surrogatepass") for part in parts)), "sha256")

    def _seal(self, values: Sequence[object], key: bytes, binding: SealBinding) -> bytes:
        plain = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return seal(plain, key=key, key_id="requests", nonce=self._chance(NONCE_BYTES), binding=binding)

    def _open(self, record: bytes, key: bytes, binding: SealBinding) -> bytes:
        try:
            return open_sealed(record, key=key, binding=binding)
        except GatewayError as error:
            raise GatewayError(account_codes.RECORD, error.detail) from None


_FORM: Final = FileForm("requests", REQUESTS_APPLICATION_ID, REQUESTS_SCHEMA, _TABLES, RequestSeals)


class RequestFile:
    """The file of account requests, for use in one thread.

    `keys`: the keys of gateway.yaml, as for links.

    Raises GatewayError: account_codes.UNREADABLE and account_codes.KEY in every method, account_codes.UNWRITABLE in
    methods that write, account_codes.RECORD in methods that open a request."""

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
        self._chance = chance

    def close(self) -> None:
        self._file.close()

    def find(self, holder: AccountHolder) -> AccountRequest | None:
        """The request of a person at an application."""
        with self._file.reading() as connection:
            if connection is None:
                return None
            found_by = self._file.seals.found_by(holder)
            return self._one(connection, "holder = ?", found_by)

    def of(self, reference: str) -> AccountRequest | None:
        with self._file.reading() as connection:
            return None if connection is None else self._one(connection, "reference = ?", reference)

    def all(self, application: str | None = None) -> list[AccountRequest]:
        """The unexpired requests of one application or of all applications, in order of arrival."""
        with self._file.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(
                f"{_READ} WHERE until > ?1 AND (?2 IS NULL OR application = ?2) ORDER BY at, reference",
                (int(self._now()), application),
            )
            return [self._file.seals.opened(row) for row in rows]

    def ask(self, new: NewRequest) -> tuple[AccountRequest, bool]:
        """Stores a request. Returns the stored request, and whether it is the new one: a person has one request at an
        application, and a second request changes nothing. Raises GatewayError(account_codes.QUOTA)."""
        before = self.find(new.holder)
        if before is not None:
            # The form is sent again and again, and nothing is written.
            return before, False
        with self._file.writing() as connection:
            seals, now, holder = self._file.seals, int(self._now()), new.holder
            self._purge(connection)
            found_by, person = seals.found_by(holder), seals.person_hash(new)
            if (before := self._one(connection, "holder = ?", found_by)) is not None:
                return before, False
            self._check_quotas(connection, person, holder.application)
            request = AccountRequest(self._new_reference(connection), new, now, now + LASTS)
            connection.execute(
                "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (found_by, request.reference, holder.application, person, now, request.until, seals.sealed(request)),
            )
            return request, True

    def refuse(self, reference: str, words: ByLanguage) -> bool:
        """Refuses the request. The person sees the refusal for as long as a request is kept. Returns False if the
        reference is unknown."""
        request = self.of(reference)
        if request is None:
            return False
        with self._file.writing() as connection:
            self._purge(connection)
            now = int(self._now())
            sealed = self._file.seals.sealed_refusal(request, RequestRefusal(now, words))
            told = "UPDATE requests SET refusal = ?, until = ? WHERE reference = ? AND at = ?"
            return connection.execute(told, (sealed, now + LASTS, reference, request.at)).rowcount > 0

    def forget(self, reference: str) -> bool:
        """Deletes the request, after which the person can send a new request. Returns whether the request existed."""
        if self.of(reference) is None:
            return False
        with self._file.writing() as connection:
            self._purge(connection)
            return connection.execute("DELETE FROM requests WHERE reference = ?", (reference,)).rowcount > 0

    def purge(self) -> None:
        """Deletes expired requests. A failed deletion is left to the next call."""
        with suppress(GatewayError):
            with self._file.reading() as found:
                over = "SELECT 1 FROM requests WHERE until <= ? LIMIT 1"
                if found is None or found.execute(over, (int(self._now()),)).fetchone() is None:
                    return
            with self._file.writing() as connection:
                self._purge(connection)

    @staticmethod
    def _check_quotas(connection: sqlite3.Connection, person: bytes, application: str) -> None:
        """Raises GatewayError(account_codes.QUOTA)."""
        counted = connection.execute(
            "SELECT count(*) FILTER (WHERE person = ?1), count(*) FILTER (WHERE application = ?2 AND theirs),"
            " count(*) FILTER (WHERE theirs), count(*) FILTER (WHERE application = ?2), count(*)"
            " FROM (SELECT person, application, substr(person, 1, ?3) = substr(?1, 1, ?3) AS theirs FROM requests)",
            (person, application, ORGANISATION_BYTES),
        ).fetchone()
        quotas = (
            (MOST_OF_PERSON, "one person"),
            (MOST_OF_ORGANISATION_THERE, "one organisation at one application"),
            (MOST_OF_ORGANISATION, "one organisation"),
            (MOST_OF_APPLICATION, "one application"),
            (MOST_IN_ALL, "all"),
        )
        for number, (most, of_whom) in zip(counted, quotas, strict=True):
            if number >= most:
                raise GatewayError(account_codes.QUOTA, f"{number} requests of {of_whom}, where {most} are the most")

    def _one(self, connection: sqlite3.Connection, condition: str, value: object) -> AccountRequest | None:
        row = connection.execute(f"{_READ} WHERE {condition} AND until > ?", (value, int(self._now()))).fetchone()
        return None if row is None else self._file.seals.opened(row)

    def _purge(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM requests WHERE until <= ?", (int(self._now()),))

    def _new_reference(self, connection: sqlite3.Connection) -> str:
        while True:
            reference = short_reference(self._chance(16).hex())
            found = connection.execute("SELECT 1 FROM requests WHERE reference = ?", (reference,)).fetchone()
            if found is None:
                return reference


def _binding(kind: str, application: str, found_by: bytes, reference: str, at: int) -> SealBinding:
    return SealBinding(f"account-request-{kind}", f"{found_by.hex()}/{reference}/{at}", application)
