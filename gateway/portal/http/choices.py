"""The choices of a person before a sign-in, as the pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.organisations import OrganisationKind


@dataclass(frozen=True, slots=True)
class Choice:
    """One provider to choose.

    `link`: starts a sign-in with the provider.
    `labels`: by language.
    `is_silent`: the provider has not answered lately.
    `logo`: the address of a picture on our host; empty: no picture.
    """

    label: str
    labels: Mapping[str, str]
    link: str
    is_silent: bool = False
    logo: str = ""


@dataclass(frozen=True, slots=True)
class NamedOrganisation:
    """An organisation for which a person acts, or may act. `name`: empty if no table has it."""

    number: str
    name: str


MayAct = NamedOrganisation | None
"""The organisation for which the person acts; None if the person cannot act for another."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """The stronger sign-in that a page asks for.

    `way`: to the provider of the present session.
    `level`: a level of the ladder that the session lacks.
    `other_method`: the page asks for another method.
    `max_age`: the greatest age of the sign-in, in seconds.
    `back`: to the application.
    """

    way: Choice
    level: str
    other_method: bool
    max_age: int | None
    back: str


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """A found organisation. `ways`: the providers that serve the organisation, possibly none."""

    name: str
    kind: OrganisationKind
    place: str
    ways: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class AwayProvider:
    """A provider that does not answer, when a person is to be sent to the provider.

    `other_ways`: providers to sign in with instead.
    `chooser`: the page with every provider; empty if the provider is the only one.
    `all_the_same`: the link that tries the provider in any case.
    """

    label: str
    labels: Mapping[str, str]
    all_the_same: str
    other_ways: tuple[Choice, ...]
    chooser: str


@dataclass(frozen=True, slots=True)
class ProviderChoices:
    """`remembered`: the provider last chosen in this browser.
    `kept`: the parameter by which a form returns to the page, if any.
    `near`: the providers of the person's network.
    `discovery`: a link to the federation's search; empty: none.
    `not_taken`: the provider of the person's session, which the application does not accept.
    """

    others: tuple[Choice, ...]
    remembered: Choice | None = None
    kept: tuple[str, str] | None = None
    near: tuple[Choice, ...] = ()
    discovery: str = ""
    not_taken: Choice | None = None


@dataclass(frozen=True, slots=True)
class OrganisationChoices:
    """`search`: the typed text; empty: nothing typed yet.
    `services`: providers found by an e-mail domain.
    `more`: further organisations match.
    `away`: the search is out of order.
    `others`: providers for people whose organisation is not found.
    `credits`: the source of the data and its date. The other fields are as in ProviderChoices.
    """

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
