"""Every lint rule finds what it is for, and leaves alone the file beside it that is right."""

# ruff: noqa: E501 - one pair a line

import datetime
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.lint.rules import RULES
from gateway.lint.run import lint
from gateway.lint.subject import subject
from tests.config.check.test_directories import COMMUNES
from tests.config.saml_samples import FILES as SAML
from tests.config.saml_samples import SECRETS as SAML_SECRETS
from tests.config.samples import DEPARTEMENT, GATEWAY, METROPOLE, PERMIS, sample_files
from tests.saml.metadata_samples import entity
from tests.tokens.test_ltpa import EXPORTED, PASSWORD

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
SECOND = METROPOLE.replace("provider: metropole", "provider: departement").replace("fr: Métropole du Nord", "fr: Nord")
SECOND = SECOND.replace("Northern Metropolis", "North").replace(":9400", ":9401")
STRONG = b"q8Zr2Lw0Vx5Tn7Yk3Hd9Jc6Gb1Mf4PsQ"
GROUPS = "asserts: {attributes: {groups: [%s]}, "


TABLE = Path(__file__).with_name("organisations.csv")
TOWNS = f"version: 1\norganisations: communes\ncsv: {{path: {TABLE}}}\n"


PAGE = "https://ville.example/page"
NOTICES = (
    *("the legal notice", "what is done with people's data"),
    *("how accessible they are", "where the accessibility statement is"),
)
LINKS, STATED = f"{{legal: {PAGE}, data_protection: {PAGE}}}", f"{{state: none, statement: {PAGE}}}"


@dataclass(frozen=True)
class Pair:
    """Changes of the sample folder: one that is found, one that is not."""

    bad: dict[str, str]
    good: dict[str, str]
    secrets: dict[str, bytes] = field(default_factory=dict)
    good_secrets: dict[str, bytes] = field(default_factory=dict)


def access(*rules: str, **more: str) -> dict[str, str]:
    head = PERMIS.partition("access:")[0]
    text = head + "access:\n" + "".join(f"  - {rule}\n" for rule in rules)
    return {"apps/permis.yaml": text + "".join(f"{key}: {value}\n" for key, value in more.items())}


def told(*lines: str, section: str = "headers") -> dict[str, str]:
    head, _, tail = PERMIS.partition("translate:")
    listed = "".join(f"    {line}\n" for line in lines)
    return {"apps/permis.yaml": f"{head}translate:\n  {section}:\n{listed}access:{tail.partition('access:')[2]}"}


def served(what: str, name: str = "metropole") -> dict[str, str]:
    text = METROPOLE.replace("provider: metropole", f"provider: {name}").replace(
        ":9400", ":9400" if name == "metropole" else ":9499"
    )
    return {f"providers/{name}.yaml": text + f"serves: {{{what}}}\n"}


def changed(path: str, old: str, new: str) -> dict[str, str]:
    text = {"gateway.yaml": GATEWAY, "providers/metropole.yaml": METROPOLE, "apps/permis.yaml": PERMIS}[path]
    assert old in text
    return {path: text.replace(old, new)}


FORM_SECRET = {"file:grr": STRONG}


def form(more: str) -> dict[str, str]:
    """An application with a login form."""
    steps = "[{page: /login.php, fields: {u: login, p: secret}}]"
    section = (
        f"{{trusted: {{from: uid, secret: {{file: grr}}}}, steps: {steps}, signed_in: [{{location: /in}}], {more}}}"
    )
    return {"apps/permis.yaml": PERMIS + f"form_login: {section}\n"}


def two_forms(more: str = "") -> dict[str, str]:
    (first,) = form(f"cookies: [A], {more}expired: [{{location: /login.php}}]").values()
    second = first.replace("permis", "admin").replace("page: /login.php", "page: /admin.php")
    return {"apps/permis.yaml": first, "apps/admin.yaml": second}


def by_mail(more: str = "") -> dict[str, str]:
    (file,) = form(f"cookies: [A], {more}expired: [{{location: /login.php}}]").values()
    return {"apps/permis.yaml": file.replace("from: uid, secret", "from: mail, secret")}


KEYS = {
    "file:a.base64": b64encode(bytes(32)),
    "file:b.base64": b64encode(bytes(range(32))),
    "file:short": b"motdepasse",
    "file:mac": b"AB" * 64,
    # The same, as another hand wrote it.
    "file:mac-too": b"ab" * 64 + b"\n",
    "file:aes": b"CD" * 32,
    "file:ltpa": EXPORTED.strip(),
    "file:ltpa-password": PASSWORD,
    # The first one, with a line break behind it.
    "file:c.base64": b64encode(bytes(32)) + b"\n",
}


MACHINE = "compatibility: Framework45, validation_key: {file: mac}, decryption_key: {file: aes}"


def sent(line: str, app: str = "permis") -> dict[str, str]:
    """An application that is sent a token, or signed in to."""
    return {f"apps/{app}.yaml": PERMIS.replace("permis", app).replace("access:", f"  {line}\naccess:")}


def provider(old: str, new: str) -> dict[str, str]:
    return changed("providers/metropole.yaml", old, new)


def gateway(old: str, new: str) -> dict[str, str]:
    return changed("gateway.yaml", old, new)


FRONTS = "trusted_proxies: [10.1.0.1]\nforward_auth: {secret: {env: FRONT}}"
FRONT = {"env:FRONT": b"0123456789abcdef0123456789abcdef"}


def scoped(bound: str) -> dict[str, str]:
    text = METROPOLE.replace(", email_domains: [metropole.example]", bound)
    return {"providers/metropole.yaml": text.replace("tenant:", "  eppn: eduPersonPrincipalName\ntenant:")}


def groups(*names: str) -> dict[str, str]:
    return provider("asserts: {", GROUPS % ", ".join(names))


def certificate(
    days: int = 365,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    names: tuple[str, ...] = ("*.localhost",),
) -> dict[str, bytes]:
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - datetime.timedelta(days=400))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"file:tls.pem": made.public_bytes(serialization.Encoding.PEM), "file:tls.key": pem}


