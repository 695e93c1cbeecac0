# ruff: noqa: E501 - a case is a line
"""What no file can tell alone."""

import importlib.abc
import sys

import pytest

from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from tests.config.saml_samples import FILES as SAML_FILES
from tests.config.saml_samples import SAML_GATEWAY
from tests.config.saml_samples import SECRETS as SAML_SECRETS
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, problems, sample_files

OTHER = PERMIS.replace("app: permis", "app: autre").replace("permis.localhost", "autre.localhost")
PUBLIC = GATEWAY.replace("development: true\n", "").replace(
    "http://portail.localhost:8080", "https://portail.example.org"
)
HTTPS_PROVIDER = METROPOLE.replace("http://127.0.0.1:9400", "https://op.example.org")
SQLITE = "store: {type: sqlite, keys: [{id: k1, secret: {file: ../certs/store.key}}]}"
MEMORY = SQLITE.replace("sqlite", "memory")


def test_a_store_on_a_server_has_one_and_no_other_store_has() -> None:
    server = ", server: {address: 'valkey.example.org:6379'}, keys"
    redis = SQLITE.replace("sqlite", "redis")
    assert problems({"gateway.yaml": GATEWAY.replace(SQLITE, redis.replace(", keys", server))}) == []
    (problem,) = problems({"gateway.yaml": GATEWAY.replace(SQLITE, redis)})
    said = "a store of type redis has a server (server: {address: valkey.example.org:6379})"
    assert problem.endswith(f"7:15: store.type: {said}")
    (problem,) = problems({"gateway.yaml": GATEWAY.replace(SQLITE, SQLITE.replace(", keys", server))})
    assert problem.endswith("store.server: a store of type sqlite has no server (type: redis, or leave server out)")


@pytest.mark.parametrize(
    "server",
    [
        "{}",
        "{address: 'valkey.example.org:6379', sentinel: SENTINEL}",
        "{cluster: ['10.0.0.6:6379'], sentinel: SENTINEL}",
    ],
)
def test_a_server_has_an_address_or_sentinels_or_nodes(server: str) -> None:
    told = server.replace("SENTINEL", "{name: ecluse, addresses: ['10.0.0.6:26379']}")
    redis = SQLITE.replace("sqlite, ", f"redis, server: {told}, ")
    (problem,) = problems({"gateway.yaml": GATEWAY.replace(SQLITE, redis)})
    said = "a server has an address, or Sentinels who know it, or the nodes of a cluster, and one of these alone"
    assert f"store.server: {said}" in problem


def test_a_store_on_a_server_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    redis = SQLITE.replace("sqlite, ", "redis, server: {address: 'valkey.example.org:6379'}, ")
    (problem,) = problems({"gateway.yaml": GATEWAY.replace(SQLITE, redis)})
    assert "store.type: this needs the extra redis, which is not installed: " in problem


def test_one_host_in_two_apps_shows_both_places() -> None:
    other = OTHER.replace("[autre.localhost]", "[autre.localhost, PERMIS.localhost]")
    with pytest.raises(ProblemsFound) as found:
        compile_files(sample_files({"apps/other.yaml": other}))
    assert (
        str(found.value)
        == """\
policies/apps/permis.yaml:3:9: hosts[0]: this host is named twice, so it is not clear which application it is
    hosts: [permis.localhost]
            ^
  first at policies/apps/other.yaml:3:26
    hosts: [autre.localhost, PERMIS.localhost]
                             ^"""
    )


def test_a_file_that_is_wrong_elsewhere_is_held_against_the_others_all_the_same() -> None:
    other = OTHER.replace("[autre.localhost]", "[autre.localhost, PERMIS.localhost, 'a:1']").replace(
        "allow: signed_in", "alow: signed_in"
    )
    assert problems({"apps/other.yaml": other.replace("[metropole]", "[metropol, -x]")}) == [
        "policies/apps/other.yaml:3:44: hosts[2]: a host has no port and no scheme here (write a)",
        "policies/apps/other.yaml:5:13: providers[0]: no file in providers/ has this name (did you mean metropole?)",
        "policies/apps/other.yaml:5:23: providers[1]: a name is made of a-z, 0-9 and -, at most 63",
        "policies/apps/other.yaml:12:17: access[2].alow: unknown key (did you mean allow?)",
        "policies/apps/permis.yaml:3:9: hosts[0]: this host is named twice, so it is not clear which application it is",
    ]


def test_one_host_twice_in_one_app_is_named_twice() -> None:
    assert problems(
        {"apps/permis.yaml": PERMIS.replace("[permis.localhost]", "[permis.localhost, Permis.localhost]")}
    ) == [
        "policies/apps/permis.yaml:3:27: hosts[1]: this host is named twice, so it is not clear which application it is"
    ]


def test_one_wildcard_in_two_apps_is_a_collision_and_an_exact_host_below_it_is_none() -> None:
    first = PERMIS.replace("[permis.localhost]", '["*.localhost"]')
    assert problems({"apps/permis.yaml": first, "apps/other.yaml": OTHER}) == []
    second = OTHER.replace("[autre.localhost]", '["*.localhost"]')
    assert len(problems({"apps/permis.yaml": first, "apps/other.yaml": second})) == 1


