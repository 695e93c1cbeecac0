import pytest

from tests.config.samples import GATEWAY, PERMIS, problems

HERE = "policies/apps/permis.yaml:4:17: upstream.url: "
OURS = "where this gateway listens itself (write the application's own address)"
NOBODYS = "which is link-local, multicast or unspecified (no application is reached there)"


def found(url: str, *, gateway: str = GATEWAY) -> list[str]:
    changes = {"gateway.yaml": gateway, "apps/permis.yaml": PERMIS.replace("http://127.0.0.1:9001", f"'{url}'")}
    return [said.removeprefix(HERE) for said in problems(changes)]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:8080", f"127.0.0.1:8080 leads to 127.0.0.1, {OURS}"),
        ("http://127.0.0.1:8081", f"127.0.0.1:8081 leads to 127.0.0.1, {OURS}"),
        ("http://admin.localhost:8081", f"admin.localhost:8081 leads to 127.0.0.1, {OURS}"),
        ("http://[64:ff9b::7f00:1]:8081", f"[64:ff9b::7f00:1]:8081 leads to 64:ff9b::7f00:1, {OURS}"),
        ("http://169.254.169.254", f"169.254.169.254 leads to 169.254.169.254, {NOBODYS}"),
        ("http://0.0.0.0:9001", f"0.0.0.0:9001 leads to 0.0.0.0, {NOBODYS}"),
        ("http://[::]:9001", f"[::]:9001 leads to ::, {NOBODYS}"),
        ("http://[fe80::1]:9001", f"[fe80::1]:9001 leads to fe80::1, {NOBODYS}"),
    ],
)
def test_an_address_that_is_no_applications_is_told_at_load(url: str, said: str) -> None:
    assert found(url) == [said]


def test_a_listener_of_all_interfaces_is_this_machines_loopback_too() -> None:
    everywhere = GATEWAY.replace("{address: 127.0.0.1:8080}", "{address: 0.0.0.0:8080}")
    assert found("http://127.9.9.9:8080", gateway=everywhere) == [f"127.9.9.9:8080 leads to 127.9.9.9, {OURS}"]
    assert found("http://10.0.0.1:8080", gateway=everywhere) == []
    socket = GATEWAY.replace("admin: 127.0.0.1:8081", "admin: unix:admin.sock")
    assert found("http://127.0.0.1:8081", gateway=socket) == []