def signing_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def metadata_until(end: str) -> dict[str, bytes]:
    document = entity(id="https://idp.departement.example/metadata", attributes=f'validUntil="{end}"')
    return {**SAML_SECRETS, "file:../certs/departement.xml": document.encode()}


def at_least(classes: str) -> dict[str, str]:
    compared = f"saml:\n  authn_context: {classes}\n  authn_context_comparison: minimum\n"
    return {**SAML, "providers/departement.yaml": SAML["providers/departement.yaml"].replace("saml:\n", compared)}


def from_two(files: dict[str, str]) -> dict[str, str]:
    """People of two providers come to the application."""
    text = files["apps/permis.yaml"].replace("[metropole]", "[metropole, departement]")
    return {"providers/departement.yaml": SECOND, "apps/permis.yaml": text}


TLS = gateway(
    "- {address: 127.0.0.1:8080}",
    "- {address: 127.0.0.1:8080, tls: {certificate: {file: tls.pem}, key: {file: tls.key}}}",
)
HTTPS = {"gateway.yaml": TLS["gateway.yaml"].replace("portal: http:", "portal: https:")}
BESIDE = HTTPS["gateway.yaml"].replace("listen:\n", "listen:\n  - {address: 127.0.0.1:8079}\n")
TWO_KEYS = "{id: k1, secret: {file: ../certs/store.key}}, {id: k2, secret: {file: ../certs/%s.key}}"
REWRITTEN = "rewrite: {headers: true, internal: ['%s']}\n"
MANY = ", ".join(f"group-{number:04}-of-a-long-name" for number in range(400))


def listed(names: str, line: str) -> dict[str, str]:
    return {**groups(names), **told(line)}


