"""The stored form of one link."""

from dataclasses import dataclass, field

from gateway.model.account import AccountHolder


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A link as the file has it.

    `login`: as model.account.checked_login returns it.
    `since`: Unix seconds.
    `by`: the maker of the link.
    `secret`: sealed, None for a link without a secret; LinkFile.secret opens it.
    `record`: the stored bytes, which change whenever the link is written.
    """

    holder: AccountHolder
    login: str
    since: int
    by: str = ""
    secret: bytes | None = field(default=None, repr=False)
    record: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to be stored.

    `shared`: other people may have this login.
    `secret`: in clear; None for a link without a secret.
    `replace`: stores the link even if the person has another login.
    """

    holder: AccountHolder
    login: str
    by: str = ""
    secret: str | None = field(default=None, repr=False)
    shared: bool = False
    replace: bool = False
