"""What docs/ says is what the code does: generated pages are current, examples load, links lead somewhere."""

import re
import sys
from base64 import b64encode
from pathlib import Path
from types import ModuleType

import pytest
import trustme
import yaml

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files, for_app
from tests.config.design_copy import READ
from tests.tokens.test_ltpa import EXPORTED, PASSWORD
from tools.reference import pages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROSE = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
REFERENCE = pages()
_FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_SECRET = b"0123456789012345678901234567890123456789"
_ISSUED = trustme.CA().issue_cert("portail.example.org")
_GATEWAY = """
version: 1
portal: http://portail.localhost:8080
listen: [{address: 127.0.0.1:8080}]
development: true
"""
_STORE = 'store: {type: memory, keys: [{id: k1, secret: "0123456789012345678901234567890123456789"}]}\n'
_SAML = "saml: {keys: [{id: k1, key: {file: saml.key}, certificate: {file: saml.crt}}]}\n"
_APP = """
version: 1
app: example
hosts: [example.localhost]
upstream: {url: http://127.0.0.1:9001}
providers: [metropole]
"""
_COMMUNES = """
version: 1
directory: communes
csv: {path: ../communes.csv}
key: {siret: {from: tenant, providers: [metropole]}}
gives: {schools: {}, commune: {}}
"""
_MANDATES = "{type: mandates, mandate: {office: fonction, siren: siren, start: debut, end: fin, zone: Europe/Paris}}"
_DIRECTORIES = {
    "communes": _COMMUNES,
    "mandats": _COMMUNES.replace("communes", "mandats").replace(
        "{schools: {}, commune: {}}", f"{{mandates: {_MANDATES}}}"
    ),
    "agents": _COMMUNES.replace("communes", "agents").replace("{schools: {}, commune: {}}", "{login: {}}"),
}
_PROVIDER = """
version: 1
provider: {name}
label: {name}
oidc:
  {{issuer: https://op.example, client_id: a, client_secret: s3cret, api: {{audience: [urn:x], introspection: true}}}}
attributes:
  {{uid: sub, given_name: given_name, family_name: family_name, display_name: name, groups: groups, mail: email,
    hired: hired, service: service, dn: dn, siret: siret, oid: oid}}
tenant: siret
can: [acr, amr, fresh_login]
"""


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_the_generated_page_is_current(name):
    assert (ROOT / "docs" / "reference" / name).read_text("utf-8") == REFERENCE[name], "run `make schema`"


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_each_row_of_a_table_is_one_line_with_a_cell_for_each_column(name):
    tables = re.findall(r"(?:^\|.*\n)+(.*)", REFERENCE[name], re.MULTILINE)
    assert not [after for after in tables if after], "a table is followed by an empty line"
    for table in re.findall(r"(?:^\|.*\n)+", REFERENCE[name], re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


def examples() -> list[tuple[str, str]]:
    found = [(path, text) for path in PROSE for text in _FENCE.findall(path.read_text("utf-8"))]
    return [(f"{path.name}:{number}", text) for number, (path, text) in enumerate(found)]


@pytest.mark.parametrize(("place", "text"), examples(), ids=[place for place, _ in examples()])
def test_every_yaml_example_loads(place, text, monkeypatch):
    data = yaml.safe_load(text)
    if "ldap" in data:
        # Whether the extra is here is not what an example says.
        monkeypatch.setitem(sys.modules, "ldap", ModuleType("ldap"))
    store = "" if "store" in data else _STORE
    files = {"gateway.yaml": (_GATEWAY + store).encode()}
    if "app" in data:
        files["apps/example.yaml"] = text.encode()
        if "embedded_by" in data:
            # A frame has a session only where all are hosts of one domain.
            files["gateway.yaml"] = files["gateway.yaml"].replace(b"portail.localhost", b"portail.example.org")
        files["gateway.yaml"] += b"sockets: [/run/apps]\n" if "socket" in data["upstream"] else b""
        named = data["providers"]
    elif set(data) in ({"serves"}, {"tenants"}):
        files["providers/example.yaml"] = (_PROVIDER.format(name="example") + text).encode()
        named = []
    elif "provider" in data:
        files["providers/example.yaml"] = text.encode()
        files["gateway.yaml"] += _SAML.encode() if "saml" in data else b""
        named = []
    elif "directory" in data:
        files["directories/communes.yaml"] = text.encode()
        named = ["metropole", "departement"]
    elif "organisations" in data and "csv" in data:
        files["organisations/communes.yaml"] = text.encode()
        named = []
    elif "list" in data or "conditions" in data:
        files["lists/example.yaml" if "list" in data else "shared/example.yaml"] = text.encode()
        named = []
    elif "translate" in data:
        # What an application is told, alone.
        access = "" if "access" in data else "access: [{path: /**, allow: signed_in}]\n"
        files["apps/example.yaml"] = (_APP + text + access).encode()
        files["gateway.yaml"] += b"tokens: {keys: [{key: {file: tokens.pem}}]}\n"
        text += "{file: tokens.pem}"
        named = ["metropole"]
    elif "access" in data:
        files["apps/example.yaml"] = (_APP + text).encode()
        named = ["metropole"]
    elif "form_login" in data or "label" in data:
        files["apps/example.yaml"] = (_APP + text + "access: [{path: /**, allow: signed_in}]\n").encode()
        named = ["metropole"]
    else:
        # A page may show a section alone.
        files["gateway.yaml"] = text.encode() if "version" in data else (_GATEWAY + store + text).encode()
        named = [client["provider"] for client in data.get("scim", {}).get("clients", ())]
    if "front" in data:
        asks = b"forward_auth: {secret: {file: front.hex}, host: 127.0.0.1}\n"
        files["gateway.yaml"] += b"trusted_proxies: [10.1.0.1]\n" + asks
        text += "{file: front.hex}"
    if "account" in data:
        files["gateway.yaml"] += b"accounts: {keys: [{id: l1, secret: {file: links.key.base64}}]}\n"
        text += "{file: links.key.base64}"
    if "directories" in data:
        files |= {f"directories/{name}.yaml": _DIRECTORIES[name].encode() for name in data["directories"]}
    for name in named:
        files[f"providers/{name}.yaml"] = _PROVIDER.format(name=name).encode()
    references = set(re.findall(r"\{file: ([^}]+)\}", text + _SAML))
    secrets = {f"file:{name}": material(name) for name in references}
    secrets |= {for_app("", key): content for key, content in secrets.items()}
    build(compile_files(Files("policies", "/policies", files, {**secrets, **READ})).plan)


def material(name: str) -> bytes:
    """What stands in a file of this name: a certificate, the private key beside it, or a secret."""
    if Path(name).suffix == ".base64":
        return b64encode(bytes(32))
    if Path(name).name in ("ltpa.keys", "ltpa.password"):
        return EXPORTED if Path(name).suffix == ".keys" else PASSWORD
    if Path(name).suffix == ".hex":
        return b"AB" * 32
    if Path(name).suffix == ".svg":
        return b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    if Path(name).name.endswith("ca.pem"):
        return _ISSUED.cert_chain_pems[0].bytes()
    pem = {".crt": _ISSUED.cert_chain_pems[0], ".key": _ISSUED.private_key_pem, ".pem": _ISSUED.private_key_pem}
    found = pem.get(Path(name).suffix)
    return _SECRET if found is None else found.bytes()


def test_every_link_leads_to_a_file():
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in PROSE
        for target in _LINK.findall(path.read_text("utf-8"))
        if not target.startswith(("http", "mailto")) and not (path.parent / target).exists()
    ]
    assert not broken


def headings(path: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = (re.sub(r"\]\([^)]*\)", "", title).lower() for title in re.findall("^#+ (.*)$", text, re.MULTILINE))
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}


def test_every_heading_that_a_link_names_exists():
    named = [
        (path, (path.parent / page).resolve() if page else path, heading)
        for path in PROSE
        for page, heading in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", path.read_text("utf-8"))
    ]
    assert not [(path.name, page.name, heading) for path, page, heading in named if heading not in headings(page)]
    assert len(named) > 50


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", "".join(path.read_text("utf-8") for path in PROSE), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("names", [("how-to/write-a-condition", "fr/ecrire-une-condition")], ids=lambda names: names[1])
def test_both_languages_show_the_same_files(names):
    english, french = (_FENCE.findall((ROOT / f"docs/{name}.md").read_text("utf-8")) for name in names)
    assert [yaml.safe_load(text) for text in english] == [yaml.safe_load(text) for text in french]
    assert len(english) >= 5
