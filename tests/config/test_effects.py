# ruff: noqa: E501 - a case is a line
"""Every key of every file changes what is served, and in the way that it says (K009: no inert restriction).

A key is set in a file that is otherwise good; what is seen in the snapshot before and after is compared. The last test
holds the table against the schemas: a new key without its line here is a failure.
"""

import json
import ssl
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from hashlib import sha256
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Any, NamedTuple

import pytest
import trustme

from gateway.config.exchange_limits import ExchangeLimits, Rate
from gateway.config.keyring import Keyring, RingKey, RingKind, keyring_text
from gateway.config.schema.conditions import KEYS
from gateway.config.schema.json_schema import schemas
from gateway.config.snapshot import Snapshot
from gateway.config.yaml.reader import read_document
from gateway.identity.directories import finding_of, known_with, missing_from, transformed
from gateway.identity.perimeter import check
from gateway.identity.served_by import ProvidersByOrganisation, in_order
from gateway.model.directory import (
    Directory,
    DirectoryFinding,
    GivenAttribute,
    HttpSource,
    KeyPart,
    LdapSource,
    PostgresqlSource,
    SqliteSource,
)
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import TermColumns
from gateway.model.organisations import ListedOrganisation, OrganisationTable
from gateway.policy.decide import decide
from gateway.policy.facts import Facts, RequestFacts
from gateway.tokens.basic import basic_line
from gateway.tokens.claims import told
from gateway.tokens.jwt import signing_key
from gateway.tokens.spec import Carrier
from gateway.translation.render import NOTHING, Injection
from tests.access.decided import decided_at_once
from tests.config.design_copy import READ
from tests.config.samples import BASE, sample_snapshot
from tests.tokens.keys import pem
from tests.tokens.test_ltpa import EXPORTED, PASSWORD
from tools.reference import fenced_keys

LEAF = trustme.CA().issue_cert("portail.localhost")


def ring(kind: RingKind, parts: dict[str, str]) -> bytes:
    return keyring_text(Keyring(kind, (RingKey("r1", 0, None, parts),)))


PEM = {
    "file:tls.crt": LEAF.cert_chain_pems[0].bytes().strip(),
    "file:tls.key": LEAF.private_key_pem.bytes().strip(),
    "file:es256.pem": pem("ES256").strip(),
    "file:rs256.pem": pem("RS256").strip(),
    "file:logo.svg": b"<svg/>",
    "file:shared.key": b64encode(bytes(range(32))),
    "file:ltpa.keys": EXPORTED.strip(),
    "file:ltpa.password": PASSWORD,
    "file:validation.key": b"AB" * 64,
    "file:decryption.key": b"CD" * 32,
    "file:basic": "mot de passé".encode(),
    "file:store.ring": ring("store", {"secret": "0123456789-of-a-keyring-0123456789"}),
    "file:saml.ring": ring(
        "saml", {"key": LEAF.private_key_pem.bytes().decode(), "certificate": LEAF.cert_chain_pems[0].bytes().decode()}
    ),
    "file:client.ring": ring("client", {"key": pem("ES256").decode(), "algorithm": "ES256"}),
    "env:LINKS": b"0123456789-of-the-links-0123456789",
    "env:OTHER": b"0123456789-of-another-key-0123456789",
}
TOKENS = "tokens: {keys: [{key: {file: es256.pem}}, {algorithm: RS256, key: {file: rs256.pem}}]}\n"
ACCOUNTS = "accounts: {keys: [{id: l1, secret: {env: LINKS}}]}\n"
SCIM = {"keys": [{"id": "s1", "secret": {"env": "LINKS"}}],
        "clients": [{"name": "ville", "provider": "metropole", "tokens": [{"env": "OTHER"}], "named_by": "externalId",
                     "person": "mail", "siret": ["21590350100017"]}]}  # fmt: skip
FRONTS = "trusted_proxies: [127.0.0.1]\nforward_auth: {secret: {env: OTHER}}\n"
TLS = {"certificate": {"file": "tls.crt"}, "key": {"file": "tls.key"}}
ENCRYPTION = {"keys": [{"id": "k", "key": {"file": "tls.key"}, "algorithm": "ECDH-ES"}], "content": ["A128GCM"],
              "id_token": False, "userinfo": True}  # fmt: skip
HELENE = Identity(
    provider="metropole", issuer="http://127.0.0.1:9400", subject="helene",
    attributes={
        "uid": ("helene",), "mail": ("helene@metropole.example",), "groups": ("administrateurs", "ONDE"),
        "family_name": ("Łącka",), "siret": ("21590350100017",),
    },
)  # fmt: skip

PAUL = replace(HELENE, subject="paul", attributes={**HELENE.attributes, "uid": ("paul",), "groups": ("ONDE",)})


MAYOR = replace(PAUL, attributes={**PAUL.attributes, "mandates": ("maire",)})
WITH_MANDATES = (
    BASE["providers/metropole.yaml"]
    .replace("  uai: uai\n", "  uai: uai\n  mandates: mandates\n")
    .replace("  scopes:", "  api: {audience: [urn:permis], introspection: true}\n  scopes:")
)


TWO: tuple[Any, ...] = ((("upstream", "others"), ["http://127.0.0.1:9002"]),)


class Effect(NamedTuple):
    """`key` as the schema test names it, `value` written at `path`; `see` gives `before`, then `after`."""

    key: str
    path: tuple[str | int, ...]
    value: object
    see: Callable[[Snapshot], object]
    before: object
    after: object
    with_it: tuple[tuple[tuple[str | int, ...], object], ...] = ()


# A Tuesday, 10:00 in Paris.
ASKED = RequestFacts(ip_address("10.1.2.3"), (("x-mode", "print"),), "/admin/", "mode=print", 1764061200.0)


def decision(method: str, *segments: str, who: Identity | None = HELENE) -> Callable[[Snapshot], object]:
    def see(snapshot: Snapshot) -> str:
        facts = Facts(method, "21590350100017", ASKED)
        return type(decide(snapshot.apps["permis"].routes.find(segments), method, who, facts)).__name__

    return see


def within(**changed: str) -> Callable[[Snapshot], object]:
    """Whether the provider may say of HELENE what she is, with some attributes changed."""

    def see(snapshot: Snapshot) -> str:
        attributes = {**HELENE.attributes, **{name: (value,) for name, value in changed.items()}}
        identity = Identity("metropole", HELENE.issuer, HELENE.subject, attributes)
        try:
            check(snapshot.providers["metropole"], identity)
        except GatewayError as error:
            return error.code.id
        return "within"

    return see


def app(see: Callable[[Any], object]) -> Callable[[Snapshot], object]:
    return lambda snapshot: see(next(iter(snapshot.apps.values())))


def at_a(see: Callable[[Any], object]) -> Callable[[Snapshot], object]:
    """What bounds a request to /a."""

    def seen(app: Any) -> object:
        usual = ExchangeLimits(app.body_limit, app.upstream.timeouts)
        return see(usual if app.path_limits is None else app.path_limits.at(("a",)))

    return app(seen)


def provider(see: Callable[[Any], object]) -> Callable[[Snapshot], object]:
    return lambda snapshot: see(next(iter(snapshot.providers.values())))


LILLE = ListedOrganisation("Lille", siren="215903501", departement="59", domains=("lille.example",))


def serves(organisation: ListedOrganisation) -> Callable[[Snapshot], object]:
    """How many providers sign its people in."""

    def found(snapshot: Snapshot) -> int:
        known = snapshot.providers.values()
        return len(ProvidersByOrganisation(known).serving(organisation, in_order(known)))

    return found


def gateway(see: Callable[[Any], object]) -> Callable[[Snapshot], object]:
    return lambda snapshot: see(snapshot.gateway)


def injected(snapshot: Snapshot) -> Injection | str:
    try:
        return snapshot.apps["permis"].translation.render(HELENE)
    except GatewayError as error:
        return error.code.id


def timeout(name: str, value: str, before: float, after: float) -> Effect:
    return Effect(
        f"timeouts.{name}", ("timeouts", name), value, gateway(lambda g: getattr(g.timeouts, name)), before, after
    )


def limit(name: str, field: str, value: object, before: int, after: int) -> Effect:
    return Effect(f"limits.{name}", ("limits", name), value, gateway(lambda g: getattr(g.limits, field)), before, after)


OTHER = trustme.CA().issue_cert("autre.localhost")
PEM["file:other.crt"] = OTHER.cert_chain_pems[0].bytes().strip()
PEM["file:other.key"] = OTHER.private_key_pem.bytes().strip()
OTHER_PAIR = {"certificate": {"file": "other.crt"}, "key": {"file": "other.key"}}
SAML_KEY = {"id": "k1", **TLS}
KEY_OF_STORE = {"id": "k1", "secret": {"file": "../certs/store.key"}}
ORGANIZATION = {"name": "Ville", "url": "https://ville.example"}


def own(key: str, value: object, see: Callable[[Any], object], before: object, after: object) -> Effect:
    """Below `saml:`, beside a key that is there already."""
    path = ("saml", key.partition("[")[0].partition(".")[0])
    return Effect(
        f"saml.{key}", path, value, gateway(lambda g: see(g.service_provider)), before, after,
        ((("saml",), {"keys": [SAML_KEY]}),),
    )  # fmt: skip


def signing(served: Any) -> list[tuple[str, str]]:
    return [(one.algorithm, one.id) for one in served.token_keys]


# What it keeps out is in test_checks_teams.
FENCE = {
    "hosts": ["x.localhost"],
    "providers": ["metropole"],
    "upstreams": ["10.0.0.0/8"],
    "headers": ["X-A"],
    "cookies": ["A"],
    "attributes": ["uid"],
    "secrets": ["../teams/x"],
    "sockets": ["/run/x"],
    "directories": ["communes"],
}

