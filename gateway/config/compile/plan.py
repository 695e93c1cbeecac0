"""The plan: what the supervisor hands to its workers, one value a line, so that each line is one short step.

The gateway's line comes first, then the files of a design system, the providers', the directories', the tables of
organisations, the lists', the shared conditions' (those that others name first), then for each app its rules, some in a
line, and the app. `model.codec` carries the values.
Secrets are in it: it is never written down.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar, cast

from gateway.config.snapshot import AppSettings, Gateway, LogoutSettings
from gateway.config.upstream_settings import UpstreamSettings
from gateway.model.codec import codec_of
from gateway.model.directory import Directory
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import ClientKey, OidcProvider, SamlProvider
from gateway.model.theme import DesignFile
from gateway.saml.parties import KeyPair
from gateway.tokens.spec import SigningKey, TokenAlgorithm
from gateway.translation.render import BUDGET
from gateway.translation.specs import CookieSpec, HeaderSpec


@dataclass(frozen=True, slots=True)
class OrganisationList:
    """A part of a list of organisations: (SIRET or SIREN, INSEE code or an empty text)."""

    name: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SharedCondition:
    """`condition`: as its file has it."""

    name: str
    condition: object


@dataclass(frozen=True, slots=True)
class ClosedHosts:
    """Hosts, or `*.` patterns, of wrong files, each perhaps with a path, and the file. `unread`: the files whose hosts
    are not all known, and the hosts that their team may have; None where no team's fence is around them."""

    files: Mapping[str, str]
    unread: Mapping[str, tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """`path`: a pattern. `methods` None: all. `allow` and `deny`: as the file has them, None where it has none."""

    line: int
    path: str
    methods: tuple[str, ...] | None = None
    allow: object = None
    deny: object = None
    refusal: tuple[tuple[str, str], ...] = ()
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class WrittenRules:
    """Rules of the app that follows in the plan. `file`: as RuleRef names it."""

    file: str
    rules: tuple[WrittenRule, ...]


@dataclass(frozen=True, slots=True)
class WrittenOpaqueTokens:
    """As OpaqueTokens. `paths`: path patterns, None for all. `header`: name in lower case and value."""

    provider: str
    paths: tuple[str, ...] | None = None
    header: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class WrittenApi:
    """As Api. `paths`: path patterns."""

    providers: tuple[str, ...]
    paths: tuple[str, ...]
    forward: bool = False
    opaque: tuple[WrittenOpaqueTokens, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenPathHeaders:
    """All headers that an application is sent on some paths. `path`: their pattern."""

    path: str
    headers: tuple[HeaderSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutChanges:
    """Seconds in the place of others, None where these hold."""

    connect: float | None = None
    first_byte: float | None = None
    body: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class WrittenPathLimits:
    """`path`: a pattern. `body`: bytes, 0 for no limit, None for the application's."""

    path: str
    body: int | None
    timeouts: TimeoutChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenApp(AppSettings):
    """An app without its rules. `shadow`: it stands beside the live app of its name, which comes after it.

    `providers`, `directories`: the names of those that it lists. `timeouts`: in the place of the gateway's, None
    where these hold.
    `logout_links`: path patterns of its own sign-out addresses.
    """

    shadow: bool
    providers: tuple[str, ...]
    upstream: UpstreamSettings
    directories: tuple[str, ...] = ()
    timeouts: TimeoutChanges | None = None
    logout: LogoutSettings = field(default_factory=LogoutSettings)
    logout_links: tuple[str, ...] = ()
    api: WrittenApi | None = None
    headers: tuple[HeaderSpec, ...] = ()
    cookies: tuple[CookieSpec, ...] = ()
    header_budget: int = BUDGET
    path_headers: tuple[WrittenPathHeaders, ...] = ()
    path_limits: tuple[WrittenPathLimits, ...] = ()


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
    | WrittenRules
    | WrittenApp
)
LineT = TypeVar("LineT", Gateway, OidcProvider, SamlProvider, Directory, OrganisationTable, WrittenApp)

LINE = codec_of(Line)


def encode_plan(lines: Iterable[Line]) -> bytes:
    """The same values give the same bytes."""
    values = [LINE.write(line) for line in lines]
    return b"".join(map(_text, values))


def _text(value: object) -> bytes:
    # A folder's name may be any bytes: as lone surrogates they survive both ways.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"


def decode_line(line: bytes) -> Line:
    """Raises ValueError for what is no line of a plan."""
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
    """The values of one kind, without reading the others."""
    head = f'{{"{kind.__name__}":'.encode("ascii")
    return (cast(LineT, decode_line(line)) for line in plan_lines(plan) if line.startswith(head))


def signed_with(plan: bytes) -> frozenset[TokenAlgorithm]:
    """The algorithms of the signed tokens that its applications are sent."""
    tokens = (token for app in _looked_at(plan, WrittenApp) for token in app.get("tokens", ()))
    return frozenset(token["JwtSpec"]["algorithm"] for token in tokens if "JwtSpec" in token)


def sent_ltpa2(plan: bytes) -> tuple[str, ...]:
    """The names of the live applications that are sent LTPA2 tokens, whose ciphers are weaker than others."""
    live = (app for app in _looked_at(plan, WrittenApp) if not app["shadow"])
    return tuple(app["name"] for app in live if any("Ltpa2Spec" in token for token in app.get("tokens", ())))


def closed_in(plan: bytes) -> ClosedHosts:
    """The hosts for which no application answers, because its file is wrong."""
    found = next(_looked_at(plan, ClosedHosts), None)
    return ClosedHosts({}, {}) if found is None else ClosedHosts(found["files"], found["unread"])


def with_token_keys(plan: bytes, keys: tuple[SigningKey, ...]) -> bytes:
    """The same plan, with these keys."""
    return _with(plan, token_keys=keys)


StoreKeyPairs = tuple[tuple[str, bytes], ...]


class KeptKeys(NamedTuple):
    """Of our own keys of each kind, those that stay, in the order in which they serve."""

    store: Callable[[StoreKeyPairs], StoreKeyPairs]
    saml: Callable[[tuple[KeyPair, ...]], tuple[KeyPair, ...]]
    client: Callable[[tuple[ClientKey, ...]], tuple[ClientKey, ...]]


def with_kept_keys(plan: bytes, kept: KeptKeys) -> bytes:
    """The same plan, with these of our keys."""
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
    """For the supervisor, which counts by these names and serves nothing itself."""
    live = [app["name"] for app in _looked_at(plan, WrittenApp) if not app["shadow"]]
    oidc = [provider["name"] for provider in _looked_at(plan, OidcProvider)]
    saml = [provider["name"] for provider in _looked_at(plan, SamlProvider)]
    return ServedNames(tuple(live), tuple(oidc), tuple(saml))


def hosts_of_plan(plan: bytes) -> dict[str, tuple[str, ...]]:
    """The hosts of each app file that is live, with its path; a shadow has none."""
    # A plan writes the path of a file with the name of the folder before it.
    live = (app for app in _looked_at(plan, WrittenApp) if not app["shadow"])
    return {app["file"].partition("/")[2]: tuple(host + app.get("path", "") for host in app["hosts"]) for app in live}


def _looked_at(plan: bytes, kind: type) -> Iterator[dict[str, Any]]:
    """As JSON: the names of thousands are read without making the values."""
    head = f'{{"{kind.__name__}":'.encode("ascii")
    return (json.loads(line)[kind.__name__] for line in plan_lines(plan) if line.startswith(head))
