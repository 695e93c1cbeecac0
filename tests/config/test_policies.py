# ruff: noqa: E501 - a case is a line
"""The example that `make demo` serves, as it stands in policies/."""

from pathlib import Path

import pytest

from deploy.demo.keys import make_all
from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.read import read_folder
from gateway.config.snapshot import Snapshot
from gateway.identity.mapping import map_claims
from gateway.identity.perimeter import check
from gateway.model.decision import Allow, Challenge, Deny
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.theme import by_language
from gateway.policy.decide import decide

POLICIES = Path(__file__).parents[2] / "policies"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The folder itself, and keys beside it as the demo makes them."""
    root = tmp_path_factory.mktemp("demo")
    (root / "policies").symlink_to(POLICIES)
    make_all(root / "certs")
    return build(compile_files(read_folder(root / "policies")).plan)


def person(snapshot: Snapshot, provider: str, login: str, siret: str, domain: str, *groups: str) -> Identity:
    claims = {"sub": login, "preferred_username": login, "email": f"{login}@{domain}", "family_name": "Lebœuf", "siret": siret,
              "groups": list(groups), "uai": ["0590001A", "0590002B"]}  # fmt: skip
    identity = map_claims(snapshot.providers[provider], claims, None, (), None, 0)
    check(snapshot.providers[provider], identity)
    return identity


def test_what_people_see_and_where(snapshot: Snapshot) -> None:
    assert snapshot.gateway.portal_url == "http://portail.localhost:8080"
    assert [listener.address for listener in snapshot.gateway.listeners] == [("127.0.0.1", 8080)]
    assert snapshot.gateway.admin == "127.0.0.1:8081"
    assert {app.name: app.origin(app.hosts[0]) for app in snapshot.apps.values()} == {
        "permis": "http://permis.localhost:8080",
        "subventions": "http://subventions.localhost:8080",
        "elections": "http://elections.localhost:8080",
        "ecoles": "http://ecoles.localhost:8080",
        "avis": "http://avis.localhost:8080",
        "astreinte": "http://astreinte.localhost:8080",
        "examens": "http://examens.localhost:8080",
    }
    assert {provider.name: provider.labels["fr"] for provider in snapshot.providers.values()} == {
        "metropole": "Métropole du Nord",
        "departement": "Département",
        "region": "Région",
        "syndicat": "Roubaix, Armentières",
        "proconnect": "ProConnect (démonstration)",
    }


def test_permis(snapshot: Snapshot) -> None:
    app = snapshot.apps["permis"]
    helene = person(snapshot, "metropole", "helene", "21590350100017", "metropole.example", "ONDE", "administrateurs")
    paul = person(snapshot, "metropole", "paul", "21590350100017", "metropole.example", "ONDE")
    maire = person(snapshot, "departement", "maire", "22590001800014", "departement.example", "elus")
    nobody_in_particular = person(snapshot, "metropole", "x", "21590350100017", "metropole.example")

    def decision(who: Identity | None, *segments: str) -> type:
        return type(decide(app.routes.find(segments), "GET", who))

    assert [decision(None, *path) for path in (("public", ""), ("admin", ""), ("",))] == [Allow, Challenge, Challenge]
    assert [decision(helene, *path) for path in (("public", ""), ("admin", ""), ("",))] == [Allow, Allow, Allow]
    assert [decision(paul, *path) for path in (("public", ""), ("admin", ""), ("",))] == [Allow, Deny, Allow]
    assert [decision(maire, *path) for path in (("public", ""), ("admin", ""), ("",))] == [Allow, Deny, Allow]
    assert decision(nobody_in_particular, "") is Deny
    refused = decide(app.routes.find(("admin", "")), "GET", paul)
    assert isinstance(refused, Deny)
    said = by_language(refused.refusal)
    assert {language: text.partition(".")[0] for language, text in said.items()} == {
        "fr": "Réservé aux administrateurs",
        "en": "For administrators alone",
    }
    assert app.translation.render(helene).headers == (
        b"\r\nX-Remote-User: helene\r\nctln: Leboeuf\r\nFrEduRne: 0590001A,0590002B"
    )


def test_subventions(snapshot: Snapshot) -> None:
    app = snapshot.apps["subventions"]
    helene = person(snapshot, "metropole", "helene", "21590350100017", "metropole.example", "ONDE", "administrateurs")
    maire = person(snapshot, "departement", "maire", "22590001800014", "departement.example", "elus")

    def decision(who: Identity | None, method: str, *segments: str) -> type:
        return type(decide(app.routes.find(segments), method, who))

    assert decision(None, "GET", "public", "aide") is Allow
    assert decision(None, "GET", "") is Challenge
    assert decision(maire, "POST", "dossiers") is Allow
    assert decision(maire, "HEAD", "comptes", "7") is Allow
    assert decision(maire, "POST", "comptes", "7") is Deny
    assert decision(helene, "POST", "comptes", "7") is Allow
    assert decision(helene, "PATCH", "comptes", "7") is Deny
    injection = app.translation.render(helene)
    assert injection.headers == (
        b"\r\nAuth-User: helene\r\nAuth-Mail: helene@metropole.example\r\nAuth-Groups: T05ERQ==;YWRtaW5pc3RyYXRldXJz"
    )
    assert injection.cookies == b"CTSESSION=present"


def test_the_providers_speak_for_their_own_alone(snapshot: Snapshot) -> None:
    for provider, siret, domain, group in (
        ("metropole", "22590001800014", "metropole.example", "ONDE"),
        ("metropole", "21590350100017", "prefecture.example", "ONDE"),
        ("metropole", "21590350100017", "metropole.example", "prefecture"),
        ("departement", "22590001800014", "departement.example", "administrateurs"),
    ):
        with pytest.raises(GatewayError, match=r"login\.outside_perimeter"):
            person(snapshot, provider, "intrus", siret, domain, group)
