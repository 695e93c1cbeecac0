"""`make demo HOST=name`: what is made for it, and a sign-in by OpenID Connect and by SAML over TLS."""

import ssl
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from deploy.demo import __main__ as command
from deploy.demo.guide import guide_elsewhere
from deploy.demo.place import USUAL, copy_policies, free_ports
from deploy.demo.shown import AUTHORITY, HostRefused, checked, make_certificates, shown
from deploy.demo.stack import APPLICATIONS, Demo
from tests.browser_like import Person
from tests.smoke.world import World


def public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]


def test_the_authority_signs_for_that_name_alone_and_its_key_is_nowhere(tmp_path: Path) -> None:
    make_certificates(tmp_path, "demo.example.org", ["demo.example.org", "portail.demo.example.org"])
    authority = x509.load_pem_x509_certificate((tmp_path / AUTHORITY).read_bytes())
    bounds = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert bounds.critical
    assert bounds.value.permitted_subtrees == [x509.DNSName("demo.example.org")]
    assert bounds.value.excluded_subtrees == [x509.IPAddress(ip_network(one)) for one in ("0.0.0.0/0", "::/0")]
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)
    assert (authority.not_valid_after_utc - authority.not_valid_before_utc).days <= 1
    keys = [load_pem_private_key(path.read_bytes(), None) for path in tmp_path.glob("*.key")]
    assert public(authority.public_key()) not in {public(key.public_key()) for key in keys}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == [AUTHORITY, "shown.crt", "shown.key"]


@pytest.mark.parametrize("host", ["192.0.2.7", "demo_1", "https://demo.example", "-x", "a..b", "a/b", "x;y", ""])
def test_only_a_name_is_taken(host: str) -> None:
    with pytest.raises(HostRefused, match="a name is wanted"):
        checked(host)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "demo.localhost"])
def test_a_name_that_leads_every_browser_to_its_own_machine_is_refused(host: str) -> None:
    with pytest.raises(HostRefused, match="the machine that they run on"):
        checked(host)


OWN = """\
version: 1
app: mes-notes
hosts: [mes-notes.localhost, "*.notes.localhost"]
upstream: {url: http://127.0.0.1:9999}
providers: [metropole]
access:
  - {path: /**, allow: signed_in}
"""


def test_a_persons_own_application_is_moved_and_named_with_the_others(tmp_path: Path) -> None:
    copy_policies(tmp_path, USUAL)
    own = tmp_path / "policies/apps/mes-notes.yaml"
    own.write_text(OWN)
    site = shown(tmp_path, "demo.example.org", USUAL)
    assert 'hosts: [mes-notes.demo.example.org, "*.notes.demo.example.org"]' in own.read_text()
    assert site.names[0] == "demo.example.org"
    assert {"mes-notes.demo.example.org", "*.notes.demo.example.org", "portail.demo.example.org"} <= set(site.names)
    told = guide_elsewhere(Demo(tmp_path, USUAL, site=site))
    (line,) = (line for line in told.splitlines() if "ADDRESS " in line and "is this" not in line)
    assert line.split()[1:] == [name for name in site.names if not name.startswith("*")]
    assert "https://mes-notes.demo.example.org:8080/" in told
    assert "yours: apps/mes-notes.yaml" in told
    # Who can sign in, and where a change is taken.
    for account in ("helene", "camille", "marc"):
        assert f"  {account} " in told
    assert f"The policies are a copy, gone at the end: {tmp_path}/policies." in told


def test_the_line_for_a_name_that_leads_nowhere_has_all_names() -> None:
    with pytest.raises(HostRefused, match="line into /etc/hosts: ") as refused:
        checked("nowhere.invalid")
    named = str(refused.value).partition("127.0.0.1 ")[2].split()
    assert {f"{name}.nowhere.invalid" for name in APPLICATIONS} <= set(named)


def test_a_name_that_leads_nowhere_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["deploy.demo", "--ports-free", "--host", "nowhere.invalid"])
    assert command.main() == 2
    assert "this machine does not find it" in capsys.readouterr().err


def test_nothing_of_plain_http_is_left_for_browsers(tmp_path: Path) -> None:
    copy_policies(tmp_path, USUAL)
    shown(tmp_path, "demo.example.org", USUAL)
    texts = {path.name: path.read_text() for path in (tmp_path / "policies").rglob("*.yaml")}
    assert not [name for name, text in texts.items() if "localhost" in text or "development:" in text]
    assert "portal: https://portail.demo.example.org:8080" in texts["gateway.yaml"]
    assert "issuer: https://demo.example.org:9404" in texts["proconnect.yaml"]
    # Its certificate ends tomorrow, and the name is one of other things.
    assert "\nhsts: 0s\n" in texts["gateway.yaml"]
    # What the gateway alone reaches stays on this machine.
    assert "upstream: {url: http://127.0.0.1:9001" in texts["permis.yaml"]


@pytest.mark.service
async def test_people_sign_in_over_tls_by_both_protocols(tmp_path: Path) -> None:
    ports = free_ports()
    copy_policies(tmp_path, ports)
    site = shown(tmp_path, "localhost", ports)
    trust = ssl.create_default_context(cafile=tmp_path / "certs" / AUTHORITY)
    async with Demo(tmp_path, ports, ldap=False, site=site) as demo:
        world = World(demo)
        for login in ("marc", "rose"):
            person = Person("fr", trust)
            page = await world.sign_in(person, login, demo.origin("elections.localhost") + "/")
            assert (page.status, f"Bonjour {login}." in page.text) == (200, True)
            assert page.url.startswith("https://elections.localhost:")
            story = await person.open(demo.story + "/")
            assert (story.status, f'href="{demo.origin("elections.localhost")}/"' in story.text) == (200, True)
            await person.close()
        told = guide_elsewhere(demo)
    assert told.startswith("WARNING: the providers of this demo ask for no password")
    assert "portail.localhost" in told
    assert "closed:" not in told