def test_an_app_may_live_on_the_portals_host() -> None:
    assert problems({"apps/permis.yaml": PERMIS.replace("permis.localhost", "portail.localhost")}) == []


def test_names_of_apps_and_providers_are_taken_once() -> None:
    found = problems({
        "apps/second.yaml": OTHER.replace("app: autre", "app: permis"),
        "providers/zweite.yaml": METROPOLE,
    })  # fmt: skip
    assert found == [
        "policies/apps/second.yaml:2:6: app: two files name this app",
        "policies/providers/zweite.yaml:2:11: provider: two files name this provider",
    ]


def test_an_unknown_provider_is_an_error_with_the_nearest() -> None:
    start = "policies/apps/permis.yaml:5:13: providers[0]: no file in providers/ has this name"
    assert problems({"apps/permis.yaml": PERMIS.replace("[metropole]", "[metropol]")}) == [
        f"{start} (did you mean metropole?)"
    ]
    assert problems({"apps/permis.yaml": PERMIS.replace("[metropole]", "[x]")}) == [f"{start} (known: metropole)"]
    assert problems({"providers/metropole.yaml": None}) == [f"{start} (known: none)"]


def test_a_provider_whose_file_is_broken_is_not_reported_unknown() -> None:
    assert problems({"providers/metropole.yaml": "a: b: c"}) == [
        "policies/providers/metropole.yaml:1:5: a key is not expected here (check the indentation; a text with ': ' in it needs quotes)"
    ]
    assert problems({"providers/metropole.yaml": METROPOLE.replace("client_id: ecluse", "client_id: ''")}) == [
        "policies/providers/metropole.yaml:6:14: oidc.client_id: this is empty, or not ASCII, or has a blank in it"
    ]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "providers/permis.yaml",
            PERMIS,
            "policies/providers/permis.yaml:2:1: app: a file with this key is read from apps/ alone (move it there, or name it by provider: here)",
        ),
        (
            "apps/metropole.yaml",
            METROPOLE,
            "policies/apps/metropole.yaml:2:1: provider: a file with this key is read from providers/ alone (move it there, or name it by app: here)",
        ),
        (
            "apps/interieur/nord.yaml",
            "version: 1\nlist: nord\n",
            "policies/apps/interieur/nord.yaml:2:1: list: a file with this key is read from lists/ alone (move it there, or name it by app: here)",
        ),
    ],
)
def test_a_file_in_the_folder_of_another_kind_is_one_problem(path: str, text: str, said: str) -> None:
    assert problems({path: text}) == [said]


def test_a_missing_gateway_file_is_one_problem() -> None:
    assert problems({"gateway.yaml": None}) == [
        "policies/gateway.yaml: this file is missing (is this the policy folder?)"
    ]


@pytest.mark.parametrize(
    ("store", "workers", "said"),
    [
        (MEMORY, "workers: 2", ["policies/gateway.yaml:9:10: workers: a store in memory is not shared: it takes one worker (workers: 1, or sqlite)"]),
        (MEMORY, "workers: 1", []),
        (MEMORY, "", []),
        (SQLITE, "workers: 2", []),
    ],
)  # fmt: skip
def test_a_store_in_memory_takes_one_worker(store: str, workers: str, said: list[str]) -> None:
    assert problems({"gateway.yaml": GATEWAY.replace(SQLITE, store).replace("workers: 2", workers)}) == said


def test_a_store_key_id_is_taken_once() -> None:
    twice = GATEWAY.replace("keys: [", "keys: [{id: k1, secret: {file: ../certs/store.key}}, ")
    assert problems({"gateway.yaml": twice}) == ["policies/gateway.yaml:7:81: store.keys[1].id: this id is here twice"]


@pytest.mark.parametrize(
    ("second", "admin", "said"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8081", ["5:15: listen[1].address: this address is taken already"]),
        ("0.0.0.0:8080", "127.0.0.1:8081", ["5:15: listen[1].address: this address is taken already"]),
        ('"[::]:8080"', "127.0.0.1:8081", ["5:15: listen[1].address: this address is taken already"]),
        ("192.0.2.1:8080", "127.0.0.1:8080", ["6:8: admin: this address is taken already"]),
        ("0.0.0.0:8081", "127.0.0.1:8081", ["6:8: admin: this address is taken already"]),
        ("192.0.2.1:8080", "127.0.0.1:8081", []),
        ("127.0.0.1:0", "127.0.0.1:0", []),
        ("127.0.0.1:8081", "unix:admin.sock", []),
    ],
)
def test_an_address_is_listened_on_once(second: str, admin: str, said: list[str]) -> None:
    text = GATEWAY.replace("8080}\n", f"8080}}\n  - {{address: {second}}}\n").replace(
        "admin: 127.0.0.1:8081", f"admin: {admin}"
    )
    assert problems({"gateway.yaml": text}) == [f"policies/gateway.yaml:{line}" for line in said]