PAIRS: dict[str, Pair] = {
    "EC101": Pair(access("{path: /**, allow: anyone}"), access("{path: /public/**, allow: anyone}")),
    "EC102": Pair(
        access("{path: /admin/**, allow: signed_in}", "{path: /admin/css/*, allow: anyone}"),
        access("{path: /**, allow: signed_in}", "{path: /css/*, allow: anyone}"),
    ),
    "EC103": Pair(
        access("{path: /admin, allow: signed_in}", "{path: /**, allow: anyone}"),
        access("{path: /admin/**, allow: signed_in}", "{path: /**, allow: anyone}"),
    ),
    "EC104": Pair(access("{path: /_ecluse/x, allow: anyone}"), access("{path: /x/_ecluse, allow: anyone}")),
    "EC105": Pair(
        access("{path: /x, methods: [GET, HEAD], allow: anyone}"),
        access("{path: /x, methods: [GET, POST], allow: anyone}"),
    ),
    "EC106": Pair(
        access("{path: /x, allow: signed_in, deny: {not: anyone}}"),
        access("{path: /x, allow: signed_in, deny: {not: {group: a}}}"),
    ),
    "EC107": Pair(access("{path: /x, allow: signed_in, deny: anyone}"), access("{path: /x, deny: anyone}")),
    "EC108": Pair(access("{path: /x, allow: {not: anyone}}"), access("{path: /x, allow: {not: {group: a}}}")),
    "EC109": Pair(
        access("{path: /x, allow: anyone, refusal: Non.}"),
        access("{path: /x, methods: [GET], allow: anyone, refusal: Lecture seule.}"),
    ),
    "EC110": Pair(
        access("{path: /x, allow: {not: {any: [{group: a}, {group: b}]}}}"),
        access("{path: /x, allow: {all: [{group: c}, {not: {group: a}}]}}"),
    ),
    "EC111": Pair(
        access("{path: /x, allow: {any: [anyone, {group: a}]}}"), access("{path: /x, allow: {any: [{group: a}]}}")
    ),
    "EC112": Pair(
        access("{path: /x, allow: {any: [{group: a}, {group: b}, {group: a}]}}"),
        access("{path: /x, allow: {any: [{group: a}, {all: [{group: a}, signed_in]}]}}"),
    ),
    "EC113": Pair(access('{path: "/~menu", allow: anyone}'), access('{path: "/~menu[0-9]", allow: anyone}')),
    "EC114": Pair(access('{path: "/~^m[0-9]$", allow: anyone}'), access('{path: "/~m[0-9]", allow: anyone}')),
    "EC115": Pair(
        access("{path: /Admin, allow: signed_in}", "{path: /admin, allow: signed_in}"),
        access("{path: /Admin, allow: signed_in}", "{path: /users, allow: signed_in}"),
    ),
    "EC116": Pair(
        access("{path: /admin/**, allow: {group: ONDE}}", "{path: /admin/export, allow: signed_in}"),
        access("{path: /admin/**, allow: {group: ONDE}}", "{path: /admin/export, allow: {group: ONDE}}"),
    ),
    "EC128": Pair(
        access("{path: /x, allow: {all: [signed_in, {header: {name: X-Gate-Token, equals: planted}}]}}"),
        access("{path: /x, allow: {all: [signed_in, {header: {name: X-Gate-Token, exists: true}}]}}"),
    ),
    "EC201": Pair({**groups("ONDE"), **access("{path: /x, allow: {any: [{group: ONDE}, {group: onde}]}}")},
                  {**groups("ONDE"), **access("{path: /x, allow: {group: ONDE}}")}),
    "EC202": Pair({**groups("a"), **access("{path: /x, allow: {claim: {name: groups, in: [a, b]}}}")},
                  {**groups("a"), **access("{path: /x, allow: {claim: {name: groups, in: [a]}}}")}),
    "EC203": Pair(access('{path: /x, allow: {claim: {name: mail, suffix: "@ville.example"}}}'),
                  access('{path: /x, allow: {claim: {name: mail, suffix: "@metropole.example"}}}')),
    "EC204": Pair(provider("asserts: {", "# {"), provider("asserts: {", "asserts: {")),
    "EC205": Pair(provider('siret: ["21590350100017"], ', ""), {}),
    "EC206": Pair(provider(", email_domains: [metropole.example]", ""), {}),
    "EC207": Pair(access("{path: /x, allow: {group: a}}"), {**groups("a"), **access("{path: /x, allow: {group: a}}")}),
    "EC208": Pair({"providers/departement.yaml": SECOND},
                  {"providers/departement.yaml": SECOND, **changed("apps/permis.yaml", "[metropole]", "[metropole, departement]")}),
    "EC209": Pair({}, {"providers/metropole.yaml": "".join(
        line for line in METROPOLE.splitlines(keepends=True)
        if line.split(":")[0].strip() not in ("given_name", "family_name", "uai")
    )}),
    "EC210": Pair({"providers/departement.yaml": SECOND.replace("fr: Nord", "fr: Métropole du Nord"),
                   **changed("apps/permis.yaml", "[metropole]", "[metropole, departement]")},
                  {"providers/departement.yaml": SECOND,
                   **changed("apps/permis.yaml", "[metropole]", "[metropole, departement]")}),
    "EC211": Pair(changed("apps/permis.yaml", "[metropole]", "[metropole, metropole]"), {}),
    "EC212": Pair(access("{path: /x, allow: signed_in}", session="{idle: 2h}"),
                  access("{path: /x, allow: signed_in}", session="{idle: 10m}")),
    "EC213": Pair(access("{path: /x, allow: signed_in}", session="{then: sign_in}"),
                  access("{path: /x, allow: signed_in}", session="{idle: 10m, then: sign_in}")),
    "EC214": Pair(provider("tenant: siret\n", "tenant: siret\nsession: {absolute: 7d}\n"),
                  provider("tenant: siret\n", "tenant: siret\nsession: {absolute: 10h}\n")),
    "EC215": Pair(provider("tenant: siret\n", "tenant: siret\nskew: 5m\n"),
                  provider("tenant: siret\n", "tenant: siret\nskew: 2m\n")),
    "EC216": Pair(provider("client_secret: {file: ../certs/metropole.secret}", "client_authentication: none"), {}),
    "EC217": Pair({}, {}, {"file:../certs/metropole.secret": b"short"}),
    "EC218": Pair(SAML, SAML, metadata_until("2026-06-20T00:00:00Z"), metadata_until("2026-09-01T00:00:00Z")),
    "EC233": Pair(at_least("[urn:oasis:names:tc:SAML:2.0:ac:classes:X509]"), at_least("[http://eidas.europa.eu/LoA/high]"),
                  SAML_SECRETS, SAML_SECRETS),
    "EC236": Pair({"providers/metropole.yaml": METROPOLE.replace(", email_domains: [metropole.example]", "").replace("tenant:", "  login: upn\ntenant:")},
                  {"providers/metropole.yaml": METROPOLE.replace("tenant:", "  login: upn\ntenant:")}),
    "EC237": Pair(scoped(""), scoped(", scopes: [metropole.example]")),
    "EC238": Pair({"directories/communes.yaml": COMMUNES},
                  {"directories/communes.yaml": COMMUNES,
                   **changed("apps/permis.yaml", "[metropole]", "[metropole]\ndirectories: [communes]")}),
    "EC250": Pair({**served("siren: ['215903501']"), **served("siren: ['215903501']", "autre")},
                  {**served("siren: ['215903501']"), **served("departements: ['59']", "autre")}),
    "EC251": Pair({"organisations/communes.yaml": TOWNS}, {"organisations/communes.yaml": TOWNS, **served("others: true")}),
    "EC301": Pair(listed(MANY, 'X-G: {from: groups, join: ";"}'), listed("a, b", 'X-G: {from: groups, join: ";"}')),
    "EC302": Pair(told("X-Name: {from: family_name}"), told("X-Name: {from: family_name, encoding: latin1}")),
    "EC303": Pair(told("X-G: {from: groups}"), told('X-G: {from: groups, join: ";"}')),
    "EC304": Pair(listed('"a;b"', 'X-G: {from: groups, join: ";"}'), listed('"a;b"', 'X-G: {from: groups, join: ";", encoding: base64}')),
    "EC305": Pair(listed("œuvres", 'X-G: {from: groups, join: ";", encoding: latin1}'),
                  listed("œuvres", 'X-G: {from: groups, join: ";", encoding: latin1, unencodable: transliterate}')),
    "EC306": Pair(told("X-U: {from: uid, encoding: latin1, unencodable: transliterate}"),
                  told("X-U: {from: family_name, encoding: latin1, unencodable: transliterate}")),
    "EC341": Pair(told("X-N: {from: family_name, encoding: latin9}"),
                  told("X-N: {from: family_name, encoding: latin9, unencodable: transliterate}")),
    "EC307": Pair(told("X-Api-Token: {value: abc}"), told("X-Gateway: {value: ecluse}")),
    "EC308": Pair({"apps/permis.yaml": PERMIS.replace("translate:\n  headers:\n    X-Remote-User: {from: uid}\n", "")}, {}),
    "EC309": Pair(changed("apps/permis.yaml", "http://127.0.0.1:9001", "http://10.0.0.1:9001"), {}),
    "EC310": Pair({"apps/autre.yaml": PERMIS.replace("permis", "autre")},
                  {"apps/autre.yaml": PERMIS.replace("permis", "autre").replace(":9001", ":9002")}),
    "EC312": Pair(changed("apps/permis.yaml", "[permis.localhost]", "[portail.localhost]"), {}),
    "EC313": Pair(changed("apps/permis.yaml", "9001}", "9001, timeout: 2h}"),
                  changed("apps/permis.yaml", "9001}", "9001, timeout: 60s}")),
    "EC314": Pair(access("{path: /**, allow: signed_in}", paths="{merge_slashes: true}"),
                  access("{path: /**, allow: signed_in}", "{path: /a, allow: anyone}", paths="{merge_slashes: true}")),
    "EC317": Pair(access("{path: /**, allow: signed_in}", "{path: /a, methods: [POST], allow: signed_in}"),
                  access("{path: /**, allow: signed_in}", "{path: /a, methods: [PUT, PATCH, POST, DELETE], allow: signed_in}")),
    "EC320": Pair(access("{path: /a/**, allow: signed_in}", "{path: /b, allow: anyone}", paths="{cookieless: true}"),
                  access("{path: /a/**, allow: signed_in}", "{path: /b, allow: anyone}", paths="{cookieless: true, case: insensitive}")),
    "EC338": Pair({"apps/permis.yaml": PERMIS + "logout: {url: /bye, cookies: [a]}\ncookies: {hidden: [PHPSESSID, a]}\n"},
                  {"apps/permis.yaml": PERMIS + "logout: {url: /bye, cookies: [a, PHPSESSID]}\ncookies: {hidden: [PHPSESSID]}\n"}),
    "EC321": Pair({}, changed("apps/permis.yaml", "app: permis\n", "app: permis\nlabel: {fr: Permis, en: Permits}\n")),
    "EC337": Pair({"apps/permis.yaml": PERMIS + "logout: {url: /bye}\n"},
                  {"apps/permis.yaml": PERMIS + "logout: {url: /bye, cookies: [JSESSIONID]}\n"}),
    "EC342": Pair({"apps/permis.yaml": PERMIS.replace(":9001}", ":9001, host: upstream}")},
                  {"apps/permis.yaml": PERMIS.replace(":9001}", ":9001, host: upstream}") + "rewrite: {headers: true}\n"}),
    "EC343": Pair({"apps/permis.yaml": PERMIS + REWRITTEN % "http://autre.localhost:8080", "apps/autre.yaml": PERMIS.replace("permis", "autre")},
                  {"apps/permis.yaml": PERMIS + REWRITTEN % "http://autre.localhost:8081", "apps/autre.yaml": PERMIS.replace("permis", "autre")}),
    "EC346": Pair({"apps/permis.yaml": PERMIS + "tunnel: {protocols: [websocket], origins: [http://partenaire.example]}\n"},
                  {"apps/permis.yaml": PERMIS + "tunnel: {protocols: [websocket], origins: [https://partenaire.example]}\n"}),
    "EC347": Pair(changed("apps/permis.yaml", "http://127.0.0.1:9001", "https://127.0.0.1:9001, tls: {legacy: tls1.0}"),
                  changed("apps/permis.yaml", "http://127.0.0.1:9001", "https://127.0.0.1:9001, tls: {minimum: tls1.2}")),
    "EC348": Pair(changed("apps/permis.yaml", "127.0.0.1:9001", "127.0.0.1:9001, accept: [long_headers, bare_lf]"),
                  changed("apps/permis.yaml", "127.0.0.1:9001", "127.0.0.1:9001, accept: [long_headers, odd_status]")),
    "EC351": Pair(sent("sealed: {cookie: T, key: {file: a.base64}, life: 20m}"), sent("sealed: {cookie: T, key: {file: a.base64}, life: 10m}"),
                  KEYS, KEYS),
    "EC352": Pair(sent("basic: {account: {value: a}, password: {file: short}}"), sent("basic: {account: {value: a}, password: {file: a.base64}}"),
                  KEYS, KEYS),
    "EC353": Pair({**sent("sealed: {cookie: T, key: {file: a.base64}}"), **sent("sealed: {cookie: T, key: {file: a.base64}}", "autre")},
                  {**sent("sealed: {cookie: T, key: {file: a.base64}}"), **sent("sealed: {cookie: T, key: {file: b.base64}}", "autre")},
                  KEYS, KEYS),
    "EC354": Pair(from_two(told("X-Id: {from: subject}")), from_two(told("X-Id: {from: subject}", "X-Of: {from: issuer}"))),
    "EC361": Pair(form("cookies: [A]"), form("cookies: [A], expired: [{location: /login.php}]"), FORM_SECRET, FORM_SECRET),
    "EC362": Pair(form("cookies: [A], tries: 5"), form("cookies: [A], tries: 4"), FORM_SECRET, FORM_SECRET),
    "EC363": Pair(two_forms(), two_forms("counted_with: annuaire, "), FORM_SECRET, FORM_SECRET),
    "EC364": Pair(by_mail(), by_mail("counted_apart: [domain], "), FORM_SECRET, FORM_SECRET),
    "EC365": Pair(form("cookies: [A]"), form("cookies: [A], check: /menu.php"), FORM_SECRET, FORM_SECRET),
    "EC355": Pair(from_two(told('X-Id: {from: mail, transforms: [{extract: "^([^@]+)@"}]}')), from_two(told("X-Id: {from: mail, transforms: [lower]}"))),
    "EC356": Pair(from_two(told('X-Id: {template: "{uid}-{provider}-x{subject}"}')), from_two(told('X-Id: {template: "{provider}-{subject}"}'))),
    "EC357": Pair(sent("ltpa2: {account: {from: uid}, keys: {file: ltpa}, password: {file: ltpa-password}}"), {}, KEYS, KEYS),
    "EC371": Pair({**gateway("workers: 2", FRONTS), "apps/permis.yaml": PERMIS + "front: nginx\n"}, gateway("workers: 2", FRONTS), FRONT, FRONT),
    "EC372": Pair({"apps/wiki.yaml": PERMIS.replace("app: permis", "app: wiki\npath: /wiki").replace("{path: /", "{path: /wiki/").replace(":9001", ":9002")},
                  {"apps/wiki.yaml": PERMIS.replace("permis", "wiki").replace("app: wiki", "app: wiki\npath: /wiki").replace("{path: /", "{path: /wiki/").replace(":9001", ":9002")}),
    "EC373": Pair({"apps/permis.yaml": PERMIS + "limits: {requests: {per_person: {rate: 10/s}}}\n"},
                  {"apps/permis.yaml": PERMIS + "limits: {requests: {per_person: {rate: 10/s, burst: 20}}}\n"}),
    "EC401": Pair({}, {**HTTPS, "gateway.yaml": HTTPS["gateway.yaml"].replace("development: true\n", ""),
                       "providers/metropole.yaml": METROPOLE.replace("http://127.0.0.1:9400", "https://op.example")},
                  good_secrets=certificate()),
    "EC402": Pair({"gateway.yaml": GATEWAY.replace("type: sqlite", "type: memory").replace("workers: 2", "workers: 1")}, {}),
    "EC403": Pair(gateway("workers: 2", "trusted_proxies: [0.0.0.0/0]"), gateway("workers: 2", "trusted_proxies: [10.1.0.0/16]")),
    "EC404": Pair(gateway("127.0.0.1:8080}", "0.0.0.0:8080}"),
                  {"gateway.yaml": GATEWAY.replace("127.0.0.1:8080}", "0.0.0.0:8080}").replace("workers: 2", "trusted_proxies: [10.1.0.0/16]")}),
    "EC405": Pair(TLS, TLS, certificate(days=10), certificate(days=90)),
    "EC406": Pair(HTTPS, HTTPS, certificate(names=("portail.localhost",)), certificate()),
    "EC407": Pair(TLS, TLS, certificate(key=rsa.generate_private_key(65537, 1024)), certificate()),
    "EC408": Pair({}, {}, {"file:../certs/store.key": b"ab" * 32}),
    "EC409": Pair(gateway("{id: k1, secret: {file: ../certs/store.key}}", TWO_KEYS % "store"),
                  gateway("{id: k1, secret: {file: ../certs/store.key}}", TWO_KEYS % "other"), {}, {"file:../certs/other.key": STRONG}),
    "EC410": Pair(provider("client_secret: {file: ../certs/metropole.secret}", "client_secret: written-here-for-all-to-see"), {}),
    "EC412": Pair(gateway("../certs/store.key", "store.key"), {}, {"file:store.key": STRONG}),
    "EC413": Pair(gateway("state: ../var", "state: var"), {}),
    "EC414": Pair(gateway("workers: 2", "timeouts: {request_head: 10m}"), gateway("workers: 2", "timeouts: {request_head: 10s}")),
    "EC415": Pair(gateway("workers: 2", "limits: {body: unlimited}"), gateway("workers: 2", "limits: {body: 10MB}")),
    "EC416": Pair(gateway("workers: 2", "limits: {headers: 1MB}"), gateway("workers: 2", "limits: {headers: 64KB}")),
    "EC417": Pair({"gateway.yaml": BESIDE.replace("127.0.0.1:8079}", "10.1.0.1:8079, redirect: none}")},
                  {"gateway.yaml": BESIDE.replace("127.0.0.1:8079}", "10.1.0.1:8079}")},
                  certificate(), certificate()),
    "EC418": Pair(gateway("type: sqlite", 'type: redis, server: {address: "10.0.0.6:6379"}'),
                  gateway("type: sqlite", 'type: redis, server: {address: "10.0.0.6:6379", tls: {}}')),
    "EC419": Pair({"gateway.yaml": HTTPS["gateway.yaml"] + "hsts: 0s\n"}, HTTPS, certificate(), certificate()),
    "EC420": Pair({}, {"gateway.yaml": GATEWAY + f"theme: {{links: {LINKS}, accessibility: {STATED}}}\n"}),
}  # fmt: skip