GATEWAY = [
    Effect("accounts.keys[].id", ("accounts",), {"keys": [{"id": "l2", "secret": {"env": "LINKS"}}]},
           gateway(lambda g: g.link_keys), (), (("l2", PEM["env:LINKS"]),)),
    Effect("accounts.keys[].secret", ("accounts",), {"keys": [{"id": "l1", "secret": {"env": "LINKS"}}]},
           gateway(lambda g: [key for _, key in g.link_keys]), [], [PEM["env:LINKS"]]),
    *(Effect(f"scim.keys[].{key}", ("scim",), SCIM, gateway(lambda g: g.scim.keys), (), (("s1", PEM["env:LINKS"]),))
      for key in ("id", "secret")),
    *(Effect(f"scim.clients[].{key}", ("scim",), SCIM, gateway(lambda g, name=name: [getattr(one, name) for one in g.scim.clients]), [], [after])
      for key, name, after in (("name", "name", "ville"), ("provider", "provider", "metropole"), ("person", "person", "mail"),
                               ("tokens[]", "tokens", (PEM["env:OTHER"],)), ("named_by", "named_by", "externalId"),
                               ("siret[]", "tenants", frozenset({"21590350100017"})))),
    Effect("tokens.keys[].key", ("tokens",), {"keys": [{"key": {"file": "es256.pem"}}]}, gateway(signing), [],
           [("ES256", signing_key("ES256", pem("ES256")).id)]),
    Effect("tokens.rotate", ("tokens",), {"rotate": "30d"}, gateway(lambda g: g.token_rotation), 90 * 86400, 30 * 86400),
    Effect("tokens.keys[].algorithm", ("tokens",), {"keys": [{"algorithm": "RS256", "key": {"file": "rs256.pem"}}]},
           gateway(signing), [], [("RS256", signing_key("RS256", pem("RS256")).id)]),
    Effect("levels[]", ("levels",), ["faible", "fort"], lambda s: s.ladder.names,
           ("eidas0", "eidas0-mfa", "eidas1", "eidas1-mfa", "eidas2", "eidas3"), ("faible", "fort")),
    Effect("portal", ("portal",), "http://autre.localhost", gateway(lambda g: (g.portal_url, g.portal_host)),
           ("http://portail.localhost:8080", "portail.localhost"), ("http://autre.localhost", "autre.localhost")),
    Effect("listen[].address", ("listen", 0, "address"), "[::1]:80", gateway(lambda g: g.listeners[0].address),
           ("127.0.0.1", 8080), ("::1", 80)),
    Effect("listen[].proxy_protocol[]", ("listen", 0, "proxy_protocol"), ["10.0.0.4"], gateway(lambda g: [*map(str, g.listeners[0].proxies)]), [], ["10.0.0.4/32"]),
    Effect("listen[].redirect", ("listen", 0, "redirect"), "https", gateway(lambda g: g.listeners[0].redirects), "nothing", "all"),
    Effect("forward_auth.host", ("forward_auth",), {"secret": {"env": "OTHER"}, "host": "ECLUSE.internal"},
           gateway(lambda g: g.forward_auth and g.forward_auth.host), None, "ecluse.internal",
           ((("trusted_proxies",), ["10.0.0.0/8"]),)),
    Effect("forward_auth.secret", ("forward_auth",), {"secret": {"env": "OTHER"}},
           gateway(lambda g: g.forward_auth and g.forward_auth.secret), None, PEM["env:OTHER"],
           ((("trusted_proxies",), ["10.0.0.0/8"]),)),
    Effect("hsts", ("hsts",), "180d", gateway(lambda g: g.hsts), None, 180 * 86400),
    Effect("listen[].tls.certificate", ("listen", 0, "tls"), TLS, gateway(lambda g: [(one.certificate, one.names, one.ends > 0) for one in g.listeners[0].certificates]),
           [], [(PEM["file:tls.crt"], ("portail.localhost",), True)]),
    Effect("listen[].tls.key", ("listen", 0, "tls"), TLS, gateway(lambda g: [one.key for one in g.listeners[0].certificates]), [], [PEM["file:tls.key"]]),
    *(Effect(f"listen[].tls.others[].{key}", ("listen", 0, "tls"), {**TLS, "others": [OTHER_PAIR]}, gateway(lambda g, key=key: [getattr(one, key) for one in g.listeners[0].certificates]),
             [], [PEM[f"file:tls.{end}"], PEM[f"file:other.{end}"]])
      for key, end in (("certificate", "crt"), ("key", "key"))),
    Effect("admin", ("admin",), "unix:../var/admin.sock", gateway(lambda g: g.admin), "127.0.0.1:8081",
           "unix:/srv/ecluse/var/admin.sock"),
    Effect("posts.folder", ("posts",), {"folder": "../posts"}, gateway(lambda g: g.posts.folder),
           "/srv/ecluse/var/posts", "/srv/ecluse/posts"),
    Effect("posts.per_person", ("posts",), {"per_person": "5MB"}, gateway(lambda g: g.posts.per_person), 100 << 20, 5 << 20),
    Effect("buffers.folder", ("buffers",), {"folder": "/tmp/b"}, gateway(lambda g: g.buffers.folder), "/srv/ecluse/var/buffers", "/tmp/b"),
    Effect("buffers.in_all", ("buffers",), {"in_all": "5GB"}, gateway(lambda g: g.buffers.in_all), 1 << 30, 5 << 30),
    Effect("posts.in_all", ("posts",), {"in_all": "5GB"}, gateway(lambda g: g.posts.in_all), 1 << 30, 5 << 30),
    Effect("theme.name", ("theme",), {"name": {"fr": "Ville"}}, gateway(lambda g: g.theme.name), {}, {"fr": "Ville"}),
    Effect("theme.logo", ("theme",), {"logo": {"file": "logo.svg"}}, gateway(lambda g: g.theme.logo), None, b"<svg/>"),
    Effect("theme.colours.light", ("theme",), {"colours": {"light": "#5B2A86"}}, gateway(lambda g: g.theme.colours.light),
           "#0b5c6b", "#5b2a86"),
    Effect("theme.colours.dark", ("theme",), {"colours": {"dark": "#D9B8FF"}}, gateway(lambda g: g.theme.colours.dark),
           "#84d3de", "#d9b8ff"),
    *(
        Effect(f"theme.dsfr.{key}", ("theme",), {"dsfr": {"folder": "x", "mark": "Ministère\nde l’Exemple"}},
               gateway(lambda g, see=see: g.theme.dsfr and see(g.theme.dsfr)), None, after)
        for key, see, after in (("folder", lambda d: len(d.digest), 16), ("mark", lambda d: d.mark, ("Ministère", "de l’Exemple")))
    ),
    Effect("theme.help", ("theme",), {"help": "Poste 42"}, gateway(lambda g: g.theme.help), {}, {"": "Poste 42"}),
    *(
        Effect(f"theme.links.{key}", ("theme",), {"links": {key: "https://ville.example/a"}},
               gateway(lambda g, key=key: getattr(g.theme.links, key)), {}, {"": "https://ville.example/a"})
        for key in ("legal", "data_protection")
    ),
    Effect("theme.accessibility.state", ("theme",), {"accessibility": {"state": "partial"}},
           gateway(lambda g: g.theme.accessibility and g.theme.accessibility.state), None, "partial"),
    Effect("theme.accessibility.statement", ("theme",), {"accessibility": {"state": "full", "statement": "https://a.example/"}},
           gateway(lambda g: g.theme.accessibility and g.theme.accessibility.statement), None, {"": "https://a.example/"}),
    Effect("theme.levels.*", ("theme",), {"levels": {"eidas2": {"fr": "carte"}}}, gateway(lambda g: g.theme.levels), {},
           {"eidas2": {"fr": "carte"}}),
    Effect("theme.time_zone", ("theme",), {"time_zone": "Indian/Reunion"}, gateway(lambda g: g.theme.time_zone),
           "Europe/Paris", "Indian/Reunion"),
    Effect("state", ("state",), "/var/lib/ecluse", gateway(lambda g: g.state_folder), "/srv/ecluse/var", "/var/lib/ecluse"),
    Effect("store.type", ("store", "type"), "memory", gateway(lambda g: g.store), "sqlite", "memory", ((("workers",), 1),)),
    Effect("store.grace", ("store", "grace"), "0s", gateway(lambda g: g.store_grace), 10.0, 0.0),
    Effect("store.keys[].id", ("store", "keys", 0, "id"), "k2", gateway(lambda g: g.store_keys[0][0]), "k1", "k2"),
    Effect("store.keys[].secret", ("store", "keys", 0, "secret"), {"env": "OTHER"}, gateway(lambda g: g.store_keys[0][1]),
           b"0123456789abcdef0123456789abcdef", PEM["env:OTHER"]),
    Effect("store.keyring", ("store",), {"type": "sqlite", "keyring": {"file": "store.ring"}},
           gateway(lambda g: [id for id, _ in g.store_keys]), ["k1"], ["r1"]),
    Effect("saml.keyring", ("saml",), {"keyring": {"file": "saml.ring"}},
           gateway(lambda g: g.service_provider and [one.id for one in g.service_provider.keys]), None, ["r1"]),
    *(Effect(f"store.server.{key}", ("store",),
             {"type": "redis", "keys": [KEY_OF_STORE], "server": {"address": "valkey.example:6379", **said}},
             gateway(lambda g, field=field: g.store_server and getattr(g.store_server, field)), None, after)
      for key, said, field, after in (
          ("address", {}, "addresses", (("valkey.example", 6379),)), ("replicas", {"replicas": 2}, "replicas", 2),
          ("prefix", {"prefix": "test:"}, "prefix", "test:"), ("username", {"username": "ecluse"}, "username", "ecluse"),
          ("password", {"password": {"env": "OTHER"}}, "password", PEM["env:OTHER"]),
          ("tls.ca", {"tls": {}}, "tls", True), ("tls.ca", {"tls": {"ca": {"file": "tls.crt"}}}, "ca", PEM["file:tls.crt"]),
          ("connections", {"connections": 4}, "connections", 4), ("timeout", {"timeout": "500ms"}, "timeout", 0.5),
          ("lacks", {"lacks": "refuse"}, "strict", True))),
    *(Effect("store.server.cluster[]", ("store",),
             {"type": "redis", "keys": [KEY_OF_STORE], "server": {"cluster": ["10.0.0.6:6379", "10.0.0.7:6379"]}},
             gateway(lambda g, field=field: g.store_server and getattr(g.store_server, field)), None, after)
      for field, after in (("addresses", (("10.0.0.6", 6379), ("10.0.0.7", 6379))), ("cluster", True))),
    *(Effect(f"store.server.sentinel.{key}", ("store",),
             {"type": "redis", "keys": [KEY_OF_STORE], "server": {"sentinel": {
                 "name": "ecluse", "addresses": ["10.0.0.6:26379", "[::1]:26379"], **said}}},
             gateway(lambda g, read=read: g.store_server and read(g.store_server)), None, after)
      for key, said, read, after in (
          ("name", {}, lambda server: server.sentinels.name, "ecluse"),
          ("addresses[]", {}, lambda server: server.addresses, (("10.0.0.6", 26379), ("::1", 26379))),
          ("username", {"username": "watch"}, lambda server: server.sentinels.username, "watch"),
          ("password", {"password": {"env": "OTHER"}}, lambda server: server.sentinels.password, PEM["env:OTHER"]))),
    Effect("trusted_proxies[]", ("trusted_proxies",), ["10.0.0.0/8"], gateway(lambda g: [*map(str, g.trusted_proxies)]),
           [], ["10.0.0.0/8"]),
    timeout("request_head", "1s", 15, 1), timeout("idle", "5m", 75, 300), timeout("body", "500ms", 30, 0.5),
    timeout("connect", "1s", 5, 1), timeout("first_byte", "2m", 60, 120), timeout("total", "1d", 3600, 86400),
    timeout("drain", "1s", 30, 1),
    limit("url", "url", "1KB", 8192, 1024), limit("headers", "headers_bytes", "8KB", 32768, 8192),
    limit("header_count", "headers_count", 50, 100, 50), limit("body", "body", "unlimited", 1 << 30, 0),
    limit("connections", "connections", 7, 20000, 7),
    limit("connections_per_client", "connections_per_client", 7, 2000, 7),
    Effect("limits.networks[].network", ("limits", "networks"), [{"network": "10.0.0.0/8", "connections": 7}],
           gateway(lambda g: [str(network) for network, _ in g.limits.networks]), [], ["10.0.0.0/8"]),
    Effect("limits.networks[].connections", ("limits", "networks"), [{"network": "10.0.0.0/8", "connections": 7}],
           gateway(lambda g: [most for _, most in g.limits.networks]), [], [7]),
    *(Effect(f"limits.requests.{who}.{key}", ("limits", "requests"), {who: {"rate": "120/m", **more}}, gateway(lambda g, who=who: g.limits.requests and getattr(g.limits.requests, who)), None, Rate(0.5, burst))
      for who in ("per_client", "per_person") for key, more, burst in (("rate", {}, 120), ("burst", {"burst": 7}, 7))),
    limit("transactions", "transactions", 7, 100000, 7),
    limit("transactions_per_network", "transactions_per_network", 7, 1000, 7),
    limit("cached_seats", "cached_seats", 7, 20000, 7), limit("sessions_per_person", "sessions_per_person", 3, None, 3),
    Effect("access_log", ("access_log",), True, gateway(lambda g: g.access_log), False, True),
    Effect("development", ("development",), False, lambda s: (s.gateway.development, s.providers["metropole"].development),
           (True, True), (False, False),
           ((("portal",), "https://portail.example"), (("trusted_proxies",), ["10.0.0.0/8"]))),
    *(Effect(f"teams.*.{key}[]", ("teams",), {"x": FENCE}, lambda s: [*s.apps], ["permis"], ["permis"])
      for key in ("hosts", "providers", "upstreams", "sockets", "headers", "cookies", "attributes", "secrets", "directories")),
    Effect("sockets[]", ("sockets",), ["/run/apps"], lambda s: [*s.apps], ["permis"], ["permis"]),
    Effect("watch", ("watch",), True, gateway(lambda g: g.watch), False, True),
    Effect("workers", ("workers",), 5, gateway(lambda g: g.workers), 2, 5),
    own("entity_id", "urn:ecluse", lambda sp: sp.entity_id, "http://portail.localhost:8080/_ecluse/saml/metadata", "urn:ecluse"),
    own("keys[].id", [{**SAML_KEY, "id": "k9"}], lambda sp: sp.keys[0].id, "k1", "k9"),
    own("keys[].key", [{**SAML_KEY, **OTHER_PAIR}], lambda sp: sp.keys[0].key, PEM["file:tls.key"], PEM["file:other.key"]),
    own("keys[].certificate", [{**SAML_KEY, **OTHER_PAIR}], lambda sp: sp.keys[0].certificate, PEM["file:tls.crt"],
        PEM["file:other.crt"]),
    own("contacts[].kind", [{"kind": "support", "email": "a@b.fr"}], lambda sp: [c.kind for c in sp.contacts], [], ["support"]),
    own("contacts[].email", [{"email": "a@b.fr"}], lambda sp: [c.email for c in sp.contacts], [], ["a@b.fr"]),
    own("contacts[].name", [{"name": "A", "email": "a@b.fr"}], lambda sp: [c.name for c in sp.contacts], [], ["A"]),
    own("discovery", "https://ds.example/wayf", lambda sp: sp.discovery, "", "https://ds.example/wayf"),
    own("requested", ["urn:oid:1"], lambda sp: sp.requested, (), ("urn:oid:1",)),
    own("requested", "none", lambda sp: sp.requested, (), None),
    *(
        Effect(f"saml.second_opinion.{key}", ("saml",), {"keys": [SAML_KEY], "second_opinion": value},
            gateway(lambda g: g.second_opinion and (g.second_opinion.by, g.second_opinion.deny)), None, after)
        for key, value, after in (
            ("by", {"by": "python3-saml"}, ("python3-saml", False)),
            ("mode", {"by": "python3-saml", "mode": "deny"}, ("python3-saml", True)),
        )
    ),
    own("organization.name", ORGANIZATION, lambda sp: sp.organization and sp.organization.name, None, "Ville"),
    own("organization.display_name", {**ORGANIZATION, "display_name": "V"},
        lambda sp: sp.organization and sp.organization.display_name, None, "V"),
    own("organization.url", ORGANIZATION, lambda sp: sp.organization and sp.organization.url, None, "https://ville.example"),
    own("organization.language", {**ORGANIZATION, "language": "en"},
        lambda sp: sp.organization and sp.organization.language, None, "en"),
]  # fmt: skip

