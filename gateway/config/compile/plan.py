"""The plan: what the supervisor hands to its workers, one JSON object a line, so that each line is one short step.

The gateway's line comes first, then the providers', the lists', the shared conditions' (those that others name first),
then for each app its rules, some in a line, and the app.
Secrets are in it: it is never written down.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypedDict, cast

from gateway.model.levels import Can
from gateway.model.provider import ClientAuthentication, EncryptionAlgorithm, ResponseMode, SigningAlgorithm

ContactKind = Literal["technical", "support", "administrative", "billing", "other"]


class ListenerPlan(TypedDict):
    host: str
    port: int
    certificate: str | None
    key: str | None
    redirect: bool


class SamlSelfPlan(TypedDict):
    """`keys`: (id, private key, certificate), the last two PEM in base64. `contacts`: (kind, e-mail, name).

    `organization`: (name, display name, URL, language). `requested`: as that of ServiceProvider.
    """

    entity_id: str
    keys: list[tuple[str, str, str]]
    contacts: list[tuple[ContactKind, str, str | None]]
    organization: tuple[str, str, str, str] | None
    requested: list[str] | None


class GatewayPlan(TypedDict):
    """`store_keys`: (id, base64). `workers` 0: one for each core."""

    portal_url: str
    portal_host: str
    listeners: list[ListenerPlan]
    admin: str
    state_folder: str
    store: str
    store_keys: list[tuple[str, str]]
    trusted_proxies: list[str]
    timeouts: dict[str, float]
    limits: dict[str, int]
    networks: list[tuple[str, int]]
    hsts: int | None
    access_log: bool
    development: bool
    watch: bool
    workers: int
    levels: list[str]
    saml: SamlSelfPlan | None


class ResponsesPlan(TypedDict):
    cache: Literal["private", "no-store", "unchanged"]
    clear_site_data: bool
    end_hsts: bool
    front_orders: bool


class ApiAccessPlan(TypedDict):
    audience: list[str]
    clients: list[str]
    scopes: list[str]
    introspection: bool
    introspection_algorithms: list[str]
    prefix: str
    without_tenant: bool


class OpaquePlan(TypedDict):
    """`paths`: path patterns, None for all. `header`: name in lower case and value."""

    provider: str
    paths: list[str] | None
    header: tuple[str, str] | None


class ApiPlan(TypedDict):
    """`paths`: path patterns."""

    providers: list[str]
    paths: list[str]
    forward: bool
    opaque: list[OpaquePlan]


class LevelsPlan(TypedDict):
    can: list[Can]
    acr: dict[str, str] | None
    amr: dict[str, str]
    ask: Literal["acr_values", "claims"]


class ClientKeyPlan(TypedDict):
    """`pem`: base64. `x5t`: the thumbprint of its certificate."""

    id: str | None
    algorithm: SigningAlgorithm | EncryptionAlgorithm
    pem: str
    x5t: str | None


class EncryptionPlan(TypedDict):
    keys: list[ClientKeyPlan]
    content: list[str]
    id_token: bool
    userinfo: bool
    introspection: bool


class RequestPlan(TypedDict):
    """As AuthorizationParameters."""

    response_mode: ResponseMode | None
    acr_values: list[str]
    prompt: list[str]
    max_age: int | None
    claims: str | None
    essential_acr: list[str]
    parameters: dict[str, str]
    passed_on: list[str]
    pushed: bool
    signed: bool


class ProviderPlan(TypedDict):
    """`client_certificate`: certificate and key, base64."""

    name: str
    label: str
    labels: dict[str, str]
    issuer: str
    client_id: str
    client_secret: str | None
    client_authentication: ClientAuthentication
    client_keys: list[ClientKeyPlan]
    client_certificate: tuple[str, str] | None
    assertion_audience: Literal["issuer", "token_endpoint"]
    userinfo_algorithms: list[str]
    userinfo_token: Literal["header", "body"]
    encryption: EncryptionPlan | None
    levels: LevelsPlan
    logout_method: Literal["auto", "get", "post"]
    refresh: bool
    refresh_userinfo: bool
    refresh_ends_on: list[str]
    api: ApiAccessPlan | None
    front_channel_logout: bool
    logout_client_id: bool
    logout_revoke: bool
    request: RequestPlan
    scopes: list[str]
    algorithms: list[str]
    userinfo: bool
    keys_max_age: int
    ca: str | None
    private_addresses: bool
    development: bool
    attributes: dict[str, list[str]]
    tenant: str | None
    siret: list[str] | None
    email_domains: list[str] | None
    asserted_scopes: list[str] | None
    listed: dict[str, list[str]] | None
    session_idle: int
    session_absolute: int
    skew: int


class SamlMetadataPlan(TypedDict):
    """`file`: base64, or None where it is fetched. `keys`: SubjectPublicKeyInfo, DER in base64."""

    file: str | None
    kind: Literal["entity", "aggregate", "mdq", "mdq_sha1"]
    url: str
    keys: list[str]


class SamlProviderPlan(TypedDict):
    """As ProviderPlan. `attributes`: our names, each with those that it may have in an assertion."""

    name: str
    label: str
    labels: dict[str, str]
    issuer: str
    metadata: SamlMetadataPlan
    signed: Literal["assertion", "response", "both"]
    encrypted: bool
    cbc: bool
    cbc_in_unsigned_response: bool
    request_binding: Literal["redirect", "post"]
    response_binding: Literal["post", "artifact"]
    name_id_format: str | None
    subject_without_name_id: str | None
    levels: LevelsPlan
    authn_context: list[str]
    authn_context_comparison: Literal["exact", "minimum", "better", "maximum"]
    force_authn: bool
    passive_first: bool
    unsolicited: bool
    friendly_names: bool
    digit_ids: bool
    ca: str | None
    client_certificate: tuple[str, str] | None
    private_addresses: bool
    development: bool
    attributes: dict[str, list[str]]
    tenant: str | None
    siret: list[str] | None
    email_domains: list[str] | None
    asserted_scopes: list[str] | None
    listed: dict[str, list[str]] | None
    session_idle: int
    session_absolute: int
    skew: int


class InjectedPlan(TypedDict):
    """`source` None: the fixed text `value`; `secret`: it is shown to nobody."""

    name: str
    source: str | None
    value: str
    secret: bool
    join: str | None
    encoding: Literal["utf8", "latin1", "percent", "base64"]
    unencodable: Literal["refuse", "transliterate"]


class RulePlan(TypedDict):
    """`allow` and `deny` are as the file has them, None where it has none."""

    line: int
    path: str
    methods: list[str] | None
    allow: object
    deny: object
    refusal: str
    shadow: bool


class RulesPlan(TypedDict):
    """Rules of the app that follows. `file`: as RuleRef names it."""

    file: str
    rules: list[RulePlan]


class ListPlan(TypedDict):
    """A part of a list of organisations: (SIRET or SIREN, INSEE code or an empty text)."""

    name: str
    organisations: list[tuple[str, str]]


class SharedPlan(TypedDict):
    """A shared condition, as its file has it."""

    name: str
    condition: object


class UpstreamPlan(TypedDict):
    """`fence`: the team and where its applications may listen."""

    scheme: str
    host: str
    port: int
    host_header: str | None
    ca: str | None
    first_byte: float | None
    fence: tuple[str, list[str]] | None


class LogoutPlan(TypedDict):
    """`cookies`: (name, path). `links`: path patterns."""

    scope: Literal["local", "global"]
    cookies: list[tuple[str, str]]
    url: str | None
    login: str
    links: list[str]


class AppPlan(TypedDict):
    """`shadow`: it stands beside the live one of its name, which comes after it."""

    shadow: bool
    name: str
    file: str
    hosts: list[str]
    scheme: str
    port: int | None
    upstream: UpstreamPlan
    providers: list[str]
    parameters: list[str]
    case_insensitive: bool
    merge_slashes: bool
    encoding: Literal["utf-8", "latin-1"]
    escaped: list[str]
    cookieless: bool
    mangled: bool
    windows: bool
    body_limit: int
    method_override: bool
    responses: ResponsesPlan
    seat_idle: int | None
    seat_absolute: int | None
    seat_then: Literal["resume", "sign_in"]
    streams_last: bool
    logout: LogoutPlan
    api: ApiPlan | None
    headers: list[InjectedPlan]
    cookies: list[InjectedPlan]


# A rule takes a worker some 30 microseconds, and more where its path has an expression.
_RULES_IN_A_LINE = 20
ORGANISATIONS_IN_A_LINE = 1000


def encode_plan(
    gateway: GatewayPlan,
    providers: Iterable[ProviderPlan],
    apps: Iterable[tuple[AppPlan, list[RulePlan]]],
    saml_providers: Iterable[SamlProviderPlan] = (),
    lists: Iterable[ListPlan] = (),
    shared: Iterable[SharedPlan] = (),
    closed: Mapping[str, str] | None = None,
) -> bytes:
    """The same values give the same bytes."""
    lines = [_line({"gateway": gateway})]
    lines += (_line({"provider": provider}) for provider in providers)
    lines += (_line({"saml_provider": provider}) for provider in saml_providers)
    lines += (_line({"list": part}) for part in lists)
    lines += (_line({"shared": condition}) for condition in shared)
    if closed:
        lines.append(_line({"closed": dict(sorted(closed.items()))}))
    for app, rules in apps:
        for start in range(0, len(rules), _RULES_IN_A_LINE):
            some: RulesPlan = {"file": app["file"], "rules": rules[start : start + _RULES_IN_A_LINE]}
            lines.append(_line({"rules": some}))
        lines.append(_line({"app": app}))
    return b"".join(lines)


def _line(value: object) -> bytes:
    # A folder's name may be any bytes: as a lone surrogate, it goes through both ways.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"


def revision_of(plan: bytes) -> str:
    return hashlib.sha256(plan).hexdigest()


def plan_lines(plan: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(plan):
        end = plan.index(b"\n", start) + 1
        yield plan[start:end]
        start = end


def gateway_plan(line: bytes) -> GatewayPlan:
    return cast(GatewayPlan, json.loads(line)["gateway"])