EXPORT = "{path: /admin/export, allow: signed_in}"


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (["{path: /admin, allow: {group: ONDE}}", EXPORT], ["/admin"]),
        (["{path: /*/**, allow: {group: ONDE}}", EXPORT], []),
        (["{path: /**, allow: {group: ONDE}}", EXPORT], []),
        (["{path: /, allow: {group: ONDE}}", EXPORT], []),
        (["{path: /administration/**, allow: {group: ONDE}}", EXPORT], []),
        (["{path: /admin/**, methods: [POST], allow: {group: ONDE}}", EXPORT], ["/admin/**"]),
        (
            [
                "{path: /admin/**, methods: [POST], allow: {group: ONDE}}",
                "{path: /admin/export, methods: [GET], allow: signed_in}",
            ],
            [],
        ),
        (
            [
                "{path: /admin/**, allow: {group: ONDE}}",
                "{path: /admin/help/**, allow: signed_in}",
                "{path: /admin/help/a, allow: signed_in}",
            ],
            ["/admin/**"],
        ),
        (["{path: /admin/**, allow: {group: ONDE}}", EXPORT[:-1] + ", deny: {not: {group: ONDE}}}"], []),
        (["{path: /admin/**, allow: {all: [signed_in, {group: ONDE}]}}", EXPORT], ["/admin/**"]),
        (["{path: /admin/**, deny: {not: {group: ONDE}}, allow: signed_in}", EXPORT], ["/admin/**"]),
    ],
)
def test_more_people_deeper_than_above(rules: list[str], found: list[str]) -> None:
    told = lint(subject(sample_files(access(*rules)), NOW.timestamp()))
    said = "this is for everybody who is signed in, but {} above it is not"
    assert [one.problem.message for one in told if one.code == "EC116"] == [said.format(path) for path in found]