PROVIDER = [
    Effect("provider", ("provider",), "autre", lambda s: [*s.providers], ["metropole"], ["autre"]),
    Effect("label", ("label",), "Autre", provider(lambda p: (p.label, p.labels)),
           ("Métropole du Nord", {"fr": "Métropole du Nord", "en": "Northern Metropolis"}), ("Autre", {})),
    Effect("preset", ("preset",), "google", provider(lambda p: p.attributes.get("hosted_domain") is None), True, False),
    Effect("oidc.issuer", ("oidc", "issuer"), "https://op.example/a", provider(lambda p: p.issuer),
           "http://127.0.0.1:9400", "https://op.example/a"),
    Effect("can[]", ("can",), ["acr"], provider(lambda p: p.levels.can), {"fresh_login", "acr", "amr"}, {"acr"}),
    Effect("levels.acr.*", ("levels", "acr"), {"urn:mfa": "eidas1-mfa"}, provider(lambda p: p.levels.acr), None, {"urn:mfa": "eidas1-mfa"}),
    Effect("levels.amr.*", ("levels", "amr"), {"hwk": "eidas3"}, provider(lambda p: p.levels.amr), {}, {"hwk": "eidas3"}),
    Effect("levels.ask", ("levels", "ask"), "claims", provider(lambda p: p.levels.ask), "acr_values", "claims"),
    Effect("oidc.api.audience[]", ("oidc", "api"), {"audience": ["urn:a"]}, provider(lambda p: p.api and p.api.audience), None, {"urn:a"}),
    Effect("oidc.api.scopes[]", ("oidc", "api"), {"audience": ["urn:a"], "scopes": ["s"]}, provider(lambda p: p.api and p.api.scopes), None, {"s"}),
    Effect("oidc.api.clients[]", ("oidc", "api"), {"clients": ["c"], "introspection": True}, provider(lambda p: p.api and p.api.clients), None, {"c"}),
    Effect("oidc.api.introspection_algorithms[]", ("oidc", "api"),
           {"clients": ["c"], "introspection": True, "introspection_algorithms": ["ES256"]},
           provider(lambda p: p.api and p.api.introspection_algorithms), None, {"ES256"}),
    Effect("oidc.api.prefix", ("oidc", "api"), {"clients": ["c"], "introspection": True, "prefix": "m_"},
           provider(lambda p: p.api and p.api.prefix), None, "m_"),
    Effect("oidc.api.without_tenant", ("oidc", "api"), {"audience": ["a"], "without_tenant": True},
           provider(lambda p: p.api and p.api.without_tenant), None, True),
    Effect("oidc.keys_max_age", ("oidc", "keys_max_age"), "10m", provider(lambda p: p.keys_max_age), 86400, 600),
    Effect("oidc.api.introspection", ("oidc", "api"), {"audience": ["urn:a"], "introspection": True},
           provider(lambda p: p.api and p.api.introspection), None, True),
    Effect("oidc.refresh", ("oidc", "refresh"), True, provider(lambda p: p.refresh), False, True),
    Effect("oidc.refresh_userinfo", ("oidc", "refresh_userinfo"), True, provider(lambda p: p.refresh_userinfo), False, True,
           ((("oidc", "refresh"), True),)),
    Effect("oidc.refresh_ends_on[]", ("oidc", "refresh_ends_on"), ["invalid_request"], provider(lambda p: p.refresh_ends_on), set(), {"invalid_request"}),
    Effect("logout.method", ("logout", "method"), "get", provider(lambda p: p.logout.method), "auto", "get"),
    Effect("logout.front_channel", ("logout", "front_channel"), True, provider(lambda p: p.logout.front_channel), False, True),
    Effect("logout.revoke", ("logout", "revoke"), False, provider(lambda p: p.logout.revoke), True, False),
    Effect("logout.client_id", ("logout", "client_id"), True, provider(lambda p: p.logout.client_id), False, True),
    Effect("oidc.client_id", ("oidc", "client_id"), "autre", provider(lambda p: p.client_id), "ecluse", "autre"),
    Effect("oidc.client_secret", ("oidc", "client_secret"), {"env": "OTHER"}, provider(lambda p: p.client_secret),
           "metropole-secret-of-the-tests-0123456789", PEM["env:OTHER"].decode()),
    Effect("oidc.client_authentication", ("oidc", "client_authentication"), "client_secret_post",
           provider(lambda p: p.client_authentication), "client_secret_basic", "client_secret_post"),
    Effect("oidc.client_keys[].key", ("oidc", "client_keys"), [{"key": {"file": "tls.key"}, "algorithm": "ES256"}],
           provider(lambda p: [key.pem for key in p.client_keys]), [], [PEM["file:tls.key"]]),
    Effect("oidc.client_keys[].id", ("oidc", "client_keys"), [{"id": "k", "key": {"file": "tls.key"}, "algorithm": "ES256"}],
           provider(lambda p: [key.id for key in p.client_keys]), [], ["k"]),
    Effect("oidc.client_keys[].algorithm", ("oidc", "client_keys"), [{"key": {"file": "tls.key"}, "algorithm": "ES256"}],
           provider(lambda p: [key.algorithm for key in p.client_keys]), [], ["ES256"]),
    Effect("oidc.client_keys[].certificate", ("oidc", "client_keys"),
           [{"key": {"file": "tls.key"}, "algorithm": "ES256", "certificate": {"file": "tls.crt"}}],
           provider(lambda p: [bool(key.x5t) for key in p.client_keys]), [], [True]),
    Effect("oidc.client_keyring", ("oidc", "client_keyring"), {"file": "client.ring"},
           provider(lambda p: [key.id for key in p.client_keys]), [], ["r1"]),
    Effect("oidc.client_certificate.certificate", ("oidc", "client_certificate"), TLS,
           provider(lambda p: p.client_certificate and p.client_certificate.certificate), None, PEM["file:tls.crt"]),
    Effect("oidc.client_certificate.key", ("oidc", "client_certificate"), TLS,
           provider(lambda p: p.client_certificate and p.client_certificate.key), None, PEM["file:tls.key"]),
    Effect("oidc.assertion_audience", ("oidc", "assertion_audience"), "token_endpoint",
           provider(lambda p: p.assertion_audience), "issuer", "token_endpoint"),
    Effect("oidc.scopes[]", ("oidc", "scopes"), ["openid"], provider(lambda p: p.scopes),
           ("openid", "profile", "email"), ("openid",)),
    Effect("oidc.algorithms[]", ("oidc", "algorithms"), ["ES256"], provider(lambda p: p.algorithms), {"RS256"}, {"ES256"}),
    Effect("oidc.userinfo", ("oidc", "userinfo"), False, provider(lambda p: p.userinfo), True, False),
    Effect("oidc.userinfo_token", ("oidc", "userinfo_token"), "body", provider(lambda p: p.userinfo_token), "header", "body"),
    Effect("oidc.userinfo_algorithms[]", ("oidc", "userinfo_algorithms"), ["RS256"],
           provider(lambda p: p.userinfo_algorithms), set(), {"RS256"}),
    *(
        Effect(f"oidc.encryption.{key}", ("oidc", "encryption"), ENCRYPTION, provider(see), None, after,
               ((("oidc", "userinfo_algorithms"), ["RS256"]),))
        for key, see, after in (
            ("keys[].key", lambda p: p.encryption and p.encryption.keys[0].pem, PEM["file:tls.key"]),
            ("keys[].id", lambda p: p.encryption and p.encryption.keys[0].id, "k"),
            ("keys[].algorithm", lambda p: p.encryption and p.encryption.keys[0].algorithm, "ECDH-ES"),
            ("content[]", lambda p: p.encryption and p.encryption.content, {"A128GCM"}),
            ("id_token", lambda p: p.encryption and p.encryption.id_token, False),
            ("userinfo", lambda p: p.encryption and p.encryption.userinfo, True),
        )
    ),
    *(
        Effect(f"oidc.request.{key}", ("oidc", "request"), {key.partition(".")[0].removesuffix("[]"): value},
               provider(lambda p, see=see: getattr(p.request, see)), before, after)
        for key, value, see, before, after in (
            ("response_mode", "form_post", "response_mode", None, "form_post"),
            ("acr_values[]", ["b", "a"], "acr_values", (), ("b", "a")),
            ("prompt[]", ["login"], "prompt", (), ("login",)),
            ("max_age", "1h", "max_age", None, 3600),
            ("parameters.*", {"idp_hint": "x"}, "parameters", {}, {"idp_hint": "x"}),
            ("pass_on[]", ["login_hint"], "passed_on", set(), {"login_hint"}),
            ("pushed", True, "pushed", False, True),
            ("claims.id_token.*.essential", {"id_token": {"acr": {"essential": True, "value": "b"}}}, "essential_acr",
             set(), {"b"}),
            ("claims.id_token.*.value", {"id_token": {"a": {"value": "b"}}}, "claims", None,
             '{"id_token":{"a":{"value":"b"}}}'),
            ("claims.id_token.*.values[]", {"id_token": {"acr": {"essential": True, "values": ["b", "c"]}}},
             "essential_acr", set(), {"b", "c"}),
            ("claims.userinfo.*.essential", {"userinfo": {"a:b": {"essential": True}, "c": {}}}, "claims", None,
             '{"userinfo":{"a:b":{"essential":true},"c":null}}'),
            ("claims.userinfo.*.value", {"userinfo": {"a": {"value": "b"}}}, "claims", None,
             '{"userinfo":{"a":{"value":"b"}}}'),
            ("claims.userinfo.*.values[]", {"userinfo": {"a": {"values": ["b"]}}}, "claims", None,
             '{"userinfo":{"a":{"values":["b"]}}}'),
        )
    ),
    Effect("oidc.request.signed", ("oidc", "request"), {"signed": True}, provider(lambda p: p.request.signed), False, True,
           ((("oidc", "client_keys"), [{"key": {"file": "tls.key"}, "algorithm": "ES256"}]),)),
    Effect("oidc.encryption.introspection", ("oidc", "encryption"),
           {"keys": [{"key": {"file": "tls.key"}, "algorithm": "ECDH-ES"}], "introspection": True},
           provider(lambda p: p.encryption and p.encryption.introspection), None, True,
           ((("oidc", "api"), {"clients": ["c"], "introspection": True, "introspection_algorithms": ["RS256"]}),)),
    Effect("oidc.ca", ("oidc", "ca"), {"file": "tls.crt"}, provider(lambda p: p.ca), None, PEM["file:tls.crt"]),
    Effect("oidc.private_addresses", ("oidc", "private_addresses"), True, provider(lambda p: p.private_addresses), False, True),
    Effect("attributes.*", ("attributes", "uid"), "address.login", provider(lambda p: p.attributes["uid"].claim),
           ("preferred_username",), ("address", "login")),
    Effect("tenant", ("tenant",), "uai", provider(lambda p: p.tenant_attribute), "siret", "uai"),
    Effect("tenants", ("tenants",), "choose", provider(lambda p: p.chooses_tenant), False, True),
    Effect("asserts.siret[]", ("asserts", "siret"), ["22590001800014"], within(), "within", "login.outside_perimeter"),
    Effect("asserts.email_domains[]", ("asserts", "email_domains"), ["autre.example"], within(), "within",
           "login.outside_perimeter"),
    Effect("asserts.scopes[]", ("asserts", "scopes"), ["univ.example"], provider(lambda p: p.perimeter.scopes), None, {"univ.example"}),
    Effect("asserts.attributes.*[]", ("asserts", "attributes"), {"groups": ["ONDE"]}, within(), "within",
           "login.outside_perimeter"),
    Effect("serves.siren[]", ("serves", "siren"), ["215903501"], serves(LILLE), 0, 1),
    Effect("serves.domains[]", ("serves", "domains"), ["lille.example"], serves(LILLE), 0, 1),
    Effect("serves.departements[]", ("serves", "departements"), ["59"], serves(LILLE), 0, 1),
    Effect("serves.networks[]", ("serves", "networks"), ["192.0.2.0/24", "2001:db8::/32"],
           provider(lambda p: p.serves.networks), (), (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))),
    Effect("serves.hosts[]", ("serves", "hosts"), ["lille.exemple.fr"], provider(lambda p: p.serves.hosts), set(),
           {"lille.exemple.fr"}),
    Effect("serves.others", ("serves", "others"), True, serves(LILLE), 0, 1),
    Effect("session.idle", ("session", "idle"), "1m", provider(lambda p: p.session_idle), 1800, 60),
    Effect("session.absolute", ("session", "absolute"), "1h", provider(lambda p: p.session_absolute), 43200, 3600),
    Effect("skew", ("skew",), "5s", provider(lambda p: p.skew), 60, 5),
]  # fmt: skip

