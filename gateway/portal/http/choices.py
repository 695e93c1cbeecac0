"""Among what a person chooses who is to sign in, as the pages show it."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.organisations import OrganisationKind


@dataclass(frozen=True, slots=True)
class Choice:
    """One provider that a person may choose; `link` starts a sign-in with it. `labels`: by language. `is_silent`: it
    did not answer of late. `logo`: the address of a picture of ours, empty for none."""

    label: str
    labels: Mapping[str, str]
    link: str
    is_silent: bool = False
    logo: str = ""


@dataclass(frozen=True, slots=True)
class ActingLine:
    """An organisation for which a person may act. `name`: empty where no table has it."""

    number: str
    name: str


MayAct = ActingLine | None
"""The one for which they do; None: there is no other."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """What a page asks for that the session has not: a `level` of the ladder, another method, a sign-in at most
    `max_age` seconds old. `way`: to the provider by which the person is signed in. `back`: to the application."""

    way: Choice
    level: str
    other_method: bool
    max_age: int | None
    back: str


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """One organisation that was found. `ways`: the providers that serve it, none where no provider does."""

    name: str
    kind: OrganisationKind
    place: str
    ways: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class AwayProvider:
    """A provider that does not answer, to which a person was about to be sent. `other_ways`: to sign in with another
    one. `chooser`: where all are, empty where there is no other. `all_the_same`: the link that goes there anyway."""

    label: str
    labels: Mapping[str, str]
    all_the_same: str
    other_ways: tuple[Choice, ...]
    chooser: str


@dataclass(frozen=True, slots=True)
class ProviderChoices:
    """`remembered`: the provider that was chosen in this browser the last time. `kept`: the parameter by which a form
    of the page comes back to it, if any. `near`: those of the network that the person asks from. `discovery`: a link to
    the federation's own search, empty where there is none. `not_taken`: the provider of the person's session, where the
    application does not listen to it."""

    others: tuple[Choice, ...]
    remembered: Choice | None = None
    kept: tuple[str, str] | None = None
    near: tuple[Choice, ...] = ()
    discovery: str = ""
    not_taken: Choice | None = None


@dataclass(frozen=True, slots=True)
class OrganisationChoices:
    """`search`: what was typed; empty before anything was. `services`: by an e-mail domain. `more`: others are found
    too. `away`: nothing can be found now. `others`: for people whose organisation is not found. `credits`: whose data
    these are, and of which day. The rest as in ProviderChoices."""

    remembered: Choice | None
    search: str
    kept: tuple[str, str] | None
    lines: tuple[OrganisationLine, ...]
    services: tuple[Choice, ...]
    more: bool
    away: bool
    others: tuple[Choice, ...]
    credits: tuple[tuple[str, str], ...]
    near: tuple[Choice, ...] = ()
    discovery: str = ""
    not_taken: Choice | None = None
