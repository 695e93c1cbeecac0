# ruff: noqa: E501 - a case is a line
from dataclasses import replace

import pytest

from gateway.trial.proving import prove_partly
from tests.config.samples import GATEWAY, PERMIS, problems, sample_files, sample_snapshot
from tests.tokens.keys import pem

TEAMS = (
    GATEWAY
    + "teams:\n  urbanisme: {hosts: ['*.urba.localhost', permis.localhost], providers: [metropole], upstreams: [127.0.0.1, 'interne.example:80'], headers: [X-Remote-User], cookies: [A], attributes: [uid]}\n"
)
MINE = PERMIS.replace("app: permis", "app: mine").replace("permis.localhost", "a.urba.localhost")


def found(text: str, path: str = "apps/urbanisme/mine.yaml") -> list[str]:
    keys = "tokens: {keys: [{key: {file: tokens.pem}}]}\n"
    files = {"gateway.yaml": TEAMS + keys, path: text, "apps/permis.yaml": PERMIS}
    return problems(files, {"file:tokens.pem": pem("ES256")})


def test_a_file_within_its_fence_is_an_application_as_any_other() -> None:
    text = (
        MINE.replace("access:", "  cookies: {A: {value: x}}\naccess:")
        .replace("X-Remote-User", "x-remote_user")
        .replace("_user", "-user")
    )
    snapshot = sample_snapshot({"gateway.yaml": TEAMS, "apps/urbanisme/mine.yaml": text})
    assert snapshot.apps["mine"].file == "policies/apps/urbanisme/mine.yaml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a.urba.localhost", "b.localhost", "3:9: hosts[0]: team urbanisme may not use the host b.localhost"),
        ("a.urba.localhost", "a.b.urba.localhost", "3:9: hosts[0]: team urbanisme may not use the host a.b.urba.localhost"),
        ("a.urba.localhost", "urba.localhost", "3:9: hosts[0]: team urbanisme may not use the host urba.localhost"),
        ("a.urba.localhost", "'*.localhost'", "3:9: hosts[0]: team urbanisme may not use the host *.localhost"),
        ("127.0.0.1:9001", "10.1.2.3:9001", "4:17: upstream.url: team urbanisme may not use the upstream 10.1.2.3:9001"),
        ("http://127.0.0.1:9001", "'http://[::1]:9001'", "4:17: upstream.url: team urbanisme may not use the upstream ::1:9001"),
        ("9001}", "9001, others: ['http://10.1.2.3:9001']}", "4:49: upstream.others[0]: team urbanisme may not use the upstream 10.1.2.3:9001"),
        ("9001}", "9001, host: other.example}", "4:46: upstream.host: team urbanisme may not use the Host other.example"),
        ("{from: uid}", "{from: mail}", "8:27: translate.headers.X-Remote-User.from: team urbanisme may not use the attribute mail"),
        ("X-Remote-User", "X-Remote-Groups", "8:5: translate.headers.X-Remote-Groups: team urbanisme may not use the header X-Remote-Groups"),
        ("access:", "responses: {front_orders: true}\naccess:", "9:27: responses.front_orders: team urbanisme may not use the server in front"),
        ("access:", "responses: {clear_site_data: true}\naccess:", "9:30: responses.clear_site_data: team urbanisme may not use the cookies of the whole domain"),
        ("access:", "responses: {add: {Strict-Transport-Security: max-age=31536000; IncludeSubDomains}}\naccess:", "9:46: responses.add.Strict-Transport-Security: team urbanisme may not use the hosts below its own (includeSubDomains)"),
        ("access:", "responses: {replace: {Strict-Transport-Security: includesubdomains ;max-age=31536000}}\naccess:", "9:50: responses.replace.Strict-Transport-Security: team urbanisme may not use the hosts below its own (includeSubDomains)"),
        ("access:", "  cookies: {B: {value: x}}\naccess:", "9:13: translate.cookies.B: team urbanisme may not use the cookie B"),
        ("access:", "  jwt: {header: X-T}\naccess:", "9:17: translate.jwt.header: team urbanisme may not use the header X-T"),
        ("access:", "  jwt: {cookie: T}\naccess:", "9:17: translate.jwt.cookie: team urbanisme may not use the cookie T"),
        ("access:", "  jwt: {cookie: A, claims: {m: {from: mail}}}\naccess:", "9:39: translate.jwt.claims.m.from: team urbanisme may not use the attribute mail"),
        ("access:", "  jwt: {cookie: A, audience: 'https://permis.localhost'}\naccess:", "9:30: translate.jwt.audience: team urbanisme may not use the audience of others: its own name, or an address of its hosts"),
        ("access:", "  jwt: {cookie: A, audience: urn:mine}\naccess:", "9:30: translate.jwt.audience: team urbanisme may not use the audience of others: its own name, or an address of its hosts"),
    ],
)  # fmt: skip
def test_beyond_the_fence(old: str, new: str, said: str) -> None:
    assert found(MINE.replace(old, new)) == [
        f"policies/apps/urbanisme/mine.yaml:{said} (teams.urbanisme of gateway.yaml says what it may)"
    ]