ADMIN = ("access", 1)
X = ("translate", "headers", "X-Remote-User")
COOKIE = ("translate", "cookies")
JWT = ("translate", "jwt")
FORM = ("form_login",)
STEP = {"page": "/login.php", "fields": {"user": "login", "password": "secret"}}


def form(**more: Any) -> dict[str, Any]:
    return {
        "trusted": {"from": "uid", "secret": {"file": "basic"}}, "steps": [STEP],
        "signed_in": [{"location": "/menu.php"}], "cookies": ["GRRSESSID"], **more,
    }  # fmt: skip


def step(see: Callable[[Any], object]) -> Callable[[Snapshot], object]:
    return app(lambda a: a.form_login and see(a.form_login.steps[0]))


BASIC = ("translate", "basic")
SEALED = ("translate", "sealed")
ASPNET = ("translate", "aspnet_ticket")
MACHINE = {"validation_key": {"file": "validation.key"}, "decryption_key": {"file": "decryption.key"}}
TICKET = {"account": {"from": "uid"}, "compatibility": "Framework45", **MACHINE}
TICKETS = ((ASPNET, TICKET),)
LTPA2 = ("translate", "ltpa2")
LTPA = {"account": {"from": "uid"}, "keys": {"file": "ltpa.keys"}, "password": {"file": "ltpa.password"}}
LTPAS = ((LTPA2, LTPA),)
SHARED = {"key": {"file": "shared.key"}}
SEALS = ((SEALED, {"header": "X-T", **SHARED}),)


def token(see: Callable[[Any], object]) -> Callable[[Snapshot], object]:
    return app(lambda a: see(a.tokens[0]) if a.tokens else None)


claims = token(lambda spec: told(spec.claims, HELENE))


def header(value: bytes | str) -> Injection | str:
    return value if isinstance(value, str) else Injection(b"\r\nX-Remote-User: " + value if value else b"", b"")


def cookie_before(value: bytes | str) -> Injection | str:
    return value if isinstance(value, str) else cookie(b"A=" + value)


def cookie(value: bytes) -> Injection:
    return Injection(b"\r\nX-Remote-User: helene", value)


