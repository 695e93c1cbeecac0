# ruff: noqa: E501 - a case is a line

import pytest

from tests.config.samples import GATEWAY, PERMIS, problems

HERE = "policies/apps/permis.yaml:4:17: upstream.url: "
OURS = "where this gateway listens itself or keeps its sessions (write the application's own address)"
NOBODYS = "which is link-local, multicast, unspecified or a cloud's metadata service (no application may be there)"


def found(url: str, *, gateway: str = GATEWAY) -> list[str]:
    changes = {"gateway.yaml": gateway, "apps/permis.yaml": PERMIS.replace("http://127.0.0.1:9001", f"'{url}'")}
    return [said.removeprefix(HERE) for said in problems(changes)]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:8080", f"127.0.0.1:8080 leads to 127.0.0.1, {OURS}"),
        ("http://127.0.0.1:8081", f"127.0.0.1:8081 leads to 127.0.0.1, {OURS}"),
        ("http://admin.localhost:8081", f"admin.localhost:8081 leads to 127.0.0.1, {OURS}"),
        ("http://[fd00:ec2::254]", f"[fd00:ec2::254] leads to fd00:ec2::254, {NOBODYS}"),
        ("http://168.63.129.16", f"168.63.129.16 leads to 168.63.129.16, {NOBODYS}"),
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


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:6379", "http://valkey.localhost:6379", "http://[64:ff9b::7f00:1]:6379"]
)
@pytest.mark.parametrize(
    "server",
    [
        "address: '127.0.0.1:6379'",
        "address: 'localhost:6379'",
        "cluster: ['10.0.0.6:6379', '127.0.0.1:6379']",
        "sentinel: {name: ecluse, addresses: ['10.0.0.6:26379', '127.0.0.1:6379']}",
    ],
)
def test_nor_is_the_server_of_the_store(url: str, server: str) -> None:
    """What is written there by a request would be sessions."""
    shared = GATEWAY.replace("type: sqlite", f"type: redis, server: {{{server}}}")
    assert shared != GATEWAY
    (said,) = found(url, gateway=shared)
    assert said.endswith(OURS)
    assert found("http://127.0.0.1:6380", gateway=shared) == []


# --- several addresses ---


def of_several(more: str) -> list[str]:
    return [
        said.removeprefix("policies/apps/permis.yaml:")
        for said in problems({"apps/permis.yaml": PERMIS.replace("9001}", f"9001, {more}}}")})
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("others: ['http://127.0.0.2:9001'], balance: seat", []),
        ("others: ['http://127.0.0.1:8080']", [f"4:49: upstream.others[0]: 127.0.0.1:8080 leads to 127.0.0.1, {OURS}"]),
        ("others: ['https://127.0.0.2:9001']", ["4:11: upstream: all addresses of an application have one scheme (write http in others, too)"]),
        ("others: ['http://127.0.0.1:9001']", ["4:11: upstream: an address stands here twice (leave it out once)"]),
        ("balance: seat", ["4:11: upstream: there is one address, so nothing is divided (add others: [...], or leave this out)"]),
        ("retries: 5", ["4:11: upstream: there is one address, so nothing is divided (add others: [...], or leave this out)"]),
        ("circuit: {}", []),
        ("health: {path: /up}", []),
        ("health: {path: up}", ["4:55: upstream.health.path: this is not a path of the application (write it as /some/page: it begins with `/`, and is not below /_ecluse/)"]),
        ("health: {path: /up, every: 500ms, within: 200ms}", ["4:48: upstream.health: an address is asked once a second at most (write every: 1s, or more)"]),
        ("health: {path: /up, within: 6s}", ["4:48: upstream.health: the next check would begin before this one has ended (write a shorter within)"]),
        ("queue: 3", ["4:11: upstream: nobody waits where there is no limit (write concurrency too, or leave queue out)"]),
        ("circuit: {failures: 0}", ["4:60: upstream.circuit.failures: this must be at least 1"]),
    ],
)  # fmt: skip
def test_several_addresses(more: str, said: list[str]) -> None:
    assert of_several(more) == said


def test_a_login_form_is_at_one_address() -> None:
    form = (
        "form_login:\n  trusted: {from: uid, secret: {file: grr}}\n  signed_in: [{status: 302}]\n  cookies: [S]\n"
        "  steps: [{page: /a, fields: {user: login, password: secret}}]\n"
    )
    text = PERMIS.replace("9001}", "9001, others: ['http://127.0.0.2:9001']}").replace("access:", form + "access:")
    said = problems({"apps/permis.yaml": text}, {"file:grr": b"secret"})
    assert any("upstream.others: the session of a sign-in is at one address" in one for one in said)


def test_the_name_of_a_server_may_hold_an_underscore() -> None:
    """As Compose gives it. Those by which browsers know an application may, where they are written as they stand."""
    assert found("http://my_app_1:8000") == []
    assert found("http://a:8000', others: ['http://my_app_2:8000'], host: 'my_app") == []
    assert problems({"apps/permis.yaml": PERMIS.replace("permis.localhost", "per_mis.localhost")}) == []
    for refused in ('"*.per_mis.localhost"', '"per_mis.*.localhost"'):
        assert problems({"apps/permis.yaml": PERMIS.replace("permis.localhost", refused)})
    assert problems({"gateway.yaml": GATEWAY.replace("portail.localhost", "por_tail.localhost")})


def test_a_buffer_of_nothing_is_told() -> None:
    app = PERMIS.replace("{url: http://127.0.0.1:9001}", "{url: 'http://127.0.0.1:9001', buffer: {}}")
    (said,) = problems({"apps/permis.yaml": app})
    assert said.endswith("upstream.buffer: nothing is buffered (write requests or responses, or leave buffer out)")