@pytest.mark.parametrize(
    ("theme", "key", "said"),
    [
        ("", "portal", ", ".join(NOTICES)),
        (f"theme: {{links: {LINKS}}}\n", "theme", ", ".join(NOTICES[2:])),
        (f"theme: {{links: {LINKS}, accessibility: {{state: none}}}}\n", "theme", NOTICES[3]),
        (f"theme: {{links: {{data_protection: {PAGE}}}, accessibility: {STATED}}}\n", "theme", NOTICES[0]),
    ],
)
def test_each_notice_that_pages_lack_is_named(theme: str, key: str, said: str) -> None:
    found = lint(subject(sample_files({"gateway.yaml": GATEWAY + theme}), NOW.timestamp()))
    (problem,) = (one.problem for one in found if one.code == "EC420")
    assert (problem.key, problem.message) == (key, f"the gateway's pages do not name: {said}")


def codes(changes: dict[str, str], secrets: dict[str, bytes]) -> set[str]:
    files = sample_files(changes, secrets)
    return {finding.code for finding in lint(subject(files, NOW.timestamp()))}


@pytest.mark.parametrize("code", sorted(PAIRS))
def test_a_rule_finds_what_it_is_for_and_nothing_beside(code: str) -> None:
    pair = PAIRS[code]
    assert code in codes(pair.bad, pair.secrets)
    assert code not in codes(pair.good, pair.good_secrets)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("X-S: {value: Préfecture}", "the text of `value`"),
        ("X-S: {value: {file: service}}", "the text of `value`"),
        ("X-S: {from: uid, absent: aucun prénom}", "the text of `absent`"),
        ("X-S: {from: uid, nobody: anonyme à l'accueil}", "the text of `nobody`"),
        ('X-S: {template: "Agent général {uid}"}', "the text of `template`"),
        ('X-S: {template: "{given_name} {uid}"}', "given_name"),
        ("X-S: {from: groups, only: [élus]}", "the text of `only`"),
        ("X-S: {from: uid, transforms: [{prefix: é-}]}", "the text of `transforms`"),
        ("X-S: {from: uid, transforms: [{table: {a: é}}]}", "the text of `transforms`"),
        ('X-S: {from: uid, transforms: [lower, {date: "%d à %H"}]}', "the text of `transforms`"),
    ],
)
def test_every_text_with_accents_that_may_be_sent_needs_an_encoding(line: str, what: str) -> None:
    secrets = {"file:service": "Préfecture".encode()}

    def found(lines: dict[str, str]) -> list[str]:
        findings = lint(subject(sample_files(lines, secrets), NOW.timestamp()))
        return [one.problem.message for one in findings if one.code == "EC302"]

    assert found(told(line)) == [f"{what} has accents, and an old application rarely reads UTF-8 in a header"]
    assert found(told(f"{line[:-1]}, encoding: utf8}}")) == []
    without = line.translate(str.maketrans("éàç", "eac"))
    if "file" not in line and "given_name" not in line:
        assert found(told(without)) == []