APP = [
    Effect("account.from", ("account",), {"ask": "a", "from": "commune"}, app(lambda a: a.account and a.account.source), None, "commune",
           ((("directories",), ["communes"]),)),
    Effect("account.by[]", ("account",), {"ask": "a", "by": ["siret", "uid"]}, app(lambda a: a.account and a.account.by), None, ("siret", "uid")),
    Effect("account.ask", ("account",), {"ask": "Demandez"}, app(lambda a: a.account and (a.account.ask, a.account.by)), None,
           ((("", "Demandez"),), ("subject",))),
    Effect("account.ask", ("account",), {"ask": {"fr": "Demandez", "en": "Ask"}}, app(lambda a: a.account and a.account.ask), None,
           (("fr", "Demandez"), ("en", "Ask"))),
    Effect("account.missing", ("account",), {"ask": "a", "missing": "link"}, app(lambda a: a.account and a.account.missing), "refuse", "link",
           ((FORM, {key: value for key, value in form().items() if key != "trusted"}), (("account",), {"ask": "a"}))),
    Effect("account.missing", ("account",), {"ask": "a", "missing": "request"}, app(lambda a: a.account and a.account.missing), "refuse", "request",
           ((("account",), {"ask": "a"}),)),
    Effect("account.shared", ("account",), {"ask": "a", "shared": True}, app(lambda a: a.account and a.account.shared), None, True),
    Effect("app", ("app",), "autre", lambda s: [*s.apps], ["permis"], ["autre"]),
    Effect("hosts[]", ("hosts",), ["a.localhost", "*.b.localhost"], lambda s: [*s.exact_hosts, *s.wildcards],
           ["permis.localhost"], ["a.localhost", "b.localhost"]),
    Effect("path", ("path",), "/permis", app(lambda a: (a.path, a.home)), ("", "/"), ("/permis", "/permis/"),
           ((("access",), [{"path": "/permis/**", "allow": "signed_in"}]),)),
    Effect("public.scheme", ("public",), {"scheme": "https"}, app(lambda a: a.origin("h")), "http://h:8080", "https://h"),
    Effect("public.port", ("public",), {"port": 8443}, app(lambda a: a.origin("h")), "http://h:8080", "http://h:8443"),
    Effect("upstream.url", ("upstream", "url"), "https://[::1]", app(lambda a: (a.upstream.scheme, a.upstream.host, a.upstream.port)),
           ("http", "127.0.0.1", 9001), ("https", "::1", 443)),
    Effect("upstream.timeout", ("upstream", "timeout"), "2s", app(lambda a: (a.upstream.timeouts.first_byte, a.upstream.timeouts.connect)),
           (60, 5), (2, 5)),
    Effect("upstream.others[]", ("upstream", "others"), ["http://[::1]"], app(lambda a: [(u.host, u.port) for u in a.upstream.everywhere]),
           [("127.0.0.1", 9001)], [("127.0.0.1", 9001), ("::1", 80)]),
    Effect("upstream.balance", ("upstream", "balance"), "seat", app(lambda a: a.upstream.balancing.balance), "round_robin", "seat", TWO),
    Effect("upstream.slow_start", ("upstream", "slow_start"), "30s", app(lambda a: a.upstream.balancing.slow_start), 0, 30, TWO),
    Effect("upstream.retries", ("upstream", "retries"), 3, app(lambda a: a.upstream.balancing.retries), 10, 3, TWO),
    Effect("upstream.circuit.failures", ("upstream", "circuit"), {"failures": 1}, app(lambda a: a.upstream.balancing.circuit.failures), 3, 1, TWO),
    Effect("upstream.circuit.pause", ("upstream", "circuit"), {"pause": "1m"}, app(lambda a: a.upstream.balancing.circuit.pause), 10, 60, TWO),
    *(Effect(f"upstream.health.{key}", ("upstream", "health"), {"path": "/up", key.removesuffix("[]"): value}, app(lambda a, field=field: a.upstream.balancing.health and getattr(a.upstream.balancing.health, field)), None, after, TWO)
      for key, value, field, after in (("path", "/up", "path", "/up"), ("status[]", [204], "statuses", (204,)), ("every", "1m", "every", 60), ("within", "1s", "within", 1), ("failures", 7, "failures", 7))),
    Effect("upstream.concurrency", ("upstream", "concurrency"), 5, app(lambda a: (a.upstream.balancing.concurrency, a.upstream.balancing.queue)), (0, 0), (5, 5), TWO),
    Effect("upstream.queue", ("upstream", "queue"), 2, app(lambda a: a.upstream.balancing.queue), 7, 2, ((("upstream", "concurrency"), 7),)),
    Effect("upstream.host", ("upstream", "host"), "upstream", app(lambda a: a.upstream.host_header), None, "127.0.0.1:9001"),
    Effect("upstream.host", ("upstream", "host"), "Interne.example", app(lambda a: a.upstream.host_header), None, "interne.example"),
    Effect("upstream.ca", ("upstream", "ca"), {"file": "tls.crt"}, app(lambda a: a.upstream.ca), None, PEM["file:tls.crt"],
           ((("upstream", "url"), "https://u.example"),)),
    Effect("upstream.socket", ("upstream", "socket"), "/run/apps/rh/web.sock", app(lambda a: (a.upstream.place, a.upstream.socket and a.upstream.socket.names)),
           ("127.0.0.1:9001", None), ("unix:/run/apps/rh/web.sock", ("rh", "web.sock"))),
    Effect("upstream.proxy_protocol", ("upstream", "proxy_protocol"), "v2", app(lambda a: a.upstream.announces), False, True),
    *(Effect(f"upstream.buffer.{key}", ("upstream", "buffer"), {key: "5MB"}, app(lambda a, key=key: getattr(a.upstream.buffering, key)), 0, 5 << 20)
      for key in ("requests", "responses")),
    Effect("upstream.accept[]", ("upstream", "accept"), ["bare_lf", "odd_status"], app(lambda a: a.upstream.accepts), set(), {"bare_lf", "odd_status"}),
    *(Effect(f"upstream.tls.{key}", ("upstream", "tls"), value, app(lambda a, see=see: see(a.upstream.tls)), before, after, ((("upstream", "url"), "https://u.example"),))
      for key, value, see, before, after in (
          ("name", {"name": "Rh.example"}, lambda t: t.name, "", "rh.example"),
          ("sni", {"sni": "none"}, lambda t: t.sni, None, ""), ("sni", {"sni": "a.example"}, lambda t: t.sni, None, "a.example"),
          ("pins[]", {"pins": [{"file": "tls.crt"}]}, lambda t: t.pins, (), (ssl.PEM_cert_to_DER_cert(PEM["file:tls.crt"].decode()),)),
          ("minimum", {"minimum": "tls1.3"}, lambda t: t.minimum, "tls1.2", "tls1.3"),
          ("legacy", {"legacy": "tls1.0"}, lambda t: t.legacy, None, "tls1.0"),
          ("client_certificate.certificate", {"client_certificate": TLS}, lambda t: t.client_certificate and t.client_certificate.certificate, None, PEM["file:tls.crt"]),
          ("client_certificate.key", {"client_certificate": TLS}, lambda t: t.client_certificate and t.client_certificate.key, None, PEM["file:tls.key"]))),
    Effect("directories[]", ("directories",), ["communes"], app(lambda a: known_with(PAUL, a.directories, 0).left_out), set(), {"commune", "secret:grr", "uai"}),
    Effect("providers[]", ("providers",), ["autre", "autre"], app(lambda a: a.providers), ("metropole",), ("autre",)),
    Effect("providers[]", ("providers",), ["autre"],
           lambda s: type(decided_at_once(s.apps["permis"], ("",), "GET", HELENE).decision).__name__, "Allow", "Challenge"),
    Effect("paths.parameters[]", ("paths", "parameters"), ["jsessionid"], app(lambda a: a.leniency.parameters), set(), {"jsessionid"}),
    Effect("paths.case", ("paths", "case"), "insensitive", app(lambda a: a.leniency.case_insensitive), False, True),
    Effect("paths.case", ("paths", "case"), "insensitive", decision("GET", "admin", "x", who=None), "Challenge", "Challenge",
           (((*ADMIN, "path"), "/ADMIN/**"),)),
    Effect("methods[]", ("methods",), ["PROPFIND", "MOVE", "MOVE"], app(lambda a: a.methods), (), ("MOVE", "PROPFIND")),
    Effect("client_headers[]", ("client_headers",), ["app_token"], app(lambda a: a.client_headers), (), ("app_token",)),
    Effect("method_override", ("method_override",), True, app(lambda a: a.method_override), False, True),
    Effect("responses.cache", ("responses",), {"cache": "no-store"}, app(lambda a: a.responses.cache), b"\r\nCache-Control: private", b"\r\nCache-Control: no-store"),
    Effect("responses.clear_site_data", ("responses",), {"clear_site_data": True}, app(lambda a: a.responses.clear_site_data), False, True),
    Effect("responses.end_hsts", ("responses",), {"end_hsts": True}, app(lambda a: a.responses.end_hsts), False, True),
    Effect("responses.front_orders", ("responses",), {"front_orders": True}, app(lambda a: a.responses.front_orders), False, True),
    Effect("responses.banners", ("responses",), {"banners": False}, app(lambda a: a.edits.banners), True, False),
    Effect("responses.add.*", ("responses",), {"add": {"Referrer-Policy": "no-referrer"}}, app(lambda a: a.edits.added), (), (("Referrer-Policy", "no-referrer"),)),
    Effect("responses.replace.*", ("responses",), {"replace": {"X-Frame-Options": "DENY"}}, app(lambda a: a.edits.replaced), (), (("X-Frame-Options", "DENY"),)),
    Effect("rewrite.headers", ("rewrite",), {"headers": True}, app(lambda a: (a.edits.addresses, a.edits.kept_port)), (False, None), (True, 9001)),
    Effect("rewrite.bodies", ("rewrite",), {"headers": True, "bodies": True}, app(lambda a: a.edits.bodies), False, True),
    Effect("rewrite.texts.*", ("rewrite",), {"headers": True, "bodies": True, "texts": {"ancien": "neuf"}}, app(lambda a: a.edits.texts), (), (("ancien", "neuf"),)),
    Effect("rewrite.internal[]", ("rewrite",), {"headers": True, "internal": ["http://intranet:8080"]}, app(lambda a: "http://intranet:8080" in a.edits.internal), False, True),
    Effect("rewrite.same_site", ("rewrite",), {"headers": True, "same_site": "lax"}, app(lambda a: a.edits.same_site), "", "lax"),
    Effect("paths.merge_slashes", ("paths", "merge_slashes"), True, app(lambda a: a.leniency.merge_slashes), False, True),
    Effect("paths.escaped[]", ("paths", "escaped"), ["#", "#"], app(lambda a: a.leniency.escaped), set(), {"#"}),
    Effect("paths.semicolon", ("paths", "semicolon"), "literal", app(lambda a: a.leniency.escaped), set(), {";"}),
    Effect("paths.encoded_slash", ("paths", "encoded_slash"), "keep", app(lambda a: a.leniency.kept), set(), {"%2F"}),
    Effect("paths.encoded_backslash", ("paths", "encoded_backslash"), "keep", app(lambda a: a.leniency.kept), set(), {"%5C"}),
    Effect("paths.encoded_percent", ("paths", "encoded_percent"), "literal", app(lambda a: a.leniency.decoded_once), False, True),
    Effect("paths.mangled", ("paths", "mangled"), True, app(lambda a: a.leniency.mangled), False, True),
    Effect("paths.cookieless", ("paths", "cookieless"), True, app(lambda a: a.leniency.cookieless), False, True),
    Effect("paths.windows", ("paths",), {"case": "insensitive", "windows": True}, app(lambda a: a.leniency.windows), False, True),
    Effect("paths.encoding", ("paths", "encoding"), "latin1", app(lambda a: a.leniency.encoding), "utf-8", "latin-1"),
    *(Effect(f"timeouts.{key}", ("timeouts", key), "2m", app(lambda a, key=key: getattr(a.upstream.timeouts, key)), before, 120)
      for key, before in (("connect", 5), ("first_byte", 60), ("body", 30), ("total", 3600))),
    Effect("limits.paths[].path", ("limits", "paths"), [{"path": "/a", "body": "1KB"}], app(lambda a: a.path_limits and [a.path_limits.at((one,)) is None for one in "ab"]), None, [False, True]),
    Effect("limits.paths[].body", ("limits", "paths"), [{"path": "/a", "body": "1KB"}], at_a(lambda one: (one.body, one.timeouts.body)), (1 << 30, 30), (1024, 30)),
    *(Effect(f"limits.paths[].timeouts.{key}", ("limits", "paths"), [{"path": "/a", "timeouts": {key: "2m"}}],
             at_a(lambda one, key=key: (one.body, getattr(one.timeouts, key))), (1 << 30, before), (1 << 30, 120))
      for key, before in (("first_byte", 60), ("body", 30), ("total", 3600))),
    *(Effect(f"limits.requests.{who}.{key}", ("limits", "requests"), {who: {"rate": "20/s", **more}}, app(lambda a, who=who: a.request_rates and getattr(a.request_rates, who)), None, Rate(0.05, burst))
      for who in ("per_client", "per_person", "all") for key, more, burst in (("rate", {}, 20), ("burst", {"burst": 7}, 7))),
    Effect("limits.body", ("limits", "body"), "1MB", app(lambda a: a.body_limit), 1 << 30, 1 << 20),
    Effect("limits.body", ("limits", "body"), "unlimited", app(lambda a: a.body_limit), 1 << 30, 0),
    Effect("session.idle", ("session", "idle"), "1m", app(lambda a: a.seat_limits.idle), None, 60),
    Effect("session.absolute", ("session", "absolute"), "1h", app(lambda a: a.seat_limits.absolute), None, 3600),
    Effect("session.then", ("session", "then"), "sign_in", app(lambda a: a.seat_then), "resume", "sign_in"),
    Effect("session.grace", ("session", "grace"), "0s", app(lambda a: a.grace), None, 0.0),
    Effect("session.streams", ("session", "streams"), "last", app(lambda a: a.streams_last), False, True),
    Effect("tunnel.protocols[]", ("tunnel",), {"protocols": ["websocket"]}, app(lambda a: a.tunnel and a.tunnel.protocols), None, ("websocket",)),
    Effect("tunnel.origins[]", ("tunnel",), {"protocols": ["websocket"], "origins": ["https://autre.example"]},
           app(lambda a: a.tunnel and a.tunnel.origins), None, ("https://autre.example",)),
    Effect("tunnel.idle", ("tunnel",), {"protocols": ["websocket"], "idle": "1m"}, app(lambda a: a.tunnel and a.tunnel.idle), None, 60.0),
    Effect("tunnel.keeps_session", ("tunnel",), {"protocols": ["websocket"], "keeps_session": True},
           app(lambda a: a.tunnel and a.tunnel.keeps_session), None, True),
    Effect("embedded_by[]", ("embedded_by",), ["intranet.portail.localhost"], app(lambda a: a.embedded_by), (), ("http://intranet.portail.localhost:8080",),
           ((("hosts",), ["permis.portail.localhost"]),)),
    Effect("api.providers[]", ("api",), {"providers": ["metropole"], "paths": ["/api/**"]}, app(lambda a: a.api and a.api.providers),
           None, ("metropole",)),
    Effect("api.paths[]", ("api",), {"providers": ["metropole"], "paths": ["/api/**"]},
           app(lambda a: a.api and [a.api.paths.find((name, "x")) is not None for name in ("api", "x")]), None, [True, False]),
    *(
        Effect(f"api.opaque.*.{key}", ("api",),
               {"providers": ["metropole"], "paths": ["/api/**"], "opaque": {"metropole": told}},
               app(lambda a: a.api and [(one.paths is not None, one.header) for one in a.api.opaque]), None, [seen])
        for key, told, seen in (
            ("paths[]", {"paths": ["/api/m/**"]}, (True, None)),
            ("header", {"header": "X-Org", "value": "m"}, (False, (b"x-org", b"m"))),
            ("value", {"header": "X-Org", "value": "n"}, (False, (b"x-org", b"n"))),
        )
    ),
    Effect("api.forward", ("api",), {"providers": ["metropole"], "paths": ["/api/**"], "forward": True},
           app(lambda a: a.api and a.api.forward), None, True),
    Effect("label", ("label",), {"fr": "Permis", "en": "Permits"}, app(lambda a: a.labels), {"": "permis"},
           {"fr": "Permis", "en": "Permits"}),
    Effect("start", ("start",), "/accueil?page=1", app(lambda a: a.home), "/", "/accueil?page=1"),
    Effect("front", ("front",), "nginx", app(lambda a: a.front), None, "nginx"),
    Effect("keep_posts.largest", ("keep_posts",), {"largest": "5MB"}, app(lambda a: a.keep_posts and a.keep_posts.largest),
           None, 5 << 20),
    Effect("keep_posts.lasts", ("keep_posts",), {"lasts": "10m"}, app(lambda a: a.keep_posts and a.keep_posts.lasts), None, 600),
    Effect("logout.scope", ("logout", "scope"), "global", app(lambda a: a.logout.scope), "local", "global"),
    Effect("logout.cookies[]", ("logout", "cookies"), ["A", "B"], app(lambda a: a.logout.cookies), (), (("A", "/"), ("B", "/"))),
    Effect("logout.cookie_paths[]", ("logout", "cookie_paths"), ["/app", "/"], app(lambda a: a.logout.cookies),
           (("A", "/"),), (("A", "/app"), ("A", "/")), ((("logout", "cookies"), ["A"]),)),
    Effect("logout.all_cookies", ("logout", "all_cookies"), False, app(lambda a: (a.logout.all_cookies, a.logout.all_left)),
           (True, True), (False, False)),
    Effect("logout.cookie_domains[]", ("logout", "cookie_domains"), ["permis.localhost"],
           app(lambda a: a.logout.cookie_domains), (), ("permis.localhost",)),
    Effect("logout.url", ("logout", "url"), "/bye.do?x=1", app(lambda a: a.logout.url), None, "/bye.do?x=1"),
    Effect("logout.login", ("logout", "login"), "X-Remote-User", app(lambda a: a.logout.login), "", "X-Remote-User",
           ((("logout", "url"), "/bye"),)),
    Effect("cookies.hidden[]", ("cookies", "hidden"), ["PHPSESSID"], app(lambda a: a.edits.cookies.hidden), (), ("PHPSESSID",)),
    Effect("cookies.visible[]", ("cookies", "visible"), ["lang"], app(lambda a: a.edits.cookies.visible), (), ("lang",),
           ((("cookies", "prefix"), "permis_"),)),
    Effect("cookies.prefix", ("cookies", "prefix"), "permis_", app(lambda a: a.edits.cookies.prefix), "", "permis_"),
    Effect("cookies.host_only", ("cookies", "host_only"), True, app(lambda a: a.edits.cookies.host_only), False, True),
    Effect("logout.method", ("logout", "method"), "post", app(lambda a: a.logout.method), "get", "post", ((("logout", "url"), "/bye"),)),
    Effect("logout.form.*", ("logout", "form"), {"action": "bye"}, app(lambda a: a.logout.form), (), (("action", "bye"),),
           ((("logout", "url"), "/bye"), (("logout", "method"), "post"))),
    Effect("logout.headers.*", ("logout", "headers"), {"X-By": "ecluse"}, app(lambda a: a.logout.headers), (), (("X-By", "ecluse"),),
           ((("logout", "url"), "/bye"),)),
    Effect("logout.links[]", ("logout", "links"), ["/app/~sortir.*"],
           app(lambda a: [a.logout.links.find(("app", name)) is not None for name in ("sortir.do", "x")]), [False, False], [True, False]),
    Effect("logout.links[]", ("logout", "links"), ["/app?do=logout"],
           app(lambda a: a.logout.query_links and a.logout.query_links.have(("app",), b"id=1&do=logout")), None, True),
    Effect("translate.encoding", ("translate", "encoding"), "base64", injected, header(b"helene"), header(b"aGVsZW5l")),
    Effect("translate.unencodable", ("translate", "unencodable"), "percent", injected, header(b"helene"), header(b"%C5%81%C4%85cka"),
           (((*X, "from"), "family_name"), ((*X, "encoding"), "latin1"))),
    Effect("translate.headers.*.from", (*X, "from"), "mail", injected, header(b"helene"), header(b"helene@metropole.example")),
    Effect("translate.headers.*.value", X, {"value": "fixed"}, injected, header(b"helene"), header(b"fixed")),
    Effect("translate.headers.*.join", (*X, "join"), ";", injected, "translation.several", header(b"administrateurs;ONDE"),
           (((*X, "from"), "groups"),)),
    Effect("translate.headers.*.encoding", (*X, "encoding"), "percent-utf8", injected, header(b"helene"), header(b"%C5%81%C4%85cka"),
           (((*X, "from"), "family_name"),)),
    Effect("translate.headers.*.unencodable", (*X, "unencodable"), "transliterate", injected, header(b"helene"), header(b"Lacka"),
           (((*X, "from"), "family_name"), ((*X, "encoding"), "latin1"))),
    Effect("translate.cookies.*.from", (*COOKIE, "A"), {"from": "uid"}, injected, cookie(b""), cookie(b"A=helene")),
    Effect("translate.cookies.*.value", (*COOKIE, "A"), {"value": "x"}, injected, cookie(b""), cookie(b"A=x")),
    Effect("translate.cookies.*.join", (*COOKIE, "A"), {"from": "groups", "join": "|"}, injected, cookie(b""),
           cookie(b"A=administrateurs|ONDE")),
    Effect("translate.cookies.*.encoding", (*COOKIE, "A"), {"value": "é", "encoding": "percent-utf8"}, injected, cookie(b""),
           cookie(b"A=%C3%A9")),
    Effect("translate.cookies.*.unencodable", (*COOKIE, "A"),
           {"value": "Ł", "encoding": "latin1", "unencodable": "transliterate"}, injected, cookie(b""), cookie(b"A=L")),
    Effect("form_login.trusted.from", FORM, form(), app(lambda a: a.form_login and a.form_login.trusted.attribute), None, "uid"),
    Effect("form_login.trusted.value", FORM, form(trusted={"value": "svc", "secret": {"file": "basic"}}),
           app(lambda a: a.form_login and a.form_login.trusted.text), None, "svc"),
    Effect("form_login.trusted.secret", FORM, form(), app(lambda a: a.form_login and a.form_login.trusted.secret), None, "mot de passé"),
    Effect("form_login.trusted.secret_from", FORM, form(trusted={"from": "uid", "secret_from": "grr"}),
           app(lambda a: a.form_login and a.form_login.trusted.secret_attribute), None, "secret:grr", ((("directories",), ["communes"]),)),
    Effect("form_login.steps[].page", FORM, form(), step(lambda s: s.page), None, "/login.php"),
    Effect("form_login.steps[].action", FORM, form(steps=[{**STEP, "action": "/in.php"}]), step(lambda s: s.action), None, "/in.php"),
    Effect("form_login.steps[].form", FORM, form(steps=[{**STEP, "form": "connexion"}]), step(lambda s: s.form), None, "connexion"),
    Effect("form_login.steps[].fields.*", FORM, form(), step(lambda s: [(f.name, f.holds) for f in s.fields]), None,
           [("user", "login"), ("password", "secret")]),
    Effect("form_login.steps[].values.*", FORM, form(steps=[{**STEP, "values": {"go": "1"}}]),
           step(lambda s: s.fields[-1].text), None, "1"),
    *(Effect(f"form_login.{word}[].{key}", FORM, form(**{word: [{key: value}]}),
             app(lambda a, word=word, key=key: a.form_login and getattr(getattr(a.form_login, word)[0], key)), None, value)
      for word in ("signed_in", "refused", "expired")
      for key, value in (("status", 401), ("location", "/menu.php?a=1"), ("marker", "Se déconnecter"))),
    Effect("form_login.check", FORM, form(check="/menu.php?a=1"), app(lambda a: a.form_login and a.form_login.check), None, "/menu.php?a=1"),
    Effect("form_login.cookies[]", FORM, form(), app(lambda a: b"grrsessid" in a.cookie_names), False, True),
    Effect("form_login.keep", FORM, form(keep="browser"), app(lambda a: a.form_login and a.form_login.keep), None, "browser"),
    Effect("form_login.encoding", FORM, form(encoding="latin1"), app(lambda a: a.form_login and a.form_login.charset), None, "cp1252"),
    Effect("form_login.tries", FORM, form(tries=2), app(lambda a: a.form_login and a.form_login.tries), None, 2),
    Effect("form_login.within", FORM, form(within="5m"), app(lambda a: a.form_login and a.form_login.within), None, 300),
    Effect("form_login.counted_with", FORM, form(counted_with="annuaire"), app(lambda a: a.form_login and a.form_login.base), None, "/annuaire"),
    Effect("form_login.counted_apart[]", FORM, form(counted_apart=["domain"]), app(lambda a: a.form_login and a.form_login.counted("a@b").account), None, "a@b"),
    Effect("form_login.cleared_by_success", FORM, form(cleared_by_success=True), app(lambda a: a.form_login and a.form_login.cleared_by_success), None, True),
    Effect("form_login.by_hand", FORM, form(by_hand="pass"), app(lambda a: a.form_login and a.form_login.by_hand), None, "pass"),
    Effect("translate.basic.account.from", BASIC, {"account": {"from": "uid"}, "password": {"file": "basic"}},
           app(lambda a: a.basic and a.basic.account.attribute), None, "uid"),
    Effect("translate.basic.account.value", BASIC, {"account": {"value": "svc"}, "password": {"file": "basic"}},
           app(lambda a: a.basic and basic_line(a.basic, HELENE)), None, b"\r\nAuthorization: Basic c3ZjOm1vdCBkZSBwYXNzw6k="),
    Effect("translate.basic.password", BASIC, {"account": {"value": "svc"}, "password": {"file": "basic"}},
           app(lambda a: a.basic and a.basic.password), None, "mot de passé"),
    Effect("translate.basic.password_from", BASIC, {"account": {"from": "uid"}, "password_from": "grr"},
           app(lambda a: a.basic and a.basic.secret), None, "secret:grr", ((("directories",), ["communes"]),)),
    Effect("translate.basic.encoding", (*BASIC, "encoding"), "latin1",
           app(lambda a: a.basic and basic_line(a.basic, HELENE)), None, b"\r\nAuthorization: Basic c3ZjOm1vdCBkZSBwYXNz6Q==",
           ((BASIC, {"account": {"value": "svc"}, "password": {"file": "basic"}}),)),
    Effect("translate.aspnet_ticket.cookie", (*ASPNET, "cookie"), "AUTH", token(lambda t: t.carrier), Carrier("cookie", ".ASPXAUTH"), Carrier("cookie", "AUTH"), TICKETS),
    Effect("translate.aspnet_ticket.account.from", (*ASPNET, "account"), {"from": "mail"}, token(lambda t: t.account.attribute), "uid", "mail", TICKETS),
    Effect("translate.aspnet_ticket.account.value", (*ASPNET, "account"), {"value": "svc"}, token(lambda t: t.account.text), "", "svc", TICKETS),
    Effect("translate.aspnet_ticket.user_data.from", (*ASPNET, "user_data"), {"from": "mail"}, token(lambda t: t.user_data and t.user_data.attribute), None, "mail", TICKETS),
    Effect("translate.aspnet_ticket.user_data.value", (*ASPNET, "user_data"), {"value": "a"}, token(lambda t: t.user_data and t.user_data.text), None, "a", TICKETS),
    Effect("translate.aspnet_ticket.path", (*ASPNET, "path"), "/permis", token(lambda t: t.path), "/", "/permis", TICKETS),
    Effect("translate.aspnet_ticket.compatibility", (*ASPNET, "compatibility"), "Framework20SP1", token(lambda t: t.compatibility), "Framework45", "Framework20SP1", TICKETS),
    Effect("translate.aspnet_ticket.validation", (*ASPNET, "validation"), "SHA1", token(lambda t: t.validation), "HMACSHA256", "SHA1", TICKETS),
    Effect("translate.aspnet_ticket.validation_key", ASPNET, TICKET, token(lambda t: t.validation_key), None, b"\xab" * 64),
    Effect("translate.aspnet_ticket.decryption_key", ASPNET, TICKET, token(lambda t: t.decryption_key), None, b"\xcd" * 32),
    Effect("translate.aspnet_ticket.life", (*ASPNET, "life"), "1m", token(lambda t: t.life), 300, 60, TICKETS),
    Effect("translate.ltpa2.cookie", (*LTPA2, "cookie"), "LtpaToken", token(lambda t: t.carrier), Carrier("cookie", "LtpaToken2"), Carrier("cookie", "LtpaToken"), LTPAS),
    Effect("translate.ltpa2.account.from", (*LTPA2, "account"), {"from": "mail"}, token(lambda t: t.account.attribute), "uid", "mail", LTPAS),
    Effect("translate.ltpa2.account.value", (*LTPA2, "account"), {"value": "svc"}, token(lambda t: t.account.text), "", "svc", LTPAS),
    Effect("translate.ltpa2.realm", (*LTPA2, "realm"), "defaultRealm", token(lambda t: t.realm), "LdapRegistry", "defaultRealm", LTPAS),
    Effect("translate.ltpa2.keys", LTPA2, LTPA, token(lambda t: len(t.shared_key)), None, 16),
    Effect("translate.ltpa2.password", LTPA2, LTPA, token(lambda t: t.private_key[:27]), None, b"-----BEGIN PRIVATE KEY-----"),
    Effect("translate.ltpa2.life", (*LTPA2, "life"), "1m", token(lambda t: t.life), 300, 60, LTPAS),
    Effect("translate.sealed.header", SEALED, {"header": "X-T", **SHARED}, token(lambda t: t.carrier), None, Carrier("header", "X-T")),
    Effect("translate.sealed.cookie", SEALED, {"cookie": "T", **SHARED}, token(lambda t: t.carrier), None, Carrier("cookie", "T")),
    Effect("translate.sealed.key", SEALED, {"cookie": "T", **SHARED}, token(lambda t: t.key), None, bytes(range(32))),
    Effect("translate.sealed.algorithm", (*SEALED, "algorithm"), "HS256", token(lambda t: t.algorithm), "A256GCM", "HS256", SEALS),
    Effect("translate.sealed.audience", (*SEALED, "audience"), "urn:permis", token(lambda t: t.audience), "permis", "urn:permis", SEALS),
    Effect("translate.sealed.life", (*SEALED, "life"), "1m", token(lambda t: t.life), 300, 60, SEALS),
    Effect("translate.sealed.claims.*.from", (*SEALED, "claims"), {"mail": {"from": "mail"}}, claims, {"sub": "helene"},
           {"sub": "helene", "mail": "helene@metropole.example"}, SEALS),
    Effect("translate.sealed.claims.*.value", (*SEALED, "claims"), {"site": {"value": "A"}}, claims, {"sub": "helene"},
           {"sub": "helene", "site": "A"}, SEALS),
    Effect("translate.sealed.claims.*.list", (*SEALED, "claims"), {"uid": {"from": "uid", "list": True}}, claims, {"sub": "helene"},
           {"sub": "helene", "uid": ["helene"]}, SEALS),
    Effect("translate.jwt.header", ("translate", "jwt"), {"header": "X-T"}, token(lambda t: t.carrier), None, Carrier("header", "X-T")),
    Effect("translate.jwt.header", ("translate", "jwt"), {"header": "authorization"}, token(lambda t: t.carrier.scheme), None, "Bearer"),
    Effect("translate.jwt.cookie", ("translate", "jwt"), {"cookie": "T"}, token(lambda t: t.carrier), None, Carrier("cookie", "T")),
    Effect("translate.jwt.audience", (*JWT, "audience"), "urn:permis", token(lambda t: t.audience), "permis", "urn:permis", ((JWT, {"header": "X-T"}),)),
    Effect("translate.jwt.algorithm", (*JWT, "algorithm"), "RS256", token(lambda t: t.algorithm), "ES256", "RS256",
           ((JWT, {"header": "X-T"}),)),
    Effect("translate.jwt.life", (*JWT, "life"), "1m", token(lambda t: t.life), 300, 60, ((JWT, {"header": "X-T"}),)),
    Effect("translate.jwt.claims.*.from", (*JWT, "claims"), {"mail": {"from": "mail"}}, claims, {"sub": "helene"},
           {"sub": "helene", "mail": "helene@metropole.example"}, ((JWT, {"header": "X-T"}),)),
    Effect("translate.jwt.claims.*.value", (*JWT, "claims"), {"site": {"value": "A"}}, claims, {"sub": "helene"}, {"sub": "helene", "site": "A"},
           ((JWT, {"header": "X-T"}),)),
    Effect("translate.jwt.claims.*.list", (*JWT, "claims"), {"uid": {"from": "uid", "list": True}}, claims, {"sub": "helene"},
           {"sub": "helene", "uid": ["helene"]}, ((JWT, {"header": "X-T"}),)),
    Effect("translate.preset", ("translate", "preset"), "spring", lambda s: sorted(s.apps["permis"].header_folds),
           [b"xremoteuser"], [b"smuser", b"xremoteuser"]),
    Effect("translate.budget", ("translate", "budget"), "10B", injected, header(b"helene"), "translation.budget"),
    *(
        Effect(f"translate.{section}.*.{key}", ("translate", section), {name: told}, injected, header(b"helene"), seen(value))
        for section, name, seen in (("headers", "X-Remote-User", header), ("cookies", "A", cookie_before))
        for key, told, value in (
            ("template", {"template": "{uid}.{provider}"}, b"helene.metropole"),
            ("only[]", {"from": "groups", "only": ["ONDE"]}, b"ONDE"),
            ("whole", {"from": "groups", "join": "N", "only": ["ONDE"], "whole": True, "encoding": "base64", "transforms": ["lower"]}, b"b25kZQ=="),
            ("length", {"from": "uid", "length": 5}, "translation.length"),
            ("absent", {"from": "uai", "absent": "-"}, b"-"),
            ("transforms[]", {"from": "uid", "transforms": ["upper"]}, b"HELENE"),
            ("transforms[].extract", {"from": "mail", "transforms": [{"extract": "^(.*)@"}]}, b"helene"),
            ("transforms[].split", {"from": "mail", "transforms": [{"split": "@"}, "first"]}, b"helene"),
            ("transforms[].table.*", {"from": "uid", "transforms": [{"table": {"helene": "h1"}}]}, b"h1"),
            ("transforms[].otherwise", {"from": "uid", "transforms": [{"table": {"a": "b"}, "otherwise": "keep"}]}, b"helene"),
            ("transforms[].prefix", {"from": "uid", "transforms": [{"prefix": "u-"}]}, b"u-helene"),
            ("transforms[].date", {"from": "uid", "transforms": [{"table": {"helene": "2024-02-29"}}, {"date": "%d.%m.%y"}]}, b"29.02.24"),
            ("transforms[].hash", {"from": "uid", "transforms": [{"hash": "sha256"}]}, sha256(b"helene").hexdigest().encode()),
        )
    ),
    Effect("translate.headers.*.escape", X, {"from": "groups", "join": "N", "escape": "backslash"}, injected, header(b"helene"),
           header(b"administrateursNO\\NDE")),
    Effect("translate.headers.*.nobody", (*X, "nobody"), "Unauthenticated", app(lambda a: a.translation.render(None)), NOTHING,
           header(b"Unauthenticated")),
    Effect("access[].path", (*ADMIN, "path"), "/other/**", decision("GET", "other", "x", who=None), "Challenge", "Challenge"),
    Effect("access[].path", (*ADMIN, "path"), "/public/x", decision("GET", "public", "x", who=None), "Allow", "Challenge"),
    Effect("access[].methods[]", (*ADMIN, "methods"), ["POST"], decision("GET", "admin", ""), "Allow", "Deny"),
    Effect("access[].allow", (*ADMIN, "allow"), {"group": "elus"}, decision("GET", "admin", ""), "Allow", "Deny"),
    Effect("access[].deny", ("access", 2, "deny"), {"group": "ONDE"}, decision("GET", "public", ""), "Allow", "Deny"),
    Effect("access[].shadow", (*ADMIN, "shadow"), True, lambda s: len(s.apps["permis"].shadows), 0, 1),
    Effect("shadow", ("shadow",), True, lambda s: len(s.apps["permis"].shadows), 0, 1),
    Effect("access[].refusal", (*ADMIN, "refusal"), "Autre.",
           lambda s: s.apps["permis"].routes.find(("admin", "")).rules[0].refusal, "Réservé aux administrateurs.", "Autre."),
    Effect("access[].refusal", (*ADMIN, "refusal"), {"fr": "Autre.", "en": "Another."},
           lambda s: s.apps["permis"].routes.find(("admin", "")).rules[0].refusal, "Réservé aux administrateurs.",
           (("fr", "Autre."), ("en", "Another."))),
]  # fmt: skip


