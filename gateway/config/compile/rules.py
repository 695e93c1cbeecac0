"""Access rules of a plan to rules of policy, and what they refer to by name."""

from collections.abc import Iterable
from typing import Any, cast
from zoneinfo import ZoneInfo

from gateway.config.compile.cel import Cel, Tally
from gateway.config.compile.plan import OrganisationList
from gateway.config.schema.scalars import whole_seconds
from gateway.model.decision import RuleRef
from gateway.model.levels import ProviderLevels
from gateway.model.provider import Provider
from gateway.policy.conditions import All, Any_, Anyone, Claim, Condition, Group, Not, SignedIn, When
from gateway.policy.hours import Time, parse_dates, parse_days, parse_hours
from gateway.policy.levels import USUAL_LADDER, AcrMin, Amr, Ladder, MaxAge
from gateway.policy.patterns import parse_pattern
from gateway.policy.persons import OF_TENANT, Mandate, Organisations, SignedInBy, Tenant, User
from gateway.policy.request_conditions import Header, Method, Network, Query
from gateway.policy.rules import Rule
from gateway.policy.values import Equals, Exists, Matches, Sha256, Suffix, ValueTest, Within
from gateway.wire.addresses import parse_network

_SIREN_LENGTH = 9
# One object for thousands of applications.
_ANYONE, _SIGNED_IN = Anyone(), SignedIn()


class Named:
    """The definitions that rules refer to: shared conditions, lists of organisations, attributes, levels, expressions.
    Lines of the plan add definitions; a definition comes before its uses."""

    def __init__(self) -> None:
        self.levels: dict[str, ProviderLevels] = {}
        self.ladder = Ladder(USUAL_LADDER, self.levels)
        self.shared: dict[str, Condition] = {}
        self.tally = Tally()
        self._attributes: set[str] = set()
        self._numbers: dict[str, list[str]] = {}
        self._communes: dict[str, list[str]] = {}
        self._lists: dict[str, Organisations] = {}
        self._of_communes: dict[str, Organisations] = {}
        self._cel: Cel | None = None
        self.expressions = 0
        """The number of expressions that were compiled."""

    def use_ladder(self, names: Iterable[str]) -> None:
        self.ladder = Ladder(names, self.levels)

    def add_provider(self, provider: Provider) -> None:
        self.add_attributes(provider.attributes)
        self.levels[provider.name] = provider.levels

    def add_attributes(self, names: Iterable[str]) -> None:
        self._attributes.update(names)

    def add_organisations(self, part: OrganisationList) -> None:
        numbers = self._numbers.setdefault(part.name, [])
        for number, insee in part.members:
            numbers.append(number)
            if insee:
                self._communes.setdefault(insee, []).append(number)

    def list(self, name: str) -> Organisations:
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = organisations(name, self._numbers[name])
        return found

    def commune(self, insee: str) -> Organisations | None:
        """policy.persons.Communes. None if no list gives an organisation for the commune."""
        found = self._of_communes.get(insee)
        if found is None and insee in self._communes:
            found = self._of_communes[insee] = organisations("", self._communes[insee])
        return found

    def communes(self, codes: Iterable[str]) -> Organisations:
        """The organisations of several communes in a single list."""
        return organisations("", (number for code in codes for number in self._communes.get(code, ())))

    def when(self, source: str) -> When:
        """Raises GatewayError."""
        if self._cel is None:
            self._cel = Cel(self._attributes, self.tally)
        self.expressions += 1
        return self._cel.compile(source)


def organisations(name: str, numbers: Iterable[str]) -> Organisations:
    given = frozenset(numbers)
    sirens = frozenset(number for number in given if len(number) == _SIREN_LENGTH)
    return Organisations(name, given - sirens, sirens)


def build_rule(file: str, written: dict[str, Any], named: Named) -> Rule:
    """`written`: the validated rule in the form of its file, with its `line` number."""
    pattern, refusal = parse_pattern(written["path"], named=True), written.get("refusal", "")
    return Rule(
        ref=RuleRef(file, written["line"], pattern.text),
        pattern=pattern,
        methods=frozenset(written["methods"]) if "methods" in written else None,
        allow=build_condition(written["allow"], named) if "allow" in written else None,
        deny=build_condition(written["deny"], named) if "deny" in written else None,
        refusal=refusal if isinstance(refusal, str) else tuple(refusal.items()),
        shadow=written.get("shadow", False),
    )


