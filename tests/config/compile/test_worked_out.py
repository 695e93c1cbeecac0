"""What is worked out on the way from a file to what is served."""

import pytest

from tests.config.samples import GATEWAY, METROPOLE, PERMIS, sample_snapshot


@pytest.mark.parametrize(
    ("portal", "public", "origin"),
    [
        ("http://portail.localhost:8080", "", "http://h:8080"),
        ("https://portail.example:443", "", "https://h"),
        ("https://portail.example", "", "https://h"),
        ("https://portail.example:8443", "", "https://h:8443"),
        ("http://portail.localhost:8080", "{scheme: https}", "https://h"),
        ("https://portail.example", "{port: 8443}", "https://h:8443"),
        ("https://portail.example:8443", "{port: 443}", "https://h"),
        ("https://portail.example:8443", "{scheme: http, port: 80}", "http://h"),
        ("https://portail.example:8443", "{}", "https://h"),
    ],
)
def test_an_app_is_where_the_portal_is_unless_its_file_says_otherwise(portal: str, public: str, origin: str) -> None:
    gateway = GATEWAY.replace("http://portail.localhost:8080", portal) + "trusted_proxies: [10.0.0.0/8]\n"
    app = PERMIS + f"public: {public}\n" if public else PERMIS
    snapshot = sample_snapshot({"gateway.yaml": gateway, "apps/permis.yaml": app})
    assert snapshot.apps["permis"].origin("h") == origin


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("../var", "/srv/ecluse/var"),
        ("var", "/srv/ecluse/policies/var"),
        ("./../../var/", "/srv/var"),
        ("/var/lib/ecluse", "/var/lib/ecluse"),
    ],
)
def test_the_state_folder_starts_from_the_policy_folder(state: str, found: str) -> None:
    snapshot = sample_snapshot({"gateway.yaml": GATEWAY.replace("state: ../var", f"state: {state}")})
    assert snapshot.gateway.state_folder == found


def test_what_is_left_out_has_its_default() -> None:
    lines = [line for line in GATEWAY.splitlines() if not line.startswith(("admin", "state", "workers"))]
    gateway = sample_snapshot({"gateway.yaml": "\n".join(lines)}).gateway
    assert (gateway.admin, gateway.state_folder, gateway.workers) == ("127.0.0.1:8081", "/srv/ecluse/var", 0)


def test_memory_is_one_workers_own() -> None:
    text = GATEWAY.replace("sqlite", "memory").replace("workers: 2\n", "")
    assert sample_snapshot({"gateway.yaml": text}).gateway.workers == 1


def test_a_provider_is_called_by_its_label_or_else_its_name() -> None:
    def shown(label: str) -> tuple[str, object]:
        text = METROPOLE.replace("label: {fr: Métropole du Nord, en: Northern Metropolis}\n", label)
        provider = sample_snapshot({"providers/metropole.yaml": text}).providers["metropole"]
        return provider.label, provider.labels

    assert shown("") == ("metropole", {})
    assert shown("label: Métropole\n") == ("Métropole", {})
    assert shown("label: {en: City, fr: Ville}\n") == ("City", {"en": "City", "fr": "Ville"})


def test_an_upstream_is_named_as_it_is_connected_to_and_as_it_is_called() -> None:
    def upstream(url: str, host: str) -> tuple[str, str, int, str | None]:
        text = PERMIS.replace("{url: http://127.0.0.1:9001}", f"{{url: '{url}', host: {host}}}")
        found = sample_snapshot({"apps/permis.yaml": text}).apps["permis"].upstream
        return found.scheme, found.host, found.port, found.host_header

    assert upstream("http://intra.example", "keep") == ("http", "intra.example", 80, None)
    assert upstream("https://[::1]:8443/", "upstream") == ("https", "::1", 8443, "[::1]:8443")
    assert upstream("https://Intra.example:443", "upstream") == ("https", "intra.example", 443, "intra.example")
    assert upstream("http://127.0.0.1:9001", "Autre.example") == ("http", "127.0.0.1", 9001, "autre.example")