def on_a_path(effect: Effect) -> Effect:
    """The same, where it is written of one path alone: there it is seen, and nowhere else is anything else."""

    def there(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        return ("translate", "paths", 0, *path[1:]) if path[:2] == ("translate", "headers") else path

    def see(snapshot: Snapshot) -> object:
        app = snapshot.apps["permis"]
        assert app.translation.render(HELENE) == header(b"helene")
        assert app.translation_at(("elsewhere", "")) is app.translation
        at_path = replace(app, translation=app.translation_at(("there", "x")))
        return effect.see(replace(snapshot, apps={"permis": at_path}))

    base = ("translate", "paths"), [{"path": "/there/**", "headers": {"X-Remote-User": {"from": "uid"}}}]
    key = effect.key.replace("translate.headers", "translate.paths[].headers")
    with_it = (base, *((there(path), value) for path, value in effect.with_it))
    return effect._replace(key=key, path=there(effect.path), see=see, with_it=with_it)


def at_there(snapshot: Snapshot) -> Injection:
    return snapshot.apps["permis"].translation_at(("there", "x")).render(HELENE)


APP += [
    *(on_a_path(effect) for effect in APP if effect.key.startswith("translate.headers.")),
    Effect("translate.paths[].path", ("translate", "paths"), [{"path": "/there/*", "omit": ["X-Remote-User"]}], at_there,
           header(b"helene"), NOTHING),
    Effect("translate.paths[].omit[]", ("translate", "paths"), [{"path": "/**", "omit": ["x-remote-user"]}], at_there,
           header(b"helene"), NOTHING),
]  # fmt: skip

# Those with a mapping below them.
TESTS = {"claim": "ClaimTest", "header": "HeaderTest", "query": "QueryTest", "tenant": "TenantTest", "time": "TimeTest"}


def rule(condition: object, before: str, after: str, who: Identity | None = HELENE) -> Effect:
    (key,) = condition if isinstance(condition, dict) else (str(condition),)
    inner = condition[key] if isinstance(condition, dict) else None
    if key in TESTS and isinstance(inner, dict):
        key += "." + next(name for name in inner if name not in ("name", "zone"))
    return Effect(
        f"access[].allow:{key}", (*ADMIN, "allow"), condition, decision("GET", "admin", "", who=who), before, after
    )


CONDITIONS = [
    rule({"acr_min": "eidas2"}, "Allow", "Allow", who=replace(HELENE, acr="eidas3")),
    rule({"acr_min": "eidas3"}, "Allow", "Deny", who=replace(HELENE, acr="eidas2")),
    rule({"amr": ["otp", "hwk"]}, "Allow", "Allow", who=replace(HELENE, amr=("pwd", "otp"))),
    rule({"amr": "otp"}, "Allow", "Deny", who=replace(HELENE, amr=("pwd",))),
    rule({"max_age": "15m"}, "Allow", "Deny"),
    rule("anyone", "Challenge", "Allow", who=None),
    rule("signed_in", "Deny", "Allow", who=PAUL),
    rule({"group": "elus"}, "Allow", "Deny"),
    rule({"claim": {"name": "mail", "equals": "paul@metropole.example"}}, "Allow", "Deny"),
    rule({"claim": {"name": "mail", "in": ["a", "b"]}}, "Allow", "Deny"),
    rule({"claim": {"name": "mail", "suffix": "@departement.example"}}, "Allow", "Deny"),
    rule({"claim": {"name": "uai", "exists": True}}, "Allow", "Deny"),
    rule({"any": [{"group": "a"}, {"group": "b"}]}, "Allow", "Deny"),
    rule({"any": [{"group": "a"}, {"group": "ONDE"}]}, "Allow", "Allow"),
    rule({"all": [{"group": "ONDE"}, {"group": "a"}]}, "Allow", "Deny"),
    rule({"not": {"group": "ONDE"}}, "Allow", "Deny"),
    rule({"claim": {"name": "mail", "matches": "paul@.*"}}, "Allow", "Deny"),
    rule({"user": "metropole/helene"}, "Deny", "Allow", who=replace(PAUL, subject="helene")),
    rule({"user": ["metropole/helene"]}, "Allow", "Deny", who=replace(HELENE, subject="h")),
    rule({"provider": "metropole"}, "Deny", "Allow", who=PAUL),
    rule({"mandate": "maire"}, "Deny", "Allow", who=MAYOR),
    rule({"mandate": {"office": ["maire", "adjoint"]}}, "Deny", "Allow", who=MAYOR),
    rule({"tenant": {"siret": "21590350100017"}}, "Deny", "Allow", who=PAUL),
    rule({"tenant": {"siren": ["225900018", "215903501"]}}, "Deny", "Allow", who=PAUL),
    rule({"tenant": {"insee": "59350"}}, "Deny", "Allow", who=PAUL),
    rule({"tenant": {"insee": "59009"}}, "Allow", "Deny"),
    rule({"tenant": {"list": ["nord"]}}, "Deny", "Allow", who=PAUL),
    rule({"network": ["192.0.2.0/24", "10.0.0.0/8"]}, "Challenge", "Allow", who=None),
    rule({"network": "192.0.2.0/24"}, "Allow", "Deny"),
    rule({"method": "GET"}, "Challenge", "Allow", who=None),
    rule({"method": ["POST"]}, "Allow", "Deny"),
    rule({"header": {"name": "X-Mode", "equals": "print"}}, "Challenge", "Allow", who=None),
    rule({"header": {"name": "X-Mode", "in": ["print"]}}, "Challenge", "Allow", who=None),
    rule({"header": {"name": "X-Mode", "suffix": ".print"}}, "Allow", "Deny"),
    rule({"header": {"name": "X-Mode", "sha256": sha256(b"print").hexdigest()}}, "Challenge", "Allow", who=None),
    rule({"header": {"name": "X-Mode", "sha256": [sha256(b"other").hexdigest()]}}, "Allow", "Deny"),
    rule({"header": {"name": "X-Mode", "matches": "p.*t"}}, "Challenge", "Allow", who=None),
    rule({"header": {"name": "X-Other", "exists": True}}, "Allow", "Deny"),
    rule({"query": {"name": "mode", "equals": "print"}}, "Challenge", "Allow", who=None),
    rule({"query": {"name": "mode", "in": ["print"]}}, "Challenge", "Allow", who=None),
    rule({"query": {"name": "mode", "suffix": ".print"}}, "Allow", "Deny"),
    rule({"query": {"name": "mode", "sha256": [sha256(b"print").hexdigest()]}}, "Challenge", "Allow", who=None),
    rule({"query": {"name": "mode", "matches": "p.*t"}}, "Challenge", "Allow", who=None),
    rule({"query": {"name": "other", "exists": True}}, "Allow", "Deny"),
    rule({"time": {"zone": "Europe/Paris", "days": "tue"}}, "Challenge", "Allow", who=None),
    rule({"time": {"zone": "Europe/Paris", "hours": "10:00-10:01"}}, "Challenge", "Allow", who=None),
    rule({"time": {"zone": "Indian/Reunion", "hours": "10:00-10:01"}}, "Allow", "Deny"),
    rule({"time": {"zone": "Europe/Paris", "dates": "2025-11-25"}}, "Challenge", "Allow", who=None),
    rule({"shared": "instructeurs"}, "Deny", "Allow", who=PAUL),
    rule({"when": "user.uid == 'paul' && request.client.startsWith('10.')"}, "Deny", "Allow", who=PAUL),
]
NAMED: dict[str, str | None] = {
    "lists/nord.yaml": 'version: 1\nlist: nord\norganisations: [{siren: "215903501", insee: "59350"}, {siret: "22590001800014", insee: "59009"}]\n',
    "shared/a.yaml": "version: 1\nconditions: {instructeurs: {any: [{group: ONDE}, {group: elus}]}}\n",
}
GIVEN_UAI = replace(
    PAUL,
    attributes={**PAUL.attributes, "uai": ("own",)},
    findings=(DirectoryFinding("communes", "", "found", {"uai": ("1",)}),),
)
COMMUNES = """\
version: 1
directory: communes
csv: {path: ../communes.csv}
key: {siret: {from: siret, providers: [metropole]}}
gives: {commune: {}, grr: {secret: true}, uai: {wins: provider}}
"""


def of_directory(see: Callable[[Directory], object]) -> Callable[[Snapshot], object]:
    return lambda snapshot: see(snapshot.directories["communes"])


def part(see: Callable[[KeyPart], object]) -> Callable[[Snapshot], object]:
    return of_directory(lambda d: see(d.key[0]))


def one(see: Callable[[GivenAttribute], object]) -> Callable[[Snapshot], object]:
    return of_directory(lambda d: see(d.gives[0]))


MANDATE = {"office": "fonction", "siren": "siren", "start": "debut", "end": "fin", "zone": "Europe/Paris"}


def terms(see: Callable[[TermColumns], object]) -> Callable[[Snapshot], object]:
    return of_directory(lambda d: next((see(given.terms) for given in d.gives if given.terms is not None), None))


def row(cell: str, rows: int = 1) -> Callable[[Snapshot], object]:
    """What `commune` is where the column has this cell."""

    def see(snapshot: Snapshot) -> object:
        found, _ = finding_of(snapshot.directories["communes"], [{"commune": (cell,)}] * rows, 0)
        return found.values.get("commune", "unknown" if "commune" in found.unknown else "none")

    return see


BIND = {"dn": "cn=ecluse", "password": "let-me-read"}
OAUTH = {
    "token_url": "https://login.example/token", "client_id": "ecluse", "client_secret": "our-secret", "scope": "people",
    "send": "body",
}  # fmt: skip
BY_SIRET = "SELECT siret, commune FROM communes WHERE siret = :siret"
POSTGRESQL = {"host": "db.example", "database": "people", "user": "ecluse", "select": BY_SIRET}
DIRECTORY = [
    Effect("directory", ("directory",), "autres", lambda s: [*s.directories], ["communes"], ["autres"]),
    Effect(
        "csv.path",
        ("csv", "path"),
        "/x.csv",
        of_directory(lambda d: d.source.path),
        "/srv/ecluse/communes.csv",
        "/x.csv",
    ),
    Effect("csv.delimiter", ("csv", "delimiter"), ";", of_directory(lambda d: d.source.delimiter), ",", ";"),
    Effect("csv.encoding", ("csv", "encoding"), "cp1252", of_directory(lambda d: d.source.encoding), "utf-8", "cp1252"),
    Effect("key.*.from", ("key", "siret", "from"), "uid", part(lambda p: p.attribute), "siret", "uid"),
    Effect(
        "key.*.providers[]",
        ("key", "siret", "providers"),
        ["metropole"],
        of_directory(lambda d: d.takes("autre")),
        True,
        False,
        ((("key", "siret"), {"from": "issuer"}), (("gives",), {"commune": {}})),
    ),
    Effect(
        "key.*.transform[]",
        ("key", "siret", "transform"),
        ["siren"],
        part(lambda p: transformed(p, "21590350100017")),
        "21590350100017",
        "215903501",
    ),
    Effect("gives.*.column", ("gives", "commune", "column"), "label", one(lambda g: g.column), "commune", "label"),
    Effect("gives.*.secret", ("gives", "commune"), {"secret": True}, one(lambda g: g.name), "commune", "secret:commune"),
    Effect("gives.*.type", ("gives", "commune", "type"), "number", row("Lille"), ("Lille",), "unknown"),
    Effect("gives.*.many", ("gives", "commune"), {"many": True, "split": ","}, row("a,b"), ("a,b",), ("a", "b")),
    Effect("gives.*.split", ("gives", "commune"), {"many": True, "split": "/"}, row("a/b"), ("a/b",), ("a", "b")),
    Effect(
        "gives.*.wins",
        ("gives", "uai", "wins"),
        "directory",
        of_directory(lambda d: known_with(GIVEN_UAI, (replace(d, fingerprint=""),), 0).attributes["uai"]),
        ("own",),
        ("1",),
    ),
    *(
        Effect(
            f"gives.*.mandate.{key}",
            ("gives", "mandates"),
            {
                "type": "mandates",
                "wins": "directory",
                "mandate": {name: value for name, value in (MANDATE | said).items() if value},
            },
            terms(see),
            None,
            after,
        )
        for key, said, see, after in (
            ("office", {"office": "titre"}, lambda t: t.office, "titre"),
            ("siren", {}, lambda t: (t.organisation, t.number), ("siren", "siren")),
            ("siret", {"siret": "etab", "siren": None}, lambda t: (t.organisation, t.number), ("etab", "siret")),
            ("insee", {"insee": "code", "siren": None}, lambda t: (t.organisation, t.number), ("code", "insee")),
            ("start", {"start": "du"}, lambda t: t.start, "du"),
            ("end", {"end": "au"}, lambda t: t.end, "au"),
            ("open_end", {"open_end": True}, lambda t: t.open_end, True),
            ("zone", {}, lambda t: (t.zone, t.zone_column), ("Europe/Paris", "")),
            ("zone_column", {"zone": None, "zone_column": "fuseau"}, lambda t: (t.zone, t.zone_column), ("", "fuseau")),
        )
    ),
    Effect(
        "gives.*.acts_for",
        ("gives", "etablissements"),
        {"type": "siret", "many": True, "acts_for": ["215903501"]},
        of_directory(lambda d: next((g.acts_for.numbers for g in d.gives if g.acts_for is not None), None)),
        None,
        ("215903501",),
        ((("key", "siret"), {"from": "subject", "providers": ["metropole"]}),),
    ),
    Effect("rows", ("rows",), "many", row("Lille", 2), "unknown", ("Lille",)),
    Effect(
        "away", ("away",), {"last": "24h"}, of_directory(lambda d: (d.away, d.last)), ("refuse", 0), ("last", 86400)
    ),
    Effect("away", ("away",), "without", of_directory(lambda d: missing_from(PAUL, [d]) is None), False, True),
    Effect("json.path", ("json",), {"path": "/x.json"}, of_directory(lambda d: d.source.form), "csv", "json"),
    Effect("timeout", ("timeout",), "5s", of_directory(lambda d: d.timeout), 2.0, 5.0),
    Effect("lifetime", ("lifetime",), "10m", of_directory(lambda d: d.lifetime), 3600, 600),
    Effect("gone", ("gone",), "end", of_directory(lambda d: d.gone), "keep", "end"),
    *(Effect(f"ldap.{key}", ("ldap",), {"servers": ["ldaps://ldap.example"], "base": "dc=example", **section},
             of_directory(lambda d, see=see: isinstance(d.source, LdapSource) and see(d.source)), False, after)
      for key, section, see, after in (
          ("servers[]", {}, lambda s: s.servers, ("ldaps://ldap.example",)),
          ("base", {}, lambda s: s.base, "dc=example"),
          ("start_tls", {"servers": ["ldap://ldap.example"], "start_tls": True}, lambda s: s.start_tls, True),
          ("ca", {"ca": {"file": "tls.crt"}}, lambda s: s.ca, PEM["file:tls.crt"]),
          ("bind.dn", {"bind": BIND}, lambda s: s.bind_dn, "cn=ecluse"),
          ("bind.password", {"bind": BIND}, lambda s: s.password, b"let-me-read"),
          ("bind.certificate.certificate", {"bind": {"certificate": TLS}}, lambda s: s.certificate.certificate,
           PEM["file:tls.crt"]),
          ("bind.certificate.key", {"bind": {"certificate": TLS}}, lambda s: s.certificate.key, PEM["file:tls.key"]),
          ("scope", {"scope": "one"}, lambda s: s.scope, "one"),
          ("filter", {"filter": "(objectClass=person)"}, lambda s: s.filter, "(objectClass=person)"),
          ("connections", {"connections": 2}, lambda s: s.connections, 2),
      )),
    *(Effect(f"http.{key}", ("http",), {"url": "https://api.example/{siret}", "addresses": ["10.0.0.0/8"], **section},
             of_directory(lambda d, see=see: isinstance(d.source, HttpSource) and see(d.source)), False, after)
      for key, section, see, after in (
          ("url", {}, lambda s: s.url, "https://api.example/{siret}"),
          ("method", {"url": "https://api.example/", "method": "POST"}, lambda s: s.method, "POST"),
          ("rows", {"rows": "/people/0"}, lambda s: s.rows, ("people", "0")),
          ("addresses[]", {}, lambda s: s.addresses, (IPv4Network("10.0.0.0/8"),)),
          ("token", {"token": "let-me-ask"}, lambda s: s.token, b"let-me-ask"),
          *((f"oauth.{key}", {"oauth": OAUTH}, lambda s, see=see: s.oauth and see(s.oauth), found)
            for key, see, found in (
                ("token_url", lambda o: o.url, "https://login.example/token"),
                ("client_id", lambda o: o.client_id, "ecluse"),
                ("client_secret", lambda o: o.client_secret, b"our-secret"),
                ("scope", lambda o: o.scope, "people"),
                ("send", lambda o: o.in_body, True),
            )),
          ("certificate.certificate", {"certificate": TLS}, lambda s: s.certificate.certificate, PEM["file:tls.crt"]),
          ("certificate.key", {"certificate": TLS}, lambda s: s.certificate.key, PEM["file:tls.key"]),
          ("ca", {"ca": {"file": "tls.crt"}}, lambda s: s.ca, PEM["file:tls.crt"]),
          ("connections", {"connections": 2}, lambda s: s.connections, 2),
      )),
    *(Effect(f"postgresql.{key}", ("postgresql",), POSTGRESQL | section,
             of_directory(lambda d, see=see: isinstance(d.source, PostgresqlSource) and see(d.source)), False, after)
      for key, section, see, after in (
          ("host", {}, lambda s: s.host, "db.example"),
          ("port", {"port": 5433}, lambda s: s.port, 5433),
          ("database", {}, lambda s: s.database, "people"),
          ("user", {}, lambda s: s.user, "ecluse"),
          ("password", {"password": "let-me-read"}, lambda s: s.password, b"let-me-read"),
          ("certificate.certificate", {"certificate": TLS}, lambda s: s.certificate.certificate, PEM["file:tls.crt"]),
          ("certificate.key", {"certificate": TLS}, lambda s: s.certificate.key, PEM["file:tls.key"]),
          ("ca", {"ca": {"file": "tls.crt"}}, lambda s: s.ca, PEM["file:tls.crt"]),
          ("tls", {"tls": False}, lambda s: s.tls, False),
          ("select", {}, lambda s: s.select[1::2], ("siret",)),
          ("connections", {"connections": 2}, lambda s: s.connections, 2),
      )),
    *(Effect(f"sqlite.{key}", ("sqlite",), {"path": "/x.db", "select": BY_SIRET},
             of_directory(lambda d, see=see: isinstance(d.source, SqliteSource) and see(d.source)), False, after)
      for key, see, after in (
          ("path", lambda s: s.path, "/x.db"),
          ("select", lambda s: s.select, (BY_SIRET.removesuffix(":siret"), "siret", "")),
      )),
]  # fmt: skip
TOWNS = """\
version: 1
organisations: communes
csv: {path: ../communes.csv}
"""


def of_table(see: Callable[[OrganisationTable], object]) -> Callable[[Snapshot], object]:
    return lambda snapshot: see(snapshot.organisations[0])


ORGANISATIONS = [
    Effect("organisations", ("organisations",), "autres", of_table(lambda t: t.name), "communes", "autres"),
    Effect("csv.path", ("csv", "path"), "/x.csv", of_table(lambda t: t.source.path), "/srv/ecluse/communes.csv", "/x.csv"),
    Effect("csv.delimiter", ("csv", "delimiter"), ";", of_table(lambda t: t.source.delimiter), ",", ";"),
    Effect("csv.encoding", ("csv", "encoding"), "cp1252", of_table(lambda t: t.source.encoding), "utf-8", "cp1252"),
    Effect("credit", ("credit",), "INSEE", of_table(lambda t: t.credit), "", "INSEE"),
    Effect("as_of", ("as_of",), "2026-01-15", of_table(lambda t: t.as_of), "", "2026-01-15"),
]  # fmt: skip
FILES = {"gateway.yaml": GATEWAY, "providers/metropole.yaml": PROVIDER, "apps/permis.yaml": APP + CONDITIONS,
         "directories/communes.yaml": DIRECTORY, "organisations/communes.yaml": ORGANISATIONS}  # fmt: skip
ALL = [(file, effect) for file, effects in FILES.items() for effect in effects]


def changed(file: str, changes: tuple[tuple[tuple[str | int, ...], object], ...]) -> Snapshot:
    """JSON is YAML: the file written anew with these values in it. A renamed provider takes its app along."""
    text = {"directories": COMMUNES, "organisations": TOWNS}.get(file.partition("/")[0]) or BASE[file]
    data: Any = deepcopy(read_document(file, text.encode())[0].data)
    for path, value in changes:
        at = data
        for step in path[:-1]:
            at = at[step] if isinstance(step, int) else at.setdefault(step, {})
        at[path[-1]] = value
    files = {
        **NAMED,
        "gateway.yaml": BASE["gateway.yaml"] + TOKENS + ACCOUNTS + FRONTS + "sockets: [/run/apps]\n",
        "providers/metropole.yaml": WITH_MANDATES,
        **({"directories/communes.yaml": COMMUNES} if file.startswith("apps/") else {}),
        file: json.dumps(data),
    }
    if data.keys() & {"json", "ldap", "http", "postgresql", "sqlite"}:
        files[file] = json.dumps({key: value for key, value in data.items() if key != "csv"})
    if data.get("shadow"):
        files["apps/live.yaml"] = BASE["apps/permis.yaml"]
    if data.get("providers") == ["autre"] * len(data.get("providers", ())):
        files["providers/autre.yaml"] = WITH_MANDATES.replace("provider: metropole", "provider: autre")
    if file.startswith("providers/") and data["provider"] != "metropole":
        files["apps/permis.yaml"] = BASE["apps/permis.yaml"].replace("[metropole]", f"[{data['provider']}]")
    if file == "gateway.yaml" and not data["development"]:
        files["providers/metropole.yaml"] = WITH_MANDATES.replace("http://127.0.0.1:9400", "https://op.example")
    return sample_snapshot(files, {**PEM, **READ})


@cache
def as_it_is(file: str) -> Snapshot:
    return changed(file, ())


@pytest.mark.parametrize(
    ("file", "effect"), ALL, ids=[f"{effect.key}-{index}" for index, (_, effect) in enumerate(ALL)]
)
def test_the_key_does_what_it_says(file: str, effect: Effect) -> None:
    assert effect.with_it or effect.see(as_it_is(file)) == effect.before
    assert effect.see(changed(file, (*effect.with_it, (effect.path, effect.value)))) == effect.after


@pytest.mark.parametrize(
    ("name", "effects"),
    [
        ("gateway", GATEWAY),
        ("provider", PROVIDER),
        ("app", APP),
        ("directory", DIRECTORY),
        ("organisations", ORGANISATIONS),
    ],
    ids=["gateway", "provider", "app", "directory", "organisations"],
)
def test_no_key_is_without_its_effect(name: str, effects: list[Effect]) -> None:
    schema = json.loads(schemas()[f"{name}.schema.json"])
    assert {key for key, _ in fenced_keys(schema)} - {"version"} == {effect.key for effect in effects}


def test_no_condition_is_without_its_effect() -> None:
    definitions = json.loads(schemas()["app.schema.json"])["$defs"]
    written = {"anyone", "signed_in", *KEYS} - TESTS.keys()
    for key, model in TESTS.items():
        written |= {f"{key}.{test}" for test in definitions[model]["properties"] if test not in ("name", "zone")}
    assert {effect.key.removeprefix("access[].allow:") for effect in CONDITIONS} == written
