# ruff: noqa: E501 - a case is a line
"""`translate.paths` of application files, as far as it can be wrong."""

import pytest

from tests.config.check.test_teams import MINE, TEAMS
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, problems, sample_snapshot


def blocks(*lines: str, text: str = PERMIS) -> str:
    return text.replace("access:", "  paths:\n" + "".join(f"    - {line}\n" for line in lines) + "access:")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{path: /a/**, headers: {X-A: {from: mail}}}", "{path: /a/**, omit: [X-Remote-User]}"],
         "translate.paths[1].path: two blocks for one path (join the two)"),
        (["{path: /~a/**, omit: [X-Remote-User]}", "{path: /~b/**, omit: [X-Remote-User]}"],
         "translate.paths[1].path: `~a` and `~b` stand at one place: neither goes first (join the two)"),
        (["{path: /a/**}"], "translate.paths[0]: this block changes nothing (add headers: or omit:)"),
        (["{path: /a/**, omit: [X-Remote-Usr]}"],
         "translate.paths[0].omit[0]: X-Remote-Usr is not sent on any path (did you mean X-Remote-User?)"),
        (["{path: /a/**, headers: {X-Remote-User: {from: mail}}, omit: [x-remote-user]}"],
         "translate.paths[0].omit[0]: headers of this block send x-remote-user (leave it out of one of the two)"),
        (["{path: /a/**, headers: {x-remote_user: {from: mail}}}"],
         "translate.paths[0].headers.x-remote_user: a server may read this as X-Remote-User (keep one of the two)"),
        (["{path: /a/**, headers: {Host: {from: mail}}}"],
         "translate.paths[0].headers.Host: header `Host`: this header is written by the gateway or says how a message is read: choose another name"),
        (["{path: /a/**, headers: {X-A: {from: mial}}}"],
         "translate.paths[0].headers.X-A.from: no provider of this application maps an attribute mial (did you mean mail?)"),
    ],
)  # fmt: skip
def test_what_a_block_may_say(lines: list[str], said: str) -> None:
    found = problems({"apps/permis.yaml": blocks(*lines)})
    assert [one.split(": ", 1)[1] for one in found] == [said]


def test_a_path_that_no_request_is_read_as_is_told() -> None:
    text = blocks("{path: '/a~1/**', omit: [X-Remote-User]}").replace(
        "translate:", "paths: {case: insensitive}\ntranslate:"
    )
    (found,) = problems({"apps/permis.yaml": text})
    assert "translate.paths[0].path: no request meets this path: `a~1` is refused" in found


def test_a_team_sends_its_own_headers_alone_on_any_path() -> None:
    def found(line: str) -> list[str]:
        mine = {"gateway.yaml": TEAMS, "apps/urbanisme/mine.yaml": blocks(line, text=MINE), "apps/permis.yaml": PERMIS}
        return [one.split(": ", 1)[1].partition(" (")[0] for one in problems(mine)]

    assert found("{path: /a/**, headers: {X-Remote-User: {template: '{uid}-x'}}}") == []
    assert found("{path: /a/**, headers: {X-Other: {from: uid}}}") == [
        "translate.paths[0].headers.X-Other: team urbanisme may not use the header X-Other"
    ]
    assert found("{path: /a/**, headers: {X-Remote-User: {from: mail}}}") == [
        "translate.paths[0].headers.X-Remote-User.from: team urbanisme may not use the attribute mail"
    ]


def test_a_secret_is_not_written_into_a_block_either() -> None:
    production = GATEWAY.replace("development: true\n", "").replace("http://portail", "https://portail")
    line = "{path: /a/**, headers: {X-Api-Key: {value: hunter2}}}"
    found = problems({"gateway.yaml": production, "apps/permis.yaml": blocks(line)})
    assert any("paths[0].headers.X-Api-Key.value: this looks like a secret" in one for one in found)
    assert not any("hunter2" in one for one in found)


def test_a_secret_of_a_block_is_read_from_where_it_stands() -> None:
    line = "{path: /a/**, headers: {X-Api-Key: {value: {file: ../certs/key}}}}"
    files = {"apps/permis.yaml": blocks(line)}
    app = sample_snapshot(files, {"file:../certs/key": b"of the api"}).apps["permis"]
    (_, spec) = app.translation_at(("a", "b")).headers
    assert getattr(spec.source, "text", "") == "of the api"
    assert app.header_folds == {b"xremoteuser", b"xapikey"}


def test_each_path_has_the_budget_for_itself() -> None:
    asserts = METROPOLE.replace("asserts: {", f"asserts: {{attributes: {{groups: [{'b' * 600}]}}, ")
    wide = "headers: {X-G: {from: groups, join: ';'}}"
    two = [f"{{path: /a/**, {wide}}}", f"{{path: /b/**, {wide}}}"]
    text = blocks(*two).replace("translate:\n", "translate:\n  budget: {}B\n")
    files = {"providers/metropole.yaml": asserts}
    assert problems({**files, "apps/permis.yaml": text.replace("{}B", "700B")}) == []
    (found,) = problems({**files, "apps/permis.yaml": text.replace("{}B", "500B")})
    assert "headers and cookies take 607 bytes, over 500" in found


def test_case_is_as_the_file_says_for_its_rules() -> None:
    line = "{path: /Api/**, omit: [X-Remote-User]}"
    loose = blocks(line).replace("translate:", "paths: {case: insensitive}\ntranslate:")
    for text, headers in ((loose, 0), (blocks(line), 1)):
        app = sample_snapshot({"apps/permis.yaml": text}).apps["permis"]
        # Segments come folded where the file knows no case.
        assert len(app.translation_at(("api", "x")).headers) == headers