def test_an_account_or_a_password_for_http_basic_with_accents_needs_an_encoding() -> None:
    def found(account: str, more: str = "", password: bytes = STRONG) -> bool:
        basic = f"    basic: {{account: {account}, password: {{file: secret}}{more}}}\n".replace("    ", "  ", 1)
        text = PERMIS.replace("translate:\n", f"translate:\n{basic}")
        return "EC302" in codes({"apps/permis.yaml": text}, {"file:secret": password})

    assert found("{value: préfecture}")
    assert found("{from: family_name}")
    assert not found("{value: préfecture}", ", encoding: latin1")
    assert not found("{value: prefecture}")
    assert found("{value: prefecture}", "", "été-1936-congés-payés".encode())
    assert not found("{value: prefecture}", ", encoding: utf8", "été-1936-congés-payés".encode())


def test_a_template_with_a_name_may_lack_letters_too() -> None:
    template = 'X-N: {template: "{given_name} {uid}", encoding: latin1}'
    assert "EC341" in codes(told(template), {})
    assert "EC341" not in codes(told(template[:-1] + ", unencodable: transliterate}"), {})


@pytest.mark.parametrize(
    "named", ["sentinel: {name: e, addresses: ['127.0.0.1:26379']}", "cluster: ['127.0.0.1:6379']"]
)
def test_a_store_that_others_lead_to_is_asked_for_tls_though_they_are_here(named: str) -> None:
    for server, is_found in (("address: '127.0.0.1:6379'", False), (named, True), (f"{named}, tls: {{}}", False)):
        found = codes(gateway("type: sqlite", f"type: redis, server: {{{server}}}"), {})
        assert ("EC418" in found) is is_found, server


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("2026-05-31T12:00:00Z", "validUntil of this file was 2026-05-31: from then on, nobody can sign in"),
        ("2026-06-20T00:00:00Z", "validUntil of this file is 2026-06-20: from then on, nobody can sign in"),
    ],
)
def test_metadata_that_have_ended_are_told_from_those_that_will(end: str, said: str) -> None:
    files = sample_files(SAML, metadata_until(end))
    (problem,) = (one.problem for one in lint(subject(files, NOW.timestamp())) if one.code == "EC218")
    assert (problem.key, problem.message) == ("saml.metadata", said)


@pytest.mark.parametrize(
    ("source", "code", "place"),
    [
        ("common: [mail]", "EC206", "saml.common"),
        ("common: [upn]", "EC236", "saml.common"),
        ("common: [eppn]", "EC237", "saml.common"),
        ("uid: [matricule, NameID]", "EC236", "attributes.uid"),
        ("login: Email", "EC206", "attributes.login"),
        ("login: http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "EC236", "attributes.login"),
        ("login: [x, eduPersonPrincipalName]", "EC237", "attributes.login"),
    ],
)
def test_an_address_that_nothing_bounds_is_found_under_any_name_that_saml_has_for_it(
    source: str, code: str, place: str
) -> None:
    text = DEPARTEMENT.replace("common: [mail, family_name]", source if "common" in source else "common: []")
    head, _, rest = text.partition("attributes:")
    mapped = "{siret: urn:example:siret}" if "common" in source else f"{{siret: urn:example:siret, {source}}}"
    tail = 'tenant: siret\nasserts: {siret: ["22590001800014"]}\n'
    files = {**SAML, "providers/departement.yaml": f"{head}attributes: {mapped}\n{tail}"}
    assert rest
    found = lint(subject(sample_files(files, SAML_SECRETS), NOW.timestamp()))
    ours = {(one.code, one.problem.key) for one in found if one.code in ("EC206", "EC236", "EC237")}
    assert ours == {(code, place)}


def test_what_a_provider_may_say_after_the_sign_is_a_domain_that_it_asserts() -> None:
    rule = access('{path: /x, allow: {claim: {name: mail, suffix: "@univ.example"}}}')
    named = provider("[metropole.example]}", "[metropole.example], scopes: [univ.example]}")
    assert "EC203" in codes(rule, {})
    assert "EC203" not in codes({**rule, **named}, {})


def test_the_hint_for_an_attribute_of_a_preset_can_be_followed() -> None:
    """It does not stand in the file, and cannot be left out of it."""
    text = METROPOLE.replace("provider: metropole\n", "provider: metropole\npreset: lemonldap\n")
    head, _, rest = text.partition("  given_name: given_name\n")
    assert rest

    def hints(attributes: str) -> dict[str, str]:
        files = sample_files({"providers/metropole.yaml": f"{head}{attributes}{rest}"}, {})
        told = lint(subject(files, NOW.timestamp()))
        return {one.problem.key: one.problem.suggestion for one in told if one.code == "EC209"}

    assert hints("  given_name: given_name\n")["attributes.given_name"] == "leave it out"
    assert hints("")["attributes.given_name"] == "its preset maps it: write given_name: null"
    assert "attributes.given_name" not in hints("  given_name: null\n")


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("a, b", "X-G: {from: groups, transforms: [first]}"),
        ("a, b", "X-G: {from: groups, only: [a]}"),
        ('"a;b"', 'X-G: {from: groups, join: ";", escape: backslash}'),
        ('"a;b", c', 'X-G: {from: groups, join: ";", only: [c, d]}'),
        ('"a;b"', 'X-G: {from: groups, join: ";", transforms: [{split: ";"}]}'),
        ("œuvres", 'X-G: {from: groups, join: ";", encoding: latin1, transforms: [{table: {œuvres: oeuvres}}]}'),
    ],
)
def test_what_never_reaches_the_application_as_it_is_listed_is_no_finding(names: str, line: str) -> None:
    assert not codes(listed(names, line), {}) & {"EC303", "EC304", "EC305"}


