"""What is kept of one link."""

from dataclasses import dataclass, field

from gateway.model.account import AccountHolder


@dataclass(frozen=True, slots=True)
class AccountLink:
    """`login`: as model.account.checked_login gives it. `since`: Unix seconds. `by`: who made the link. `secret`:
    sealed, None where there is none: what opens it is asked for by itself (file.LinkFile.secret). `record`: as it lies
    there, another one whenever the link was written anew."""

    holder: AccountHolder
    login: str
    since: int
    by: str = ""
    secret: bytes | None = field(default=None, repr=False)
    record: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that is to be kept. `shared`: other people may have this login. `secret`: in clear, None for none.
    `replace`: also where the person has another login."""

    holder: AccountHolder
    login: str
    by: str = ""
    secret: str | None = field(default=None, repr=False)
    shared: bool = False
    replace: bool = False
