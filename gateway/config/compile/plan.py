"""The plan, which the supervisor hands to its workers. A worker reads it line by line: a line is one
value, and one short step.

The order of the lines: the gateway, the files of a design system, the providers, the directories, the tables of
organisations, the lists, the shared conditions (each after the conditions that it refers to), the closed hosts, then
the rules of each application, several in a line, followed by the application. `model.codec` encodes the values.

The plan holds secrets: it is never written to a file.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar, cast

from gateway.config.problems import Problem
from gateway.config.snapshot import App, Gateway
from gateway.model.codec import codec_of
from gateway.model.directory import Directory
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import ClientKey, OidcProvider, SamlProvider
from gateway.model.theme import DesignFile
from gateway.saml.parties import KeyPair
from gateway.tokens.spec import SigningKey, TokenAlgorithm


@dataclass(frozen=True, slots=True)
class OrganisationList:
    """A part of a list of organisations."""

    name: str
    members: tuple[tuple[str, str], ...]
    """(SIRET or SIREN, INSEE code or an empty text)."""


@dataclass(frozen=True, slots=True)
class SharedCondition:
    """A condition of shared/."""

    name: str
    condition: object
    """As its file has it."""


@dataclass(frozen=True, slots=True)
class ClosedHosts:
    """The hosts of wrong files: no application answers there."""

    files: Mapping[str, str]
    """The file of each host or `*.` pattern, some with a path."""
    unread: Mapping[str, tuple[str, ...] | None]
    """Files whose hosts are not all known, each with the hosts of its team's fence; None without a fence."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Rules of the application that follows in the plan."""

    file: str
    """As RuleRef names it."""
    rules: tuple[object, ...]
    """Each as its file has it, with the number of its `line`."""


@dataclass(frozen=True, slots=True)
class Application:
    """An application, and the names in its file that `build` looks up."""

    app: App
    providers: tuple[str, ...]
    directories: tuple[str, ...] = ()
    shadow: bool = False
    """It stands beside the live application of its name, which comes after it."""


Line = (
    Gateway
    | DesignFile
    | OidcProvider
    | SamlProvider
    | Directory
    | OrganisationTable
    | OrganisationList
    | SharedCondition
    | ClosedHosts
    | AccessRules
    | Application
)
LineT = TypeVar("LineT", Gateway, OidcProvider, SamlProvider, Directory, OrganisationTable, Application)

