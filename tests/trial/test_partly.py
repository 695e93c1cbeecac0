"""Wrong app files: closed at start, as they were last at a reload; and nobody answers in their place."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.config.compile.build import build
from gateway.config.compile.plan import Compiled
from gateway.config.compile.process import decode_files, decode_outcome, encode_files, encode_outcome
from gateway.config.folder.files import digest_of
from gateway.config.problems import Place, Problem, ProblemsFound
from gateway.config.snapshot import Snapshot
from gateway.model.codes import route_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.trial.proving import prove_partly
from gateway.trial.trial import TrialHosts
from gateway.wire.target import canonical_target
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, sample_files

NOW = 1764061200.0
_BOUNDS = "hosts: ['*.urba.localhost'], providers: [metropole], upstreams: [127.0.0.1], headers: [X-Remote-User]"
TEAMS = GATEWAY + f"teams:\n  urba: {{{_BOUNDS}}}\n"
WILD = PERMIS.replace("app: permis", "app: wild").replace("permis.localhost", "'*.urba.localhost'")
MINE = PERMIS.replace("app: permis", "app: mine").replace("permis.localhost", "a.urba.localhost")
WRONG = MINE.replace("allow: signed_in", "alow: signed_in")
TEAM_FILE = "apps/urba/mine.yaml"


def taken(
    changes: Mapping[str, str | None],
    *,
    starting: bool = False,
    good: Mapping[str, str] | None = None,
    known: Mapping[str, tuple[str, ...]] | None = None,
    unread: tuple[Problem, ...] = (),
) -> tuple[Compiled, Snapshot]:
    files = replace(
        sample_files({"gateway.yaml": TEAMS, **changes}),
        starting=starting,
        good={path: text.encode() for path, text in (good or {}).items()},
        known=known or {},
        problems=unread,
    )
    # By way of the helper's messages, as the supervisor has it.
    compiled = decode_outcome(encode_outcome(prove_partly(decode_files(encode_files(files)), NOW)))
    return compiled, build(compiled.plan)


def test_a_whole_folder_leaves_nothing_out() -> None:
    compiled, snapshot = taken({TEAM_FILE: MINE}, starting=True)
    assert (compiled.left_out, compiled.kept, compiled.closed, snapshot.closed) == ((), (), (), {})


@pytest.mark.parametrize("starting", [True, False])
def test_where_the_last_good_file_takes_too_long_as_well_its_hosts_are_closed(starting: bool) -> None:
    """To tell them takes no reading as YAML."""
    newer = MINE.replace("a.urba", "b.urba")
    files = replace(
        sample_files({"gateway.yaml": TEAMS, TEAM_FILE: newer}),
        starting=starting,
        good={TEAM_FILE: MINE.encode()},
        too_slow=frozenset(map(digest_of, (MINE.encode(), newer.encode()))),
    )
    compiled = prove_partly(decode_files(encode_files(files)), NOW)
    assert (compiled.kept, compiled.closed) == ((), (TEAM_FILE,))
    assert {problem.message for problem in compiled.left_out} == {"it takes too long to compile"}
    closed = build(compiled.plan).closed
    assert closed == {"b.urba.localhost" if starting else "a.urba.localhost": f"policies/{TEAM_FILE}"}


def test_at_start_the_hosts_of_a_wrong_file_are_closed_and_no_wildcard_answers() -> None:
    compiled, snapshot = taken({TEAM_FILE: WRONG, "apps/wild.yaml": WILD}, starting=True)
    assert (compiled.kept, compiled.closed) == ((), (TEAM_FILE,))
    assert [problem.key for problem in compiled.left_out] == ["access[2].alow"]
    assert snapshot.find_app("a.urba.localhost") is None
    assert snapshot.closed_by("a.urba.localhost") == "policies/apps/urba/mine.yaml"
    other = snapshot.find_app("b.urba.localhost")
    assert other is not None
    assert other.name == "wild"
    assert not snapshot.closed_by("b.urba.localhost")
    assert snapshot.find_app("permis.localhost") is not None


def test_at_start_a_wrong_wildcard_closes_all_that_no_other_file_names() -> None:
    _, snapshot = taken({"apps/wild.yaml": WILD.replace("access:", "acess:"), TEAM_FILE: MINE}, starting=True)
    assert snapshot.find_app("a.urba.localhost") is not None
    assert not snapshot.closed_by("a.urba.localhost")
    assert snapshot.closed_by("x.urba.localhost") == "policies/apps/wild.yaml"
    assert not snapshot.closed_by("x.y.urba.localhost")


@pytest.mark.parametrize(
    "changes",
    [
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "gateway.yaml": TEAMS + "worker: 2\n"},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "providers/metropole.yaml": METROPOLE + "x: 1\n"},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "shared/a.yaml": "version: 1\n"},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "lists/a.yaml": "version: 1\n"},
    ],
)
def test_there_is_no_start_where_more_than_app_files_is_wrong(
    changes: dict[str, str | None],
) -> None:
    with pytest.raises(ProblemsFound) as found:
        taken(changes, starting=True)
    assert any(problem.place.file.endswith("permis.yaml") for problem in found.value.problems)


UNREADABLE = {
    "a bracket without its end": "version: 1\napp: mine\nhosts: [a.urba.localhost]\nupstream: [\n",
    "a tab": "version: 1\nhosts:\n\t- a.urba.localhost\n",
    "a duplicate key": "version: 1\nhosts: [a.urba.localhost]\nhosts: [a.urba.localhost]\n",
    "no host at all": MINE.replace("hosts: [a.urba.localhost]\n", ""),
    "no YAML": "x: [",
    "a tab alone": "\tx: 1\n",
    "nothing": "",
    "a host that is none": MINE.replace("[a.urba.localhost]", "[a.urba.localhost, 'b urba']"),
}
KNOWN_BY_ITSELF = {"a bracket without its end", "a tab", "a duplicate key"}


@pytest.mark.parametrize("case", UNREADABLE)
def test_at_start_a_file_that_nobody_can_read_closes_its_own_hosts_and_no_more(case: str) -> None:
    """One organisation's file never keeps the others from being served."""
    compiled, snapshot = taken({TEAM_FILE: UNREADABLE[case], "apps/wild.yaml": WILD}, starting=True)
    assert compiled.closed == (TEAM_FILE,)
    assert snapshot.find_app("permis.localhost") is not None
    assert snapshot.closed_by("a.urba.localhost") == "policies/apps/urba/mine.yaml"
    # Where not all of its hosts are known, no wildcard answers for what could be one, and that is said.
    told = any("nor a wildcard" in problem.message for problem in compiled.left_out)
    assert (snapshot.find_app("b.urba.localhost") is None) == told == (case not in KNOWN_BY_ITSELF)