def test_every_rule_has_its_pair() -> None:
    # Modes are of real files: tests/cli/test_lint.py.
    assert set(PAIRS) | {"EC411"} == set(RULES)
    assert len(RULES) >= 30


CHECKS: dict[str, Callable[..., object]] = {code: rule.check for code, rule in RULES.items()}


def test_no_function_stands_for_two_codes_and_each_code_says_why() -> None:
    assert len(set(CHECKS.values())) == len(RULES)
    assert all(rule.title and rule.why.endswith(".") for rule in RULES.values())


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("jwt: {header: X-T}", "translate.jwt"),
        ("jwt: {header: X-T, claims: {id: {from: subject}, sub: {from: uid}}}", "translate.jwt"),
        ("jwt: {header: X-T, claims: {sub: {from: uid}}}", ""),
        ("jwt: {header: X-T, claims: {provider: {from: provider}}}", ""),
        ("sealed: {cookie: T, key: {file: a.base64}}", "translate.sealed"),
        ("sealed: {cookie: T, key: {file: a.base64}, claims: {issuer: {from: issuer}}}", ""),
        ("basic: {account: {from: subject}, password: {file: a.base64}}", "translate.basic.account"),
        ("basic: {account: {from: uid}, password: {file: a.base64}}", ""),
        (f"aspnet_ticket: {{account: {{from: subject}}, {MACHINE}}}", "translate.aspnet_ticket.account"),
        (f"aspnet_ticket: {{account: {{from: uid}}, {MACHINE}}}", ""),
        ("preset: oauth2-proxy", "translate.preset"),
        ("preset: mellon", ""),
    ],
)
def test_a_subject_is_looked_for_wherever_an_application_is_told_it(line: str, place: str) -> None:
    signs = {"file:sign.pem": signing_key()}
    files = {**from_two(sent(line)), **gateway("workers: 2", "workers: 2\ntokens: {keys: [{key: {file: sign.pem}}]}")}
    found = lint(subject(sample_files(files, {**KEYS, **signs}), NOW.timestamp()))
    assert [one.problem.key for one in found if one.code == "EC354"] == ([place] if place else [])
    assert not {one.code for one in lint(subject(sample_files(sent(line) if "jwt" not in line else {}, KEYS), 0.0))} & {
        "EC354"
    }


def test_a_login_form_tells_an_application_who_it_is() -> None:
    untold = PERMIS.replace("translate:\n  headers:\n    X-Remote-User: {from: uid}\n", "")
    files = {name: text.replace(PERMIS, untold) for name, text in form("cookies: [A]").items()}
    assert "EC308" not in {one.code for one in lint(subject(sample_files(files, FORM_SECRET), NOW.timestamp()))}


def test_a_key_is_the_same_however_it_is_written() -> None:
    sealed = {
        name: sent(f"sealed: {{cookie: T, key: {{file: {name}.base64}}}}", app)
        for name, app in zip("ac", ("permis", "autre"), strict=True)
    }
    assert "EC353" in codes({**sealed["a"], **sealed["c"]}, KEYS)


@pytest.mark.parametrize(
    ("template", "others", "alike"),
    [
        ("{provider}-{subject}", "metropole-nord", True),
        ("{provider}-{subject}", "metropole", False),
        ("{provider}:{subject}", "metropole-nord", False),
        ("{provider}{subject}", "metropolenord", True),
        ("{provider}{subject}", "nord", False),
        ("{subject}-{provider}", "nord-metropole", True),
        ("{subject}-{provider}", "nordmetropole", False),
        ("{subject}{provider}", "nordmetropole", True),
        ("u-{subject}", "metropole-nord", False),
        ("{issuer} {uid}", "nord", False),
        ("{uid}-{provider}-{subject}", "nord", True),
    ],
)
def test_a_template_that_two_people_may_fill_alike(template: str, others: str, alike: bool) -> None:
    """`alike`: whether people of the provider metropole and of the other one may come to one text."""
    files = told(f'X-Id: {{template: "{template}"}}')
    if others != "metropole":
        files = from_two(files)
        files = {path: text.replace("departement", others) for path, text in files.items()}
        files = {path.replace("departement", others): text for path, text in files.items()}
    assert ("EC356" in codes(files, {})) is alike


@pytest.mark.parametrize(
    ("transforms", "may_meet"),
    [
        ("[{hash: sha256}]", False),
        ('[{hash: sha256}, {prefix: "k-"}, upper]', False),
        ('[{hash: sha256}, {prefix: "é"}]', True),
        ('[{table: {a: "1"}, otherwise: omit}]', False),
        ('[{table: {a: "1"}}]', False),
        ('[{table: {a: "1"}, otherwise: keep}]', True),
        ('[{table: {a: "é"}, otherwise: omit}]', True),
        ('[{hash: sha256}, {table: {a: "1"}, otherwise: keep}]', False),
        ("[lower]", True),
    ],
)
def test_what_is_made_of_ascii_by_its_transforms_has_no_letter_to_replace(transforms: str, may_meet: bool) -> None:
    found = codes(
        told(f"X-U: {{from: uid, encoding: latin1, unencodable: transliterate, transforms: {transforms}}}"), {}
    )
    assert ("EC306" in found) is may_meet