LINE = codec_of(Line)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled folder.

    `plan`: the bytes from which a worker builds its snapshot, secrets included.
    `revision`: the SHA-256 of the plan, in hex.
    `left_out`: the problems of app files that were not taken.
    `kept`: the app files that stay in their last served form.
    `closed`: the app files whose hosts are closed."""

    plan: bytes
    revision: str
    left_out: tuple[Problem, ...] = ()
    kept: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


def encode_plan(lines: Iterable[Line]) -> bytes:
    """The same values give the same bytes."""
    values = [LINE.write(line) for line in lines]
    return b"".join(map(_text, values))


def _text(value: object) -> bytes:
    # A folder's name may be any bytes: as lone surrogates they survive both ways.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"


def decode_line(line: bytes) -> Line:
    """Raises ValueError for bytes that are not a line of a plan."""
    return cast(Line, LINE.read(json.loads(line)))


def revision_of(plan: bytes) -> str:
    return hashlib.sha256(plan).hexdigest()


def plan_lines(plan: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(plan):
        end = plan.index(b"\n", start) + 1
        yield plan[start:end]
        start = end


def lines_of(plan: bytes, kind: type[LineT]) -> Iterator[LineT]:
    """The values of one kind. Other lines are not decoded."""
    head = f'{{"{kind.__name__}":'.encode("ascii")
    return (cast(LineT, decode_line(line)) for line in plan_lines(plan) if line.startswith(head))


def signed_with(plan: bytes) -> frozenset[TokenAlgorithm]:
    """The algorithms of the signed tokens that applications of the plan receive."""
    tokens = (token for line in _looked_at(plan, Application) for token in line["app"].get("tokens", ()))
    return frozenset(token["JwtSpec"]["algorithm"] for token in tokens if "JwtSpec" in token)


def sent_ltpa2(plan: bytes) -> tuple[str, ...]:
    """The names of the live applications that receive LTPA2 tokens, whose ciphers are weaker than those of other
    tokens."""
    return tuple(app["name"] for app in _live(plan) if any("Ltpa2Spec" in token for token in app.get("tokens", ())))


def closed_in(plan: bytes) -> ClosedHosts:
    """The hosts for which no application answers, because its file is wrong."""
    found = next(_looked_at(plan, ClosedHosts), None)
    return ClosedHosts({}, {}) if found is None else ClosedHosts(found["files"], found["unread"])


def with_token_keys(plan: bytes, keys: tuple[SigningKey, ...]) -> bytes:
    """The same plan with other keys for tokens."""
    return _with(plan, token_keys=keys)


StoreKeyPairs = tuple[tuple[str, bytes], ...]


class KeptKeys(NamedTuple):
    """Functions that reduce the gateway's own keys of each kind to the keys that stay, in the order in which they
    serve."""

    store: Callable[[StoreKeyPairs], StoreKeyPairs]
    saml: Callable[[tuple[KeyPair, ...]], tuple[KeyPair, ...]]
    client: Callable[[tuple[ClientKey, ...]], tuple[ClientKey, ...]]


def with_kept_keys(plan: bytes, kept: KeptKeys) -> bytes:
    """The same plan with only the kept keys."""
    gateway = next(lines_of(plan, Gateway))
    own = gateway.service_provider
    changes = {} if own is None else {"service_provider": replace(own, keys=kept.saml(own.keys))}
    plan = _with(plan, store_keys=kept.store(gateway.store_keys), **changes)
    return b"".join(_with_kept_client_keys(line, kept) for line in plan_lines(plan))


def _with_kept_client_keys(line: bytes, kept: KeptKeys) -> bytes:
    if not line.startswith(b'{"OidcProvider":'):
        return line
    provider = cast(OidcProvider, decode_line(line))
    return encode_plan([replace(provider, client_keys=kept.client(provider.client_keys))])


def _with(plan: bytes, **changes: Any) -> bytes:
    first, rest = plan[: (end := plan.index(b"\n") + 1)], plan[end:]
    gateway = decode_line(first)
    if not isinstance(gateway, Gateway):
        raise ValueError("a plan that begins without a gateway")
    return encode_plan([replace(gateway, **changes)]) + rest


class ServedNames(NamedTuple):
    """The names of what a plan serves."""

    apps: tuple[str, ...]
    oidc_providers: tuple[str, ...]
    saml_providers: tuple[str, ...]


def names_of(plan: bytes) -> ServedNames:
    """The names by which the supervisor counts."""
    live = [app["name"] for app in _live(plan)]
    oidc = [provider["name"] for provider in _looked_at(plan, OidcProvider)]
    saml = [provider["name"] for provider in _looked_at(plan, SamlProvider)]
    return ServedNames(tuple(live), tuple(oidc), tuple(saml))


def hosts_of_plan(plan: bytes) -> dict[str, tuple[str, ...]]:
    """The hosts of each live app file, by the path of the file. A host includes the path of its application. Shadow
    files are left out."""
    # A plan writes the path of a file with the name of the folder before it.
    return {
        app["file"].partition("/")[2]: tuple(host + app.get("path", "") for host in app["hosts"]) for app in _live(plan)
    }


def _live(plan: bytes) -> Iterator[dict[str, Any]]:
    """The applications as JSON, without shadows."""
    return (line["app"] for line in _looked_at(plan, Application) if not line.get("shadow"))


def _looked_at(plan: bytes, kind: type) -> Iterator[dict[str, Any]]:
    """The lines of one kind as JSON, so that reading thousands of names builds no values."""
    head = f'{{"{kind.__name__}":'.encode("ascii")
    return (json.loads(line)[kind.__name__] for line in plan_lines(plan) if line.startswith(head))
