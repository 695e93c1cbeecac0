"""What a preset fills in, and that a file counts before it."""

from dataclasses import replace
from importlib.resources import files
from typing import Any, get_args

import pytest

from gateway.config.presets import PresetName, preset, preset_of
from gateway.config.yaml.reader import read_document
from gateway.model.levels import StepUpRequest
from gateway.model.provider import OidcProvider
from gateway.oidc.authorization import authorization_parameters
from tests.config.samples import GATEWAY, PLAIN_APP, problems, sample_snapshot
from tests.oidc.samples import LOGIN

NAMES: tuple[str, ...] = get_args(PresetName)


def file(name: str, more: str = "", oidc: str = "") -> str:
    known = preset(name)
    says_issuer = known is not None and known.origin(("oidc", "issuer")) is not None
    issuer = "" if says_issuer else "  issuer: https://op.example\n"
    secret = "  client_secret: {file: ../certs/metropole.secret}\n"
    # What no preset can know: whose tokens are taken.
    oidc += "  api: {clients: [c]}\n" if "-api" in name and "api:" not in oidc else ""
    return f"version: 1\nprovider: metropole\npreset: {name}\noidc:\n  client_id: e\n{secret}{issuer}{oidc}{more}"


def files_of(provider: str) -> dict[str, str | None]:
    return {"providers/metropole.yaml": provider, "apps/permis.yaml": PLAIN_APP}


def loaded(name: str, more: str = "", oidc: str = "") -> OidcProvider:
    provider = sample_snapshot(files_of(file(name, more, oidc))).providers["metropole"]
    assert isinstance(provider, OidcProvider)
    return provider


