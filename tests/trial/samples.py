"""One snapshot with most kinds of answer, and people for it."""

from gateway.config.snapshot import Snapshot
from gateway.model.identity import Identity
from gateway.trial.people import Known
from gateway.trial.request import Circumstances
from tests.config.samples import METROPOLE, sample_snapshot

DEPARTEMENT = METROPOLE.replace("metropole", "departement").replace(":9400", ":9401")
OUVERT = """\
version: 1
app: ouvert
hosts: [ouvert.localhost, "*.ouvert.localhost"]
upstream: {url: http://127.0.0.1:9002}
providers: [metropole]
paths: {parameters: [jsessionid], case: insensitive, merge_slashes: true}
translate:
  headers:
    X-Remote-User: {from: uid}
    ctln: {from: family_name, encoding: latin1}
    FrEduRne: {from: uai, join: ","}
    X-Groups: {from: groups, join: ";", encoding: base64}
  cookies:
    SEEN: {value: present}
logout: {links: [/quitter, /session/**]}
access:
  - {path: /**, allow: {any: [{group: ONDE}, {group: elus}]}}
  - {path: /menu, methods: [GET], allow: anyone}
  - {path: /dossiers/**, allow: signed_in, deny: {group: externes}}
  - {path: /dossiers/*, allow: {all: [{group: ONDE}, {not: {claim: {name: mail, suffix: "@metropole.example"}}}]}}
  - {path: /comptes/**, methods: [GET], allow: signed_in}
  - {path: /comptes/**, methods: [POST], allow: {group: ONDE}, refusal: Demandez à la direction.}
"""
SECRET = {"file:../certs/departement.secret": b"departement-secret-of-the-tests-0123456789"}


NOW = Circumstances(1_800_000_000.0)


def snapshot(*, method_override: bool = False) -> Snapshot:
    text = OUVERT + ("method_override: true\n" if method_override else "")
    return sample_snapshot({"providers/departement.yaml": DEPARTEMENT, "apps/ouvert.yaml": text}, SECRET)


def person(provider: str = "metropole", **attributes: tuple[str, ...]) -> Known:
    port = {"metropole": 9400, "departement": 9401}[provider]
    return Known(Identity(provider, f"http://127.0.0.1:{port}", "s-1", attributes))


# Of the rule on /dossiers/*, and of a rule that is not there yet.
SHADOWED = (
    OUVERT
    + """\
  - {path: /dossiers/*, allow: {mandate: maire}, shadow: true}
  - {path: /plans, allow: signed_in, shadow: true}
"""
)


def shadowed(access: str = SHADOWED) -> Snapshot:
    mapped = METROPOLE.replace("  uai: uai\n", "  uai: uai\n  mandates: mandates\n")
    return sample_snapshot({"providers/metropole.yaml": mapped, "apps/ouvert.yaml": access})


TESTS = """\
version: 1
people:
  paul: {provider: metropole, attributes: {uid: paul, groups: [ONDE]}}
  zoe: {provider: metropole, attributes: {uid: zoe, groups: administrateurs}}
tests:
  - name: everybody reads the public pages
    request: [GET http://permis.localhost/public/, HEAD http://permis.localhost/public/a]
    as: [nobody, paul]
    decision: allow
    rule: /public/**
    cookies: {}
  - {request: GET http://permis.localhost/admin/, as: zoe, decision: allow, headers: {X-Remote-User: zoe}}
  - {request: GET http://permis.localhost/admin/, as: paul, decision: deny, reason: policy.not_allowed}
  - {request: GET http://permis.localhost/, decision: challenge, rule: /**}
  - {request: GET http://permis.localhost/a%2fb, decision: refuse, reason: wire.target, rule: none}
"""
FAILING = TESTS.replace("as: paul, decision: deny", "as: paul, decision: allow")