def test_at_start_a_file_in_latin_1_closes_its_own_hosts_and_no_more() -> None:
    """Its lines can be told all the same."""
    files = sample_files({"gateway.yaml": TEAMS, "apps/wild.yaml": WILD})
    written = MINE.replace("app: mine", "app: mine\nlabel: Été").encode("latin-1")
    compiled = prove_partly(replace(files, starting=True, texts={**files.texts, TEAM_FILE: written}), NOW)
    snapshot = build(compiled.plan)
    assert compiled.closed == (TEAM_FILE,)
    assert dict(snapshot.closed) == {"a.urba.localhost": "policies/apps/urba/mine.yaml"}
    assert [problem.message for problem in compiled.left_out] == ["the file is not UTF-8"]
    assert snapshot.find_app("b.urba.localhost") is not None
    assert snapshot.find_app("permis.localhost") is not None


def test_an_unknown_host_closes_wildcards_within_its_teams_fence_alone() -> None:
    other = WILD.replace("app: wild", "app: other").replace("*.urba.localhost", "*.other.localhost")
    changes = {TEAM_FILE: "x: [", "apps/wild.yaml": WILD, "apps/other.yaml": other}
    snapshot = taken(changes, starting=True)[1]
    assert snapshot.closed_by("b.urba.localhost")
    assert snapshot.find_app("b.other.localhost") is not None
    nobodys = taken({"apps/x.yaml": "x: [", "apps/wild.yaml": WILD, "apps/other.yaml": other}, starting=True)[1]
    assert nobodys.closed_by("b.urba.localhost")
    assert nobodys.closed_by("b.other.localhost")


