"""`ecluse diff OLD NEW`: files, decisions, and a recorded log."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.test_main import called
from tests.walks.place import Place

pytestmark = pytest.mark.slow

ACCESS = "  - {path: /admin/**, allow: {group: chefs}}\n  - {path: /**, allow: signed_in}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost", access=ACCESS)
    shutil.copytree(place.policies, tmp_path / "new")
    return tmp_path


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "new/apps/one.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_nothing_differs(folder: Path) -> None:
    told = called("diff", "policies", "new", at=folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.endswith(" requests tried would change\n")
    assert told.stdout.startswith("0 of ")


def test_what_would_change_for_whom(folder: Path) -> None:
    change(folder, "group: chefs", "group: agents")
    told = called("diff", "policies", "new", at=folder)
    assert told.returncode == 1
    assert told.stdout.startswith("changed  apps/one.yaml\n4 of ")
    assert (
        "as somebody of alpha, groups chefs\n"
        "    - allow  policy.allowed  policies/apps/one.yaml:8 /admin/**\n"
        "    + deny  policy.not_allowed  new/apps/one.yaml:8 /admin/**\n"
    ) in told.stdout


def test_headers_that_would_change(folder: Path) -> None:
    change(folder, "{from: uid}", "{from: provider}")
    told = called("diff", "policies", "new", at=folder).stdout
    assert "      + header X-Remote-User: alpha\n" in told


def test_a_recorded_log(folder: Path) -> None:
    line = {"event": "access", "app": "one", "method": "GET", "path": "/admin/users", "status": 200}
    lines = [json.dumps(line)] * 3 + [json.dumps({**line, "path": "/files"})] * 1200
    (folder / "access.jsonl").write_text("\n".join(lines))
    change(folder, "group: chefs", "group: agents")
    told = called("diff", "policies", "new", "--log", "access.jsonl", at=folder)
    assert told.returncode == 1
    assert "3 of 1,203 recorded requests would change:\n" in told.stdout
    assert "/admin/users as somebody of alpha, groups chefs (3 times)\n" in told.stdout
    found = json.loads(called("diff", "policies", "new", "--log", "access.jsonl", "--output", "json", at=folder).stdout)
    assert found["files"] == [{"change": "changed", "file": "apps/one.yaml"}]
    assert (found["recorded"], [one["times"] for one in found["recorded_changes"]]) == (1203, [3])
    assert found["recorded_changes"][0]["after"]["decision"] == "deny"


def test_what_cannot_be_compared(folder: Path) -> None:
    told = called("diff", "policies", "new", "--log", "nowhere.jsonl", at=folder)
    assert (told.returncode, told.stderr) == (2, "ecluse: nowhere.jsonl: No such file or directory\n")
    change(folder, "access:", "acess:")
    told = called("diff", "policies", "new", at=folder)
    assert (told.returncode, told.stdout) == (2, "")
    assert "new/apps/one.yaml" in told.stderr


def test_what_a_shadow_would_answer_otherwise_is_no_change_of_what_comes(folder: Path) -> None:
    change(folder, "access:", "access:\n  - {path: /admin/**, allow: {group: agents}, shadow: true}")
    told = called("diff", "policies", "new", at=folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert "\n0 of " in told.stdout
    assert " requests tried keep their result, but a shadow differs:\n" in told.stdout
    assert (
        "as somebody of alpha, groups agents\n"
        "      deny  policy.not_allowed  new/apps/one.yaml:9 /admin/**\n"
        "    - no shadow differs\n"
        "    + shadow allow  policy.allowed  new/apps/one.yaml:8 /admin/**\n"
    ) in told.stdout
    found = json.loads(called("diff", "policies", "new", "--output", "json", at=folder).stdout)
    assert (found["changes"], "recorded" in found) == ([], False)
    assert {one["after"]["shadows"][0]["decision"] for one in found["shadow_changes"]} == {"allow", "deny"}


def test_an_added_application_is_one_summary_and_the_others_are_compared_as_ever(folder: Path) -> None:
    place = Place(folder / "beside")
    place.write_app("two", "two.localhost", access=ACCESS)
    shutil.copy(place.policies / "apps/two.yaml", folder / "new/apps/two.yaml")
    added = called("diff", "policies", "new", at=folder)
    lines = added.stdout.splitlines()
    assert added.returncode == 1
    assert lines[:5] == [
        "added    apps/two.yaml",
        lines[1],
        "  accepts people of alpha",
        "  /admin/**  allow group chefs",
        "  /**  allow signed_in",
    ]
    assert lines[1].startswith("added    application two: http://two.localhost:")
    assert lines[-1].startswith("0 of ")
    assert lines[-1].endswith(" requests tried would change at the other applications")
    assert len(lines) == 7

    change(folder, "group: chefs", "group: agents")
    both = called("diff", "policies", "new", at=folder).stdout
    assert "\n4 of " in both
    assert "http://two" not in both.partition("at the other applications:")[2]
    found = json.loads(called("diff", "policies", "new", "--output", "json", at=folder).stdout)
    assert found["applications"][0]["rules"] == ["/admin/**  allow group chefs", "/**  allow signed_in"]
    assert any(one["request"].startswith("GET http://two.localhost") for one in found["changes"])


def test_a_removed_application_is_one_summary(folder: Path) -> None:
    (folder / "new/apps/one.yaml").rename(folder / "one.yaml")
    Place(folder / "beside").write_app("two", "two.localhost", access=ACCESS)
    shutil.copy(folder / "beside/policies/apps/two.yaml", folder / "new/apps/two.yaml")
    told = called("diff", "policies", "new", at=folder).stdout
    assert "removed  application one: http://one.localhost:" in told
    assert " requests tried are for this application\n" in told


def test_another_application_on_the_same_host_is_a_change_for_its_people(folder: Path) -> None:
    change(folder, "app: one", "app: renamed")
    change(folder, "group: chefs", "group: agents")
    told = called("diff", "policies", "new", at=folder).stdout
    assert "removed  application one: http://one.localhost:" in told
    assert "added    application renamed: http://one.localhost:" in told
    assert "\n4 of " in told
