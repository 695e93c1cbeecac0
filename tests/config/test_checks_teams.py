# ruff: noqa: E501 - a case is a line
import pytest

from tests.config.samples import GATEWAY, PERMIS, problems, sample_snapshot

TEAMS = (
    GATEWAY
    + "teams:\n  urbanisme: {hosts: ['*.urba.localhost', permis.localhost], providers: [metropole], headers: [X-Remote-User], cookies: [A]}\n"
)
MINE = PERMIS.replace("app: permis", "app: mine").replace("permis.localhost", "a.urba.localhost")


def found(text: str, path: str = "apps/urbanisme/mine.yaml") -> list[str]:
    return problems({"gateway.yaml": TEAMS, path: text, "apps/permis.yaml": PERMIS})


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
        ("X-Remote-User", "X-Remote-Groups", "8:5: translate.headers.X-Remote-Groups: team urbanisme may not use the header X-Remote-Groups"),
        ("access:", "  cookies: {B: {value: x}}\naccess:", "9:13: translate.cookies.B: team urbanisme may not use the cookie B"),
    ],
)  # fmt: skip
def test_beyond_the_fence(old: str, new: str, said: str) -> None:
    assert found(MINE.replace(old, new)) == [
        f"policies/apps/urbanisme/mine.yaml:{said} (gateway.yaml: teams says what it may)"
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
