"""Links, and the file that they are kept in."""

from pathlib import Path

from gateway.accounts.file import NAME, LinkFile
from gateway.accounts.link import NewLink
from gateway.accounts.seals import LinkKeys
from gateway.model.account import AccountHolder

ISSUER = "https://op.example"
OTHER_ISSUER = "https://other.example"
KEYS: LinkKeys = (("2026", b"of-the-links-0123456789-0123456789"),)


def holder(person: str = "subject=helene", application: str = "permis", issuer: str = ISSUER) -> AccountHolder:
    return AccountHolder(application, issuer, person)


def link(login: str = "h.durand", who: AccountHolder | None = None, **more: object) -> NewLink:
    return NewLink(who or holder(), login, **more)  # type: ignore[arg-type]


OPENED: list[LinkFile] = []
"""Closed at the end of each test (conftest)."""


def link_file(folder: Path, keys: LinkKeys = KEYS, now: float = 1_800_000_000.0) -> LinkFile:
    OPENED.append(LinkFile(folder / NAME, keys, now=lambda: now))
    return OPENED[-1]