def test_a_portal_over_http_is_for_development_only() -> None:
    text = GATEWAY.replace("development: true\n", "")
    found = problems({"gateway.yaml": text, "providers/metropole.yaml": HTTPS_PROVIDER})
    assert found == [
        "policies/gateway.yaml:2:9: portal: browsers keep our cookies over https only (https, or development: true)"
    ]


def test_somebody_has_to_speak_tls() -> None:
    providers = {"providers/metropole.yaml": HTTPS_PROVIDER}
    assert problems({"gateway.yaml": PUBLIC, **providers}) == [
        "policies/gateway.yaml:2:9: portal: the portal is https, and nothing here speaks TLS (give a listener tls, or list the proxy that does TLS in trusted_proxies)"
    ]
    assert problems({"gateway.yaml": PUBLIC + "trusted_proxies: [10.0.0.0/8]\n", **providers}) == []


def test_a_provider_over_http_is_for_development_only() -> None:
    gateway = PUBLIC + "trusted_proxies: [10.0.0.0/8]\n"
    assert problems({"gateway.yaml": gateway}) == [
        "policies/providers/metropole.yaml:5:11: oidc.issuer: an issuer is https (or development: true in gateway.yaml)"
    ]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ("uid: sub_id, groups: groups", ["siret", "email_domains"]),
        ("uid: sub_id, groups: groups, mail: m, siret: s", []),
        ("uid: sub_id, groups: groups, courriel: email, organisation: siret", []),
        ("uid: sub_id, groups: groups, mail: m, org: [a, siret]", []),
    ],
)
def test_a_bound_that_bounds_nothing_is_an_error(attributes: str, said: list[str]) -> None:
    head, rest = METROPOLE.split("attributes:\n")
    text = f"{head}attributes: {{{attributes}}}\nasserts:{rest.partition('asserts:')[2]}"
    found = problems({"providers/metropole.yaml": text})
    assert [line.partition(": this bounds nothing")[0].rpartition(".")[2] for line in found] == said


def test_a_second_opinion_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    text = SAML_GATEWAY.replace("saml: {keys:", "saml: {second_opinion: {by: python3-saml}, keys:")
    changes = {**SAML_FILES, "gateway.yaml": text}
    assert problems(changes, SAML_SECRETS) == []
    # As if it were not there.
    monkeypatch.setitem(sys.modules, "onelogin.saml2.response", None)
    (said,) = problems(changes, SAML_SECRETS)
    assert "saml.second_opinion.by: this needs the extra python3-saml, which is not installed: " in said


@pytest.mark.parametrize("by", ["pygamlastan", "true", "[python3-saml]"])
def test_a_second_opinion_of_another_implementation_is_refused_and_told_what_to_write(by: str) -> None:
    text = SAML_GATEWAY.replace("saml: {keys:", f"saml: {{second_opinion: {{by: {by}}}, keys:")
    (said,) = problems({**SAML_FILES, "gateway.yaml": text}, SAML_SECRETS)
    assert said.endswith(
        "saml.second_opinion.by: this can only be python3-saml"
        " (write by: python3-saml, and install the extra python3-saml: docs/how-to/install-it.md)"
    )


class _OtherLibxml2(importlib.abc.MetaPathFinder):
    """xmlsec beside an lxml that embeds another libxml2, which is no ImportError."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "xmlsec":
            raise RuntimeError("(-1, 'lxml & xmlsec libxml2 library version mismatch')")


def test_signatures_need_a_library_that_is_there_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(SAML_FILES, SAML_SECRETS) == []
    monkeypatch.setitem(sys.modules, "xmlsec", None)
    (said,) = problems(SAML_FILES, SAML_SECRETS)
    assert "saml: this needs the library xmlsec, which is not installed: " in said
    assert said.endswith("(docs/how-to/install-it.md)")
    assert problems({}) == []
    monkeypatch.delitem(sys.modules, "xmlsec")
    monkeypatch.setattr(sys, "meta_path", [_OtherLibxml2(), *sys.meta_path])
    with pytest.raises(ProblemsFound) as found:
        compile_files(sample_files(SAML_FILES, SAML_SECRETS))
    (problem,) = found.value.problems
    assert problem.code == "config.library"
    assert problem.message.startswith("this needs the library xmlsec, which cannot be loaded: (-1, 'lxml & xmlsec")


@pytest.mark.parametrize(("address", "count"), [("http://ds.example/wayf", 1), ("https://ds.example/wayf", 0)])
def test_people_are_sent_to_a_discovery_service_by_https(address: str, count: int) -> None:
    own = SAML_GATEWAY.partition("\nsaml:")[2].replace("{keys:", f"{{discovery: '{address}', keys:", 1)
    said = "saml.discovery: people are sent on by https alone (https, or development: true)"
    in_development = {**SAML_FILES, "gateway.yaml": f"{GATEWAY}saml:{own}"}
    assert problems(in_development, SAML_SECRETS) == []
    found = problems({**in_development, "gateway.yaml": f"{PUBLIC}saml:{own}"}, SAML_SECRETS)
    assert sum(said in problem for problem in found) == count