def test_a_team_sends_an_account_only_where_it_may_use_the_header() -> None:
    said = found(MINE.replace("access:", "  basic: {account: {from: mail}, password: {file: ../x}}\naccess:"))
    for what in ("translate.basic: team urbanisme may not use the header Authorization", "the attribute mail"):
        assert any(what in line for line in said), said
    assert any("translate.basic.password" in line for line in said), "its folder of secrets is another"


@pytest.mark.parametrize("audience", ["mine", "https://a.urba.localhost", "https://a.urba.localhost:8443/x"])
def test_a_team_names_its_own_application_in_an_audience(audience: str) -> None:
    assert found(MINE.replace("access:", f"  jwt: {{cookie: A, audience: '{audience}'}}\naccess:")) == []


def test_a_teams_shadow_stands_beside_its_own_alone() -> None:
    """What it counts tells of people whom it has no business with, and its rules are asked at their requests."""
    shadow = PERMIS.replace("app: permis", "app: permis\nshadow: true")
    said = "team urbanisme may not shadow an application of a file that is not its own (name one of the team's own)"
    assert found(shadow, "apps/urbanisme/next.yaml") == [f"policies/apps/urbanisme/next.yaml:2:6: app: {said}"]
    own = {"gateway.yaml": TEAMS, "apps/urbanisme/mine.yaml": MINE}
    assert problems(own | {"apps/urbanisme/next.yaml": MINE.replace("app: mine", "app: mine\nshadow: true")}) == []
    assert problems(own | {"apps/next.yaml": MINE.replace("app: mine", "app: mine\nshadow: true")}) == []


@pytest.mark.parametrize(
    ("upstreams", "url", "host"),
    [
        ("127.0.0.1", "http://127.0.0.1:9001", "upstream"),
        ("127.0.0.1", "http://localhost:9001", "keep"),
        ("127.0.0.1", "http://any.example:9001", "keep"),
        ("127.0.0.1", "http://any.example:9001", "a.urba.localhost"),
        ("any.example", "http://any.example:9001", "upstream"),
        ("127.0.0.1, other.example", "http://127.0.0.1:9001", "other.example"),
    ],
)
def test_an_upstream_within_its_fence(upstreams: str, url: str, host: str) -> None:
    """A name is judged on the address that it leads to (tests/proxy/test_fence.py)."""
    teams = TEAMS.replace("127.0.0.1, 'interne.example:80'", upstreams)
    upstream = f"upstream: {{url: '{url}', host: {host}}}"
    mine = MINE.replace("upstream: {url: http://127.0.0.1:9001}", upstream)
    snapshot = sample_snapshot({"gateway.yaml": teams, "apps/urbanisme/mine.yaml": mine})
    fence = snapshot.apps["mine"].upstream.fence
    assert fence is not None
    assert (fence.team, len(fence.places)) == ("urbanisme", upstreams.count(",") + 1)
    assert snapshot.apps["permis"].upstream.fence is None


def test_a_name_alone_is_no_choice_of_hosts_on_the_server_that_it_leads_to() -> None:
    """Where one server has several applications, the Host that it is told says which: names in the fence say who may."""
    mine = MINE.replace("127.0.0.1:9001}", "any.example:9001, host: upstream}")
    assert [said.partition(": ")[2] for said in found(mine)] == [
        "upstream.host: team urbanisme may not use the Host any.example (teams.urbanisme of gateway.yaml says what it may)"
    ]


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ("{name: any.example}", "name"), ("{name: a.urba.localhost, sni: any.example}", "sni"),
        ("{name: any.example, sni: none}", ""), ("{name: a.urba.localhost}", ""), ("{minimum: tls1.3}", ""),
    ],
)  # fmt: skip
def test_what_the_handshake_says_is_held_against_the_fence(tls: str, said: str) -> None:
    """As the Host: it may choose one of several applications of a server."""
    mine = MINE.replace("http://127.0.0.1:9001}", f"https://127.0.0.1:9001, tls: {tls}}}")
    assert [one.split(": ")[1] for one in found(mine)] == ([f"upstream.tls.{said}"] if said else [])


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/run/urba/a.sock", True),
        ("/run/urba/deep/a.sock", True),
        ("/run/urbanisme/a.sock", False),
        ("/run/a.sock", False),
    ],
)
def test_a_socket_is_held_against_the_folders_of_the_fence(path: str, inside: bool) -> None:
    """Those that gateway.yaml lists for the operator's applications are none of a team's, and the other way round."""
    teams = TEAMS.replace("upstreams: [", "sockets: [/run/urba], upstreams: [") + "sockets: [/run]\n"
    mine = MINE.replace("http://127.0.0.1:9001}", f"http://localhost, socket: {path}}}")
    said = [one.partition(": ")[2] for one in problems({"gateway.yaml": teams, "apps/urbanisme/mine.yaml": mine})]
    why = f"upstream.socket: team urbanisme may not use the socket {path} (teams.urbanisme of gateway.yaml says what it may)"
    assert said == ([] if inside else [why])