def test_where_nothing_answers_files_whose_hosts_are_not_known_are_named() -> None:
    """Who asks for such a host had the right address; the operator has to find the file."""
    changes = {TEAM_FILE: "x: [", "apps/wild.yaml": WILD}
    told = _refused(taken(changes, starting=True)[1], b"a.urba.localhost:8443")
    assert told == (route_codes.APP_CLOSED, "a.urba.localhost: policies/apps/urba/mine.yaml")
    snapshot = taken({TEAM_FILE: "x: ["}, starting=True)[1]
    code, detail = _refused(snapshot, b"a.urba.localhost")
    assert (code, code.status) == (route_codes.HOST_UNREAD, 421)
    assert detail == (
        "a.urba.localhost: no application has this host; it may be one of policies/apps/urba/mine.yaml, "
        "whose hosts are unknown"
    )
    # Beyond the team's fence it cannot be one of these, nor where they are known.
    assert _refused(snapshot, b"a.elsewhere.localhost") == (route_codes.HOST_UNKNOWN, "a.elsewhere.localhost")
    assert _refused(snapshot, b"a.b.urba.localhost") == (route_codes.HOST_UNKNOWN, "a.b.urba.localhost")
    snapshot = taken({TEAM_FILE: "x: ["}, starting=True, known={TEAM_FILE: ("a.urba.localhost",)})[1]
    assert _refused(snapshot, b"b.urba.localhost")[0] is route_codes.HOST_UNKNOWN


def test_of_many_such_files_some_are_named() -> None:
    snapshot = taken({f"apps/x{number}.yaml": "x: [" for number in range(7)}, starting=True)[1]
    named = ", ".join(f"policies/apps/x{number}.yaml" for number in range(5))
    assert f"one of {named} and 2 more, whose" in _refused(snapshot, b"anything.example")[1]


def _refused(snapshot: Snapshot, host: bytes) -> tuple[Code, str]:
    with pytest.raises(GatewayError) as refused:
        TrialHosts(snapshot, 0.0).find(host)
    return refused.value.code, refused.value.detail


def test_hosts_as_they_were_last_served_are_closed_for_a_file_that_nobody_can_read() -> None:
    """No wildcard has to be closed for it: what it had is known."""
    changes = {TEAM_FILE: "x: [", "apps/wild.yaml": WILD}
    known = {TEAM_FILE: ("a.urba.localhost",)}
    compiled, snapshot = taken(changes, starting=True, known=known)
    assert dict(snapshot.closed) == {"a.urba.localhost": "policies/apps/urba/mine.yaml"}
    assert not any("nor a wildcard" in problem.message for problem in compiled.left_out)
    # What the team may no longer have is not closed for it, nor what a good file has by now.
    moved = WILD.replace("'*.urba.localhost'", "a.urba.localhost")
    known = {TEAM_FILE: ("a.urba.localhost", "b.elsewhere.localhost", "portail.localhost")}
    snapshot = taken({**changes, "apps/wild.yaml": moved}, starting=True, known=known)[1]
    assert dict(snapshot.closed) == {}
    assert snapshot.find_app("a.urba.localhost") is not None


def test_no_wrong_file_closes_the_portal() -> None:
    wrong = PERMIS.replace("[permis.localhost]", "[permis.localhost, portail.localhost]").replace("access:", "acess:")
    snapshot = taken({"apps/permis.yaml": wrong}, starting=True)[1]
    assert set(snapshot.closed) == {"permis.localhost"}