def test_a_name_in_a_template_is_compared_too() -> None:
    assert "EC306" in codes(told('X-A: {template: "u-{uid}", encoding: ascii, unencodable: transliterate}'), {})


def test_one_machine_key_is_found_in_whatever_letters_it_is_written() -> None:
    one = sent(f"aspnet_ticket: {{account: {{from: uid}}, {MACHINE}}}")
    other = sent(f"aspnet_ticket: {{account: {{from: uid}}, {MACHINE.replace('mac}', 'mac-too}')}}}", "autre")
    found = lint(subject(sample_files({**one, **other}, KEYS), NOW.timestamp()))
    assert [one.problem.key for one in found if one.code == "EC353"] == ["translate.aspnet_ticket.validation_key"]


@pytest.mark.parametrize(
    ("label", "asked"), [("Permis", False), ("{fr: Permis}", True), ("{en: Permits}", True), ("{fr: a, en: b}", False)]
)
def test_a_name_for_people_is_asked_for_in_both_languages(label: str, asked: bool) -> None:
    """One text without a language is for all."""
    files = changed("apps/permis.yaml", "app: permis\n", f"app: permis\nlabel: {label}\n")
    assert ("EC321" in codes(files, {})) is asked


def test_a_long_life_of_a_ticket_is_found() -> None:
    for life, codes in (("20m", ["EC351"]), ("10m", [])):
        line = f"aspnet_ticket: {{account: {{from: uid}}, life: {life}, {MACHINE}}}"
        found = lint(subject(sample_files(sent(line), KEYS), NOW.timestamp()))
        assert [one.code for one in found if one.code == "EC351"] == codes


def test_what_a_directory_is_asked_by_has_a_use() -> None:
    plain = {"providers/metropole.yaml": METROPOLE.replace("attributes:\n", "attributes:\n  payroll: payroll\n")}
    by_it = COMMUNES.replace("from: tenant", "from: payroll")
    found = [
        [one.problem.message for one in lint(subject(sample_files(files), NOW.timestamp())) if one.code == "EC209"]
        for files in (plain, {**plain, "directories/communes.yaml": by_it})
    ]
    assert [any("payroll" in say for say in says) for says in found] == [True, False]


SHOWN = "{certificate: {file: tls.pem}, key: {file: tls.key}}"


@pytest.mark.parametrize(
    "files",
    [
        {
            "apps/permis.yaml": PERMIS.replace(
                "url: http://127.0.0.1:9001", f"url: 'https://app.example', tls: {{client_certificate: {SHOWN}}}"
            )
        },
        {"providers/metropole.yaml": METROPOLE.replace("oidc:\n", f"oidc:\n  client_certificate: {SHOWN}\n")},
        {
            "directories/people.yaml": "version: 1\ndirectory: people\n"
            f"http: {{url: 'https://people.example/?uid={{uid}}', addresses: [10.0.0.9/32], certificate: {SHOWN}}}\n"
            "key: {uid: {from: uid, providers: [metropole]}}\ngives: {office: {}}\n"
        },
    ],
    ids=["an application", "a provider", "a directory"],
)
def test_a_certificate_that_the_gateway_shows_ends_too(files: dict[str, str]) -> None:
    app = {f"apps/permis.yaml:{name}": content for name, content in certificate(days=10).items()}
    assert "EC405" in codes(files, {**certificate(days=10), **app})
    later = {f"apps/permis.yaml:{name}": content for name, content in certificate().items()}
    assert "EC405" not in codes(files, {**certificate(), **later})


def test_every_certificate_of_a_listener_is_looked_at() -> None:
    several = TLS["gateway.yaml"].replace(
        "tls.key}}", "tls.key}, others: [{certificate: {file: b.pem}, key: {file: b.key}}]}"
    )
    pair = certificate(days=10)
    second = {"file:b.pem": pair["file:tls.pem"], "file:b.key": pair["file:tls.key"]}
    assert "EC405" in codes({"gateway.yaml": several}, {**certificate(), **second})


@pytest.mark.parametrize(("other", "code"), [("http://10.0.0.2:9002", "EC309"), ("http://127.0.0.1:9003", "EC310")])
def test_further_addresses_are_looked_at_as_the_first_one_is(other: str, code: str) -> None:
    second = PERMIS.replace("permis", "autre").replace(":9001", ":9003")
    for more, found in ((other, {code}), ("http://127.0.0.1:9002", set())):
        several = PERMIS.replace(":9001}", f':9001, others: ["{more}"]}}')
        told = codes({"apps/permis.yaml": several, "apps/autre.yaml": second}, {})
        assert told & {"EC309", "EC310"} == found


@pytest.mark.parametrize(
    ("listener", "found"),
    [
        # What the how-to has: people who typed no scheme are led to https, and nothing else is served there.
        ("{address: 0.0.0.0:80}", True),
        ("{address: 0.0.0.0:80, redirect: https}", True),
        # A server in front may have a certificate for any host.
        ("{address: 0.0.0.0:80, redirect: none}", False),
        ("{address: 127.0.0.1:8079}", False),
    ],
)
def test_a_host_that_no_certificate_names_is_found_beside_a_listener_that_leads_to_https(
    listener: str, found: bool
) -> None:
    beside = {"gateway.yaml": HTTPS["gateway.yaml"].replace("listen:\n", f"listen:\n  - {listener}\n")}
    for files, expected in ((HTTPS, True), (beside, found)):
        assert ("EC406" in codes(files, certificate(names=("portail.localhost",)))) is expected
        assert "EC406" not in codes(files, certificate())


def test_a_host_that_is_public_by_http_needs_no_certificate() -> None:
    by_http = PERMIS.replace("app: permis\n", "app: permis\npublic: {scheme: http}\n")
    beside = {"gateway.yaml": HTTPS["gateway.yaml"].replace("listen:\n", "listen:\n  - {address: 0.0.0.0:80}\n")}
    assert "EC406" not in codes({**beside, "apps/permis.yaml": by_http}, certificate(names=("portail.localhost",)))