def build_condition(written: object, named: Named) -> Condition:
    """Builds a condition from its form in the files. Raises ValueError for an unknown form."""
    match written:
        case "anyone":
            return _ANYONE
        case "signed_in":
            return _SIGNED_IN
        case {"any": list(parts)}:
            return Any_(tuple(build_condition(part, named) for part in parts))
        case {"all": list(parts)}:
            return All(tuple(build_condition(part, named) for part in parts))
        case {"not": part}:
            return Not(build_condition(part, named))
        case {"shared": str(name)}:
            return named.shared[name]
        case {"when": str(source)}:
            return named.when(source)
        case {"tenant": dict(value)}:
            return _tenant(value, named)
        case {"mandate": value}:
            return _mandate(value, named)
        case dict() if len(written) == 1:
            ((kind, value),) = written.items()
            return _of_sign_in(kind, value, named.ladder) or _matcher(kind, value)
        case _:
            raise ValueError(f"not a condition: {written!r}")


def _of_sign_in(kind: object, value: object, ladder: Ladder) -> Condition | None:
    match kind, value:
        case "acr_min", str(level):
            return AcrMin(level, ladder)
        case "amr", _:
            return Amr(_set(value), ladder)
        case "max_age", str(age):
            return MaxAge(whole_seconds(age), ladder)
        case _:
            return None


def _matcher(kind: object, value: object) -> Condition:
    match kind, value:
        case "group", str(name):
            return Group(name)
        case "claim", {"name": str(name), **test}:
            return Claim(name, _value_test(test))
        case "user", _:
            return User(_set(value))
        case "provider", _:
            return SignedInBy(_set(value))
        case "network", _:
            return Network(frozenset(map(parse_network, _list(value))))
        case "method", _:
            return Method(_set(value))
        case "header", {"name": str(name), **test}:
            return Header(name.lower(), _value_test(test))
        case "query", {"name": str(name), **test}:
            return Query(name, _value_test(test))
        case "time", {"zone": str(zone), **test}:
            return _time(zone, test)
        case _:
            raise ValueError(f"not a condition: {kind!r}")


def _tenant(value: dict[str, object], named: Named) -> Tenant:
    ((way, given),) = value.items()
    texts = _list(given)
    if way == "list":
        some = tuple(named.list(name) for name in dict.fromkeys(texts))
    elif way == "insee":
        some = (named.communes(texts),)
    else:
        some = (organisations("", texts),)
    return Tenant(f"{way} {', '.join(texts)}", some)


def _mandate(value: object, named: Named) -> Mandate:
    if not isinstance(value, dict):
        return Mandate(_set(value))
    return Mandate(_set(value["office"]), OF_TENANT if value.get("of") == "tenant" else None, named)


def _time(zone: str, value: dict[object, object]) -> Time:
    return Time(
        days=frozenset(day for text in _list(value.get("days", [])) for day in parse_days(text)),
        hours=tuple(map(parse_hours, _list(value.get("hours", [])))),
        dates=tuple(map(parse_dates, _list(value.get("dates", [])))),
        zone=ZoneInfo(zone),
    )


def _value_test(written: dict[object, object]) -> ValueTest:
    match written:
        case {"equals": str(text)}:
            return Equals(text)
        case {"in": list(texts)}:
            return Within(_set(texts))
        case {"suffix": str(text)}:
            return Suffix(text)
        case {"matches": str(source)}:
            return Matches(source)
        case {"sha256": str() | list() as digests}:
            return Sha256(_set(digests))
        case {"exists": True}:
            return Exists()
        case _:
            raise ValueError(f"not a test of a value: {written!r}")


def _list(written: object) -> list[str]:
    """A list of one text, or of several."""
    return [written] if isinstance(written, str) else cast(list[str], written)


def _set(written: object) -> frozenset[str]:
    return frozenset(_list(written))