def test_a_wildcard_that_a_good_file_has_too_is_not_closed() -> None:
    wrong = WILD.replace("app: wild", "app: other").replace("access:", "acess:")
    snapshot = taken({"apps/wild.yaml": WILD, "apps/other.yaml": wrong}, starting=True)[1]
    assert snapshot.find_app("x.urba.localhost") is not None
    assert dict(snapshot.closed) == {}


@pytest.mark.parametrize("path", [TEAM_FILE, "apps/urba", "apps/urba/mine.yml"])
def test_a_file_or_folder_that_cannot_be_opened_is_a_wrong_file(path: str) -> None:
    problem = Problem(Place(f"policies/{path}", 0, 0), "", "this file cannot be read: Permission denied")
    compiled, snapshot = taken({"apps/wild.yaml": WILD}, starting=True, unread=(problem,))
    assert compiled.closed == (path,)
    assert snapshot.find_app("permis.localhost") is not None
    assert snapshot.closed_by("b.urba.localhost") == f"policies/{path}"
    known = {TEAM_FILE: ("a.urba.localhost",)}
    if path != "apps/urba/mine.yml":
        snapshot = taken({"apps/wild.yaml": WILD}, starting=True, unread=(problem,), known=known)[1]
        assert dict(snapshot.closed) == {"a.urba.localhost": f"policies/{path}"}


def test_at_a_reload_a_teams_file_that_cannot_be_opened_stays_as_it_was() -> None:
    problem = Problem(Place(f"policies/{TEAM_FILE}", 0, 0), "", "this file cannot be read: Permission denied")
    compiled, snapshot = taken({}, good={TEAM_FILE: MINE}, unread=(problem,))
    assert (compiled.kept, compiled.closed) == ((TEAM_FILE,), ())
    assert snapshot.find_app("a.urba.localhost") is not None


def test_a_folder_of_applications_that_cannot_be_opened_is_no_start() -> None:
    with pytest.raises(ProblemsFound):
        taken({}, starting=True, unread=(Problem(Place("policies/apps", 0, 0), "", "the folder cannot be read"),))


def test_at_a_reload_a_teams_wrong_file_keeps_its_last_good_bytes_and_the_rest_is_taken() -> None:
    opened = PERMIS.replace("allow: signed_in", "allow: anyone")
    compiled, snapshot = taken({TEAM_FILE: WRONG, "apps/permis.yaml": opened}, good={TEAM_FILE: MINE})
    assert (compiled.kept, compiled.closed, snapshot.closed) == ((TEAM_FILE,), (), {})
    assert snapshot.find_app("a.urba.localhost") is not None
    assert compiled.plan == taken({TEAM_FILE: MINE, "apps/permis.yaml": opened})[0].plan


def test_at_a_reload_a_new_wrong_file_of_a_team_has_its_hosts_closed() -> None:
    compiled, snapshot = taken({TEAM_FILE: WRONG, "apps/wild.yaml": WILD})
    assert (compiled.kept, compiled.closed) == ((), (TEAM_FILE,))
    assert snapshot.find_app("a.urba.localhost") is None


def test_last_good_bytes_that_no_longer_fit_are_closed() -> None:
    """The fence has moved, or what they name has gone."""
    narrower = TEAMS.replace("[X-Remote-User]", "[X-Other]")
    compiled, snapshot = taken({TEAM_FILE: WRONG, "gateway.yaml": narrower}, good={TEAM_FILE: MINE})
    assert (compiled.kept, compiled.closed) == ((), (TEAM_FILE,))
    assert snapshot.closed_by("a.urba.localhost")


@pytest.mark.parametrize(
    "changes",
    [
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:")},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), TEAM_FILE: WRONG},
        {"gateway.yaml": GATEWAY, TEAM_FILE: WRONG},
        {TEAM_FILE: WRONG, "providers/metropole.yaml": METROPOLE + "x: 1\n"},
    ],
)
def test_at_a_reload_all_else_is_taken_whole_or_not(changes: dict[str, str | None]) -> None:
    with pytest.raises(ProblemsFound):
        taken(changes, good={TEAM_FILE: MINE, "apps/permis.yaml": PERMIS})


