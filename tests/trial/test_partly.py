"""Wrong app files: closed at start, as they were last at a reload; and nobody answers in their place."""

from dataclasses import replace

import pytest

from gateway.config.build import build
from gateway.config.compile import Compiled
from gateway.config.compile_process import decode_answer, decode_files, encode_answer, encode_files
from gateway.config.problems import ProblemsFound
from gateway.config.snapshot import Snapshot
from gateway.trial.partly import prove_partly
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, sample_files

NOW = 1764061200.0
TEAMS = GATEWAY + "teams:\n  urba: {hosts: ['*.urba.localhost'], providers: [metropole], headers: [X-Remote-User]}\n"
WILD = PERMIS.replace("app: permis", "app: wild").replace("permis.localhost", "'*.urba.localhost'")
MINE = PERMIS.replace("app: permis", "app: mine").replace("permis.localhost", "a.urba.localhost")
WRONG = MINE.replace("allow: signed_in", "alow: signed_in")
TEAM_FILE = "apps/urba/mine.yaml"


def taken(
    changes: dict[str, str | None], *, starting: bool = False, good: dict[str, str] | None = None
) -> tuple[Compiled, Snapshot]:
    files = replace(
        sample_files({"gateway.yaml": TEAMS, **changes}),
        starting=starting,
        good={path: text.encode() for path, text in (good or {}).items()},
    )
    # By way of the helper's messages, as the supervisor has it.
    compiled = decode_answer(encode_answer(prove_partly(decode_files(encode_files(files)), NOW)))
    return compiled, build(compiled.plan)


def test_a_whole_folder_leaves_nothing_out() -> None:
    compiled, snapshot = taken({TEAM_FILE: MINE}, starting=True)
    assert (compiled.left_out, compiled.kept, compiled.closed, snapshot.closed) == ((), (), (), {})


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
        {"apps/permis.yaml": "version: 1\napp: [\n"},
        {"apps/permis.yaml": PERMIS.replace("[permis.localhost]", "[permis.localhost, 7]").replace("allow:", "alow:")},
        {"apps/permis.yaml": PERMIS.replace("hosts: [permis.localhost]", "hosts: ['permis localhost']")},
        {"apps/permis.yaml": PERMIS.replace("hosts: [permis.localhost]\n", "")},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "gateway.yaml": TEAMS + "worker: 2\n"},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "providers/metropole.yaml": METROPOLE + "x: 1\n"},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "shared/a.yaml": "version: 1\n"},
        {"apps/permis.yaml": PERMIS.replace("allow:", "alow:"), "lists/a.yaml": "version: 1\n"},
    ],
)
def test_there_is_no_start_where_hosts_cannot_be_read_or_more_is_wrong(
    changes: dict[str, str | None],
) -> None:
    with pytest.raises(ProblemsFound) as found:
        taken(changes, starting=True)
    assert any(problem.place.file.endswith("permis.yaml") for problem in found.value.problems)


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
