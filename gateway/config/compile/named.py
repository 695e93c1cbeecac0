"""What rules refer to by name, as a snapshot is built: shared conditions, lists of organisations, expressions."""

from collections.abc import Iterable

from gateway.config.compile.cel import Cel, Tally
from gateway.config.compile.plan import ListPlan
from gateway.model.levels import ProviderLevels
from gateway.policy.conditions import Condition, When
from gateway.policy.levels import USUAL_LADDER, Ladder
from gateway.policy.persons import Organisations

_SIREN_LENGTH = 9


class Named:
    """Grows line by line of the plan, in which what is named comes before what names it."""

    def __init__(self) -> None:
        self.levels: dict[str, ProviderLevels] = {}
        self.ladder = Ladder(USUAL_LADDER, self.levels)
        self.shared: dict[str, Condition] = {}
        self.closed: dict[str, str] = {}
        self.tally = Tally()
        self._attributes: set[str] = set()
        self._numbers: dict[str, list[str]] = {}
        self._communes: dict[str, list[str]] = {}
        self._lists: dict[str, Organisations] = {}
        self._cel: Cel | None = None

    def use_ladder(self, names: Iterable[str]) -> None:
        self.ladder = Ladder(names, self.levels)

    def add_attributes(self, names: Iterable[str]) -> None:
        self._attributes.update(names)

    def add_organisations(self, plan: ListPlan) -> None:
        """A part of a list: (SIRET or SIREN, INSEE code or an empty text)."""
        numbers = self._numbers.setdefault(plan["name"], [])
        for number, insee in plan["organisations"]:
            numbers.append(number)
            if insee:
                self._communes.setdefault(insee, []).append(number)

    def list(self, name: str) -> Organisations:
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = organisations(name, self._numbers[name])
        return found

    def commune(self, insee: str) -> Organisations:
        return organisations("", self._communes[insee])

    def when(self, source: str) -> When:
        """Raises GatewayError."""
        if self._cel is None:
            self._cel = Cel(self._attributes, self.tally)
        return self._cel.compile(source)


def organisations(name: str, numbers: Iterable[str]) -> Organisations:
    given = frozenset(numbers)
    sirens = frozenset(number for number in given if len(number) == _SIREN_LENGTH)
    return Organisations(name, given - sirens, sirens)
