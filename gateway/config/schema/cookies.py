"""`cookies:` of an application's file: the cookies of the application that browsers receive, and their names."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.types import Maybe, Strict, wrong
from gateway.config.schema.values import cookie_name
from gateway.model.names import fold
from gateway.wire.application_cookies import ALL

_OURS = b"hostecluse"


def _own_name(name: str) -> str:
    cookie_name(name)
    if not fold(name.encode("ascii")) or fold(name.encode("ascii")).startswith(_OURS):
        raise wrong("this is no cookie of an application")
    return name


def _prefix(text: str) -> str:
    cookie_name(text)
    folded = fold(text.encode("ascii"))
    if text.startswith("__") or _OURS.startswith(folded) or folded.startswith(_OURS):
        raise wrong("this prefix would make other cookies of them", "write it as permis_")
    return text


OwnCookieName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_own_name)]
HiddenName = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^(\*|[A-Za-z0-9_.-]+)$"),
    AfterValidator(lambda name: name if name == ALL else _own_name(name)),
]
NamePrefix = Annotated[str, Field(min_length=2, max_length=40), AfterValidator(_prefix)]


class CookiesSection(Strict):
    """The application's own cookies. Without this key, cookies pass unchanged."""

    hidden: list[HiddenName] = Field(default=[], max_length=50)
    """Cookies that never reach browsers. The gateway keeps them encrypted with the person's session, adds them to
    requests for the application, and deletes them with the session. `*`: all cookies except those in `visible`. Before
    the sign-in these cookies are dropped."""
    visible: list[OwnCookieName] = Field(default=[], max_length=50)
    """Cookies that pass unchanged while others are hidden or renamed: cookies that the application's scripts read or
    set."""
    prefix: Maybe[NamePrefix] = None
    """A prefix for the names of all other cookies in browsers (`permis_`), so that two applications do not share
    cookies. The application receives the names without the prefix, and no cookie that lacks it."""
    host_only: bool = False
    """Removes `Domain` from the application's cookies, so that browsers send them only to this host."""

    @model_validator(mode="after")
    def _has_an_effect(self) -> "CookiesSection":
        every = ALL in self.hidden
        if every and len(self.hidden) > 1:
            raise wrong("`*` hides the others too", "leave them out")
        if self.visible and not every and self.prefix is None:
            raise wrong('visible has an effect only beside hidden: ["*"] or prefix', "leave it out")
        if every and self.prefix is not None:
            raise wrong("prefix has no effect where all are hidden", "leave it out")
        for name in self.visible:
            if self.prefix is not None and name.startswith(self.prefix):
                raise wrong(f"{name} begins with the prefix", "choose another prefix")
        if both := {fold(name.encode()) for name in self.hidden} & {fold(name.encode()) for name in self.visible}:
            name = next(name for name in self.visible if fold(name.encode()) in both)
            raise wrong(f"a server may read {name} as one that is hidden", "leave it in one of the two")
        return self
