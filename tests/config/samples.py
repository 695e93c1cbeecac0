"""Snapshots from YAML in a dictionary, for the tests of whatever lives on them."""

from collections.abc import Mapping

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files, for_app
from gateway.config.problems import ProblemsFound
from gateway.config.snapshot import Snapshot

STORE_KEY = b"0123456789abcdef0123456789abcdef"

GATEWAY = """\
version: 1
portal: http://portail.localhost:8080
listen:
  - {address: 127.0.0.1:8080}
admin: 127.0.0.1:8081
state: ../var
store: {type: sqlite, keys: [{id: k1, secret: {file: ../certs/store.key}}]}
development: true
workers: 2
"""

METROPOLE = """\
version: 1
provider: metropole
label: {fr: Métropole du Nord, en: Northern Metropolis}
oidc:
  issuer: http://127.0.0.1:9400
  client_id: ecluse
  client_secret: {file: ../certs/metropole.secret}
  scopes: [openid, profile, email]
attributes:
  uid: preferred_username
  mail: email
  given_name: given_name
  family_name: family_name
  groups: groups
  siret: siret
  uai: uai
tenant: siret
asserts: {siret: ["21590350100017"], email_domains: [metropole.example]}
can: [fresh_login, acr, amr]
"""

DEPARTEMENT = """\
version: 1
provider: departement
label: {fr: Département, en: County}
saml:
  entity_id: https://idp.departement.example/metadata
  metadata: {file: ../certs/departement.xml}
  common: [mail, family_name]
attributes:
  uid: [NameID, uid]
  siret: urn:example:siret
tenant: siret
asserts: {siret: ["22590001800014"], email_domains: [departement.example]}
"""

PERMIS = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {url: http://127.0.0.1:9001}
providers: [metropole]
translate:
  headers:
    X-Remote-User: {from: uid}
access:
  - {path: /public/**, allow: anyone}
  - {path: /admin/**, allow: {group: administrateurs}, refusal: Réservé aux administrateurs.}
  - {path: /**, allow: signed_in}
"""

# Asks nothing of an identity, so that it goes with any provider.
PLAIN_APP = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {url: http://127.0.0.1:9001}
providers: [metropole]
access:
  - {path: /**, allow: signed_in}
"""

BASE: Mapping[str, str] = {
    "gateway.yaml": GATEWAY,
    "providers/metropole.yaml": METROPOLE,
    "apps/permis.yaml": PERMIS,
}
SECRETS: Mapping[str, bytes] = {
    "file:../certs/store.key": STORE_KEY,
    "file:../certs/metropole.secret": b"metropole-secret-of-the-tests-0123456789",
}


def sample_files(changes: Mapping[str, str | None] | None = None, secrets: Mapping[str, bytes] | None = None) -> Files:
    """BASE with some files replaced, added, or (None) left out."""
    texts = {**BASE, **(changes or {})}
    return Files(
        folder="policies",
        root="/srv/ecluse/policies",
        texts={path: text.encode() for path, text in texts.items() if text is not None},
        secrets={**SECRETS, **(secrets or {}), **{for_app("", key): value for key, value in (secrets or {}).items()}},
    )


def sample_plan(changes: Mapping[str, str | None] | None = None, secrets: Mapping[str, bytes] | None = None) -> bytes:
    """What a supervisor would hand to its workers."""
    return compile_files(sample_files(changes, secrets)).plan


def problems(changes: Mapping[str, str | None], secrets: Mapping[str, bytes] | None = None) -> list[str]:
    """The first line of each problem of BASE with these changes, as `ecluse check` prints it."""
    try:
        compile_files(sample_files(changes, secrets))
    except ProblemsFound as found:
        return [problem.render().partition("\n")[0] for problem in found.problems]
    return []


def sample_snapshot(
    changes: Mapping[str, str | None] | None = None, secrets: Mapping[str, bytes] | None = None
) -> Snapshot:
    """`sample_snapshot({"apps/other.yaml": "..."})`: the snapshot of BASE with these changes."""
    return build(sample_plan(changes, secrets))