def test_a_fence_lists_its_upstreams() -> None:
    assert problems({"gateway.yaml": TEAMS.replace("upstreams: [127.0.0.1, 'interne.example:80'], ", "")}) == [
        "policies/gateway.yaml:11:3: teams.urbanisme.upstreams: this key is missing"
    ]
    assert problems({"gateway.yaml": TEAMS.replace("interne.example:80", "http://interne.example")}) == [
        "policies/gateway.yaml:11:109: teams.urbanisme.upstreams[1]: this is neither a network, an address nor a name (10.1.0.0/16, 10.1.2.3:8080, app.example.org or *.example.org)"
    ]


def test_a_provider_beyond_the_fence() -> None:
    teams = TEAMS.replace("providers: [metropole]", "providers: [other]")
    (said,) = problems({"gateway.yaml": teams, "apps/urbanisme/mine.yaml": MINE})
    assert said.startswith(
        "policies/apps/urbanisme/mine.yaml:5:13: providers[0]: team urbanisme may not use the provider metropole"
    )


def test_a_folder_that_is_no_teams_is_not_without_a_fence() -> None:
    assert found(MINE, "apps/urbanism/mine.yaml") == [
        "policies/apps/urbanism/mine.yaml:1:1: apps/urbanism/ is no team's: gateway.yaml has none of this name (did you mean urbanisme?)"
    ]
    assert problems({"apps/urbanism/mine.yaml": MINE}) == []


def test_a_host_that_two_files_name_is_the_teams_mistake() -> None:
    (said,) = found(MINE.replace("a.urba.localhost", "permis.localhost"))
    assert said.startswith("policies/apps/urbanisme/mine.yaml:3:9: hosts[0]: this host is named twice")
    # What it may not name takes nothing from the one who has it.
    teams = TEAMS.replace(", permis.localhost]", "]")
    (said,) = problems(
        {
            "gateway.yaml": teams,
            "apps/a/x.yaml": None,
            "apps/urbanisme/mine.yaml": MINE.replace("a.urba.localhost", "permis.localhost"),
        }
    )
    assert "may not use the host permis.localhost" in said


def test_a_name_that_two_files_give_is_the_teams_mistake() -> None:
    """A team could close another's application by naming its own the same."""
    texts = {
        "gateway.yaml": TEAMS,
        "apps/urbanisme/mine.yaml": MINE.replace("app: mine", "app: permis"),
        "apps/z.yaml": PERMIS,
    }
    (said,) = problems({**texts, "apps/permis.yaml": None})
    assert said.startswith("policies/apps/urbanisme/mine.yaml:2:6: app: two files name this app")


@pytest.mark.parametrize("taken", ["app: hers", "a.urba.localhost"])
def test_between_two_teams_what_is_served_keeps_its_name_and_host(taken: str) -> None:
    teams = TEAMS + TEAMS.partition("teams:\n")[2].replace("urbanisme:", "aaa:")
    hers = MINE.replace("app: mine", "app: hers")
    his = MINE.replace("a.urba", "b.urba")
    grabs = his.replace("app: mine", taken) if taken.startswith("app") else MINE
    texts = {
        "gateway.yaml": teams,
        "apps/permis.yaml": None,
        "apps/aaa/x.yaml": grabs,
        "apps/urbanisme/hers.yaml": hers,
    }
    good = {"apps/aaa/x.yaml": his.encode(), "apps/urbanisme/hers.yaml": hers.encode()}
    files = replace(sample_files(texts), good=good)
    compiled = prove_partly(files, 1764061200.0)
    assert (compiled.kept, compiled.closed) == (("apps/aaa/x.yaml",), ())
    edited = {**files.texts, "apps/urbanisme/hers.yaml": hers.encode() + b"# edited meanwhile\n"}
    compiled = prove_partly(replace(files, texts=edited), 1764061200.0)
    assert (compiled.kept, compiled.closed) == (("apps/aaa/x.yaml", "apps/urbanisme/hers.yaml"), ())