def test_a_team_closes_no_host_of_another() -> None:
    beyond = MINE.replace("[a.urba.localhost]", "[a.urba.localhost, b.localhost, permis.localhost]")
    compiled, snapshot = taken({TEAM_FILE: beyond}, starting=True)
    assert compiled.closed == (TEAM_FILE,)
    assert dict(snapshot.closed) == {"a.urba.localhost": "policies/apps/urba/mine.yaml"}
    assert snapshot.find_app("permis.localhost") is not None


def test_a_wrong_shadow_closes_nothing() -> None:
    shadow = PERMIS.replace("app: permis", "shadow: true\napp: permis").replace("allow: signed_in", "alow: signed_in")
    compiled, snapshot = taken({"apps/next.yaml": shadow}, starting=True)
    assert (compiled.closed, snapshot.closed) == (("apps/next.yaml",), {})
    assert snapshot.apps["permis"].shadows == ()


def test_policy_tests_say_nothing_of_what_is_closed() -> None:
    test = (
        "version: 1\npeople: {paul: {provider: metropole, subject: p}}\ntests:\n"
        "  - {request: GET http://a.urba.localhost/x, as: paul, decision: allow}\n"
    )
    assert taken({TEAM_FILE: MINE, "tests/a.yaml": test}, starting=True)[0].closed == ()
    assert taken({TEAM_FILE: WRONG, "tests/a.yaml": test}, starting=True)[0].closed == (TEAM_FILE,)
    with pytest.raises(ProblemsFound):
        taken({TEAM_FILE: MINE.replace("signed_in", "{group: x}"), "tests/a.yaml": test}, starting=True)


# --- a host that several applications divide

BELOW = PERMIS.replace("app: permis", "app: below\npath: /below").replace("path: /", "path: /below/").replace(
    "path: /below/below", "path: /below"
)  # fmt: skip


def test_at_start_the_path_of_a_wrong_file_is_closed_and_the_application_beside_it_serves() -> None:
    wrong = BELOW.replace("allow: signed_in", "alow: signed_in")
    for content in (wrong, wrong + "x: [", wrong.replace("\n", "\r\n")):
        _, snapshot = taken({"apps/below.yaml": content}, starting=True)
        assert snapshot.closed_below("permis.localhost") == {"/below": "policies/apps/below.yaml"}
        beside = snapshot.find_app("permis.localhost", "/other")
        assert beside is not None
        assert beside.name == "permis"
        host = TrialHosts(snapshot, 0.0).find(b"permis.localhost")
        with pytest.raises(GatewayError) as refused:
            host.at(b"GET /below/x HTTP/1.1")
        assert refused.value.code is route_codes.APP_CLOSED
        with pytest.raises(GatewayError):
            host.require_own(canonical_target(b"/%62elow/x"))


def test_a_path_that_is_hidden_by_what_is_wrong_is_known_from_before() -> None:
    """Else the application beside it would answer there, by its own rules."""
    hidden = BELOW.replace("path: /below\n", "path /below\n", 1)
    _, snapshot = taken(
        {"apps/below.yaml": hidden}, starting=True, known={"apps/below.yaml": ("permis.localhost/below",)}
    )
    assert snapshot.closed_below("permis.localhost") == {"/below": "policies/apps/below.yaml"}


def test_no_team_closes_a_path_of_a_host_that_another_has() -> None:
    fences = TEAMS.replace("'*.urba.localhost'", "'*.urba.localhost', permis.localhost")
    _, snapshot = taken({"gateway.yaml": fences, TEAM_FILE: BELOW.replace("alow", "allow") + "x: ["}, starting=True)
    assert snapshot.closed_below("permis.localhost") == {}
    assert snapshot.find_app("permis.localhost", "/below") is not None