def test_each_preset_is_a_file_and_each_file_a_preset() -> None:
    found = {entry.name for entry in files("gateway.config.presets").iterdir() if entry.name.endswith(".yaml")}
    assert found == {f"{name}.yaml" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_client_and_an_issuer_make_a_provider_of_it(name: str) -> None:
    provider = loaded(name)
    assert {"uid", "mail", "given_name"} & provider.attributes.keys()
    assert provider.label != "metropole"


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_good_yaml_with_a_word_about_itself(name: str) -> None:
    content = files("gateway.config.presets").joinpath(f"{name}.yaml").read_bytes()
    assert content.startswith(b"# ")
    assert read_document(name, content)[1] == []


@pytest.mark.parametrize(
    ("name", "issuer"),
    [
        ("proconnect", "https://auth.agentconnect.gouv.fr/api/v2"),
        ("proconnect-integration", "https://fca.integ01.dev-agentconnect.fr/api/v2"),
        ("proconnect-rie", "https://auth.agentconnect.rie.gouv.fr/api/v2"),
        ("proconnect-rie-integration", "https://fca.integ02.agentconnect.rie.gouv.fr/api/v2"),
        ("proconnect-api", "https://auth.agentconnect.gouv.fr/api/v2"),
        ("proconnect-api-integration", "https://fca.integ01.dev-agentconnect.fr/api/v2"),
        ("proconnect-api-rie", "https://auth.agentconnect.rie.gouv.fr/api/v2"),
        ("proconnect-api-rie-integration", "https://fca.integ02.agentconnect.rie.gouv.fr/api/v2"),
        ("franceconnect", "https://oidc.franceconnect.gouv.fr/api/v2"),
        ("franceconnect-integration", "https://fcp-low.integ01.dev-franceconnect.fr/api/v2"),
        ("franceconnect-plus", "https://auth.franceconnect.gouv.fr/api/v2"),
        ("franceconnect-plus-integration", "https://auth.integ01.dev-franceconnect.fr/api/v2"),
        ("google", "https://accounts.google.com"),
    ],
)
def test_where_there_is_one_issuer_it_is_known(name: str, issuer: str) -> None:
    assert loaded(name).issuer == issuer


@pytest.mark.parametrize("name", [name for name in NAMES if "-api" in name])
def test_proconnect_as_a_resource_server_has_the_same_people_and_its_tokens_too(name: str) -> None:
    known, people = loaded(name), loaded(name.replace("-api", ""))
    assert replace(known, api=None) == people
    assert people.api is None
    assert known.api is not None
    assert (known.api.clients, known.api.audience, known.api.introspection) == ({"c"}, frozenset(), True)
    assert (known.api.introspection_algorithms, known.api.without_tenant) == ({"RS256"}, True)
    json = loaded(name, oidc="  api: {clients: [c], introspection_algorithms: []}\n")
    assert json.api is not None
    assert json.api.introspection_algorithms == frozenset()


def test_whose_tokens_are_taken_is_for_the_file_to_say() -> None:
    (problem,) = problems(files_of(file("proconnect-api", oidc="  api: {}\n")))
    assert "audience: [...] or clients: [...]" in problem


def test_what_a_variant_does_not_say_its_base_does() -> None:
    rie = loaded("proconnect-rie-integration")
    assert (rie.client_authentication, rie.userinfo_algorithms) == ("client_secret_post", {"RS256"})
    assert "organization_label" not in rie.scopes
    assert rie.label == "ProConnect (intégration)"
    plus = loaded("franceconnect-plus")
    assert (plus.request.acr_values, plus.request.essential_acr) == (("eidas2",), {"eidas2", "eidas3"})


@pytest.mark.parametrize(
    ("name", "level", "asked"),
    [
        ("franceconnect", "eidas1", "eidas1"),
        ("franceconnect-plus", "eidas1", "eidas2 eidas3"),
        ("franceconnect-plus", "eidas1-mfa", "eidas2 eidas3"),
        ("franceconnect-plus-integration", "eidas3", "eidas3"),
    ],
)
def test_franceconnect_is_asked_for_the_levels_that_it_serves_alone(name: str, level: str, asked: str) -> None:
    """It answers `invalid_acr` to a request that names another one of eIDAS."""
    snapshot = sample_snapshot(files_of(file(name)))
    provider = snapshot.providers["metropole"]
    assert isinstance(provider, OidcProvider)
    asking = StepUpRequest(acr_values=snapshot.ladder.asked_as("metropole", level))
    assert authorization_parameters(provider, replace(LOGIN, asking=asking), "s", {})["acr_values"] == asked


def test_a_level_that_franceconnect_never_gives_is_not_asked_of_it_alone() -> None:
    rule = PLAIN_APP.replace("allow: signed_in", "allow: {acr_min: eidas2}")
    (problem,) = problems({**files_of(file("franceconnect")), "apps/permis.yaml": rule})
    assert "no provider of this application can assert this" in problem
    assert problems({**files_of(file("franceconnect-plus")), "apps/permis.yaml": rule}) == []


def test_with_a_ladder_of_ones_own_the_levels_of_a_preset_are_mapped_to_it() -> None:
    own = {"gateway.yaml": GATEWAY + "levels: [faible, fort]\n"}
    (problem,) = problems({**own, **files_of(file("franceconnect"))})
    assert "levels.acr.eidas1: no level eidas1 (known: faible, fort)" in problem
    assert problems({**own, **files_of(file("franceconnect", "levels: {acr: {eidas1: faible}}\n"))}) == []


@pytest.mark.parametrize(
    ("oidc", "more", "seen"),
    [
        ("  scopes: [openid, uid]\n", "", lambda p: p.scopes == ("openid", "uid")),
        ("  client_authentication: client_secret_basic\n", "", lambda p: p.client_authentication.endswith("basic")),
        ("  userinfo_algorithms: []\n", "", lambda p: not p.userinfo_algorithms),
        ("  userinfo_algorithms: [ES256]\n", "", lambda p: p.userinfo_algorithms == {"ES256"}),
        ("  issuer: https://other.example\n", "", lambda p: p.issuer == "https://other.example"),
        ("", "label: Nous\n", lambda p: p.label == "Nous"),
        ("", "session: {idle: 5m}\n", lambda p: (p.session_idle, p.session_absolute) == (300, 43200)),
        ("", "attributes: {uid: sub}\n", lambda p: p.attributes["uid"].claim == ("sub",) and "siret" in p.attributes),
        ("", "tenant: idp_id\n", lambda p: p.tenant_attribute == "idp_id"),
    ],
)
def test_the_file_counts_before_its_preset(oidc: str, more: str, seen: Any) -> None:
    assert seen(loaded("proconnect", more, oidc))


def test_a_preset_that_does_not_exist_is_a_problem_with_the_near_one() -> None:
    (first, *_) = problems(files_of(file("proconnect").replace("preset: pro", "preset: po")))
    assert first.startswith("policies/providers/metropole.yaml:3:9: preset: this must be one of adfs, ")
    assert first.endswith("(did you mean proconnect?)")


@pytest.mark.parametrize("name", ["../presets/google", "", "__init__", ".", "google.yaml", "GOOGLE/x"])
def test_a_name_is_no_path(name: str) -> None:
    assert preset(name) is None
    assert preset_of({"preset": name}) is None


def test_a_problem_of_a_value_that_a_preset_gave_stands_where_the_file_could_say_better() -> None:
    """K009: what bounds nothing is said, whoever wrote the mapping."""
    text = file("google", "asserts: {siret: ['21590350100017']}\n")
    (problem,) = problems(files_of(text))
    assert problem.startswith("policies/providers/metropole.yaml:7:18: asserts.siret: this bounds nothing")


def test_an_attribute_of_a_preset_can_be_taken_away() -> None:
    """Lint asks for it where nobody needs the attribute: following that has to be possible."""
    assert "roles" in loaded("proconnect").attributes
    assert "roles" not in loaded("proconnect", "attributes: {roles: null}\n").attributes


def test_what_no_preset_says_cannot_be_taken_away() -> None:
    (said,) = problems(files_of(file("proconnect", "attributes: {rolls: null}\n")))
    assert "attributes.rolls" in said
