"""Account links as CSV: `application,issuer,person,login`, and `secret` on request.

UTF-8; spreadsheets may add a byte order mark and separate columns by `;`. A cell that a spreadsheet would take for a
formula has an apostrophe before it, in both directions."""

import csv
import io
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.model.account import AccountHolder, AccountSettings, checked_login, read_person, written_person
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError

COLUMNS: Final = ("application", "issuer", "person", "login")
SECRET: Final = "secret"
LARGEST: Final = 256 << 20
LONGEST_SECRET: Final = 1024
_LONGEST_CELL: Final = 8192
_MOST_PROBLEMS: Final = 100
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class WrittenLink:
    """A line of a table. `line`: its number in the file, from 1."""

    line: int
    holder: AccountHolder
    login: str
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LineProblem:
    line: int
    message: str


class TableProblems(GatewayError):
    """The problems of a table, a hundred at most. A table with a problem is not imported at all."""

    def __init__(self, problems: Iterable[LineProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(account_codes.TABLE, "; ".join(f"line {one.line}: {one.message}" for one in self.problems))


def write_table(links: Iterable[WrittenLink], *, secrets: bool = False) -> Iterator[str]:
    """The lines of the table, each with its line end."""
    yield _line([*COLUMNS, *([SECRET] if secrets else [])])
    for link in links:
        holder = link.holder
        cells = [holder.application, holder.issuer, holder.person, link.login]
        yield _line([*cells, *([link.secret or ""] if secrets else [])])


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(map(_guarded, cells))
    return written.getvalue()


def _guarded(cell: str) -> str:
    """Puts an apostrophe before a cell that a spreadsheet would read as a formula. A value that begins with an
    apostrophe gets a second apostrophe, so that it reads back."""
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell


def read_table(
    content: bytes, applications: Mapping[str, AccountSettings | None], issuers: Container[str]
) -> list[WrittenLink]:
    """Reads a table of links. Raises TableProblems.

    `applications`: the account settings by application name; None for an application without accounts.
    `issuers`: the issuers of the providers.
    """
    rows = _rows(_text(content))
    columns = next(rows, (1, []))[1]
    if columns not in ([*COLUMNS], [*COLUMNS, SECRET]):
        why = f"the first line names the columns: {','.join(COLUMNS)}, and secret where there are some"
        raise TableProblems([LineProblem(1, why)])
    links: list[WrittenLink] = []
    problems: list[LineProblem] = []
    seen: dict[AccountHolder, int] = {}
    for line, cells in rows:
        try:
            link = _read_link(line, cells, len(columns), applications, issuers)
            first = seen.setdefault(link.holder, line)
            if first != line:
                raise GatewayError(account_codes.TABLE, f"this person stands in line {first} too")
            links.append(link)
        except GatewayError as error:
            problems.append(LineProblem(line, error.detail))
            if len(problems) == _MOST_PROBLEMS:
                break
    if problems:
        raise TableProblems(problems)
    return links


def _text(content: bytes) -> str:
    if len(content) > LARGEST:
        raise TableProblems([LineProblem(1, f"the table has over {LARGEST >> 20} MB")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableProblems([LineProblem(line, "this is not UTF-8: save it as CSV UTF-8")]) from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of the first line, cells) for each row. Raises TableProblems."""
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise TableProblems([LineProblem(begins, f"this is not CSV: {error}")]) from None


def _read_link(
    line: int,
    cells: list[str],
    width: int,
    applications: Mapping[str, AccountSettings | None],
    issuers: Container[str],
) -> WrittenLink:
    """Raises GatewayError."""
    if len(cells) != width:
        raise GatewayError(account_codes.TABLE, f"{len(cells)} columns, where the first line has {width}")
    name, issuer, person, login, *secret = map(_read_cell, cells)
    if name not in applications:
        raise GatewayError(account_codes.TABLE, "no application has this name")
    settings = applications[name]
    if settings is None:
        raise GatewayError(account_codes.TABLE, f"the file of {name} uses no account links")
    if issuer not in issuers:
        raise GatewayError(account_codes.TABLE, "no provider has this issuer")
    holder = AccountHolder(name, issuer, person_for(settings, person))
    return WrittenLink(line, holder, checked_login(login), checked_secret(secret[0]) if secret and secret[0] else None)


def person_for(settings: AccountSettings, text: str) -> str:
    """The canonical form of a person written by hand, named by the attributes that the application's file asks for.
    Raises GatewayError."""
    values = read_person(text)
    if values.keys() != set(settings.by):
        names = " and ".join(settings.by)
        raise GatewayError(
            account_codes.TABLE, f"this person is named by {' and '.join(values)}, and the file says {names}"
        )
    return written_person(values)


def checked_secret(text: str) -> str:
    """Raises GatewayError(account_codes.TABLE), without the secret."""
    if not text or len(text) > LONGEST_SECRET or not text.isprintable():
        raise GatewayError(account_codes.TABLE, f"a secret is 1 to {LONGEST_SECRET} characters that can be seen")
    return text


def _read_cell(cell: str) -> str:
    if len(cell) > _LONGEST_CELL:
        raise GatewayError(account_codes.TABLE, f"a cell has {len(cell)} characters")
    if cell.startswith("'"):
        return cell[1:]
    if cell.startswith(_FORMULA):
        raise GatewayError(
            account_codes.TABLE, "a cell begins as a formula does: an apostrophe before it makes it a text"
        )
    return cell
