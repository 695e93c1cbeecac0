"""`ecluse check`: every problem of every file at once, each with its place."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.cli.test_main import called, typed
from tests.walks.place import Place
from tests.walks.test_reload_at_scale import write_set

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost")
    return place


def test_a_good_folder_is_counted_and_named_by_its_hash(place: Place) -> None:
    told = called("check", "policies", at=place.folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("policies: 1 app(s), 1 provider(s), revision ")
    assert called("check", "policies", at=place.folder).stdout == told.stdout
    place.write_app("two", "two.localhost")
    assert called("check", "policies", at=place.folder).stdout != told.stdout


def test_all_problems_of_all_files_come_at_once_each_with_its_line_and_a_caret(place: Place) -> None:
    app = place.read("apps/one.yaml")
    place.write("apps/one.yaml", app.replace("hosts:", "host:").replace("{from: uid}", "{from: uid, encodng: utf8}"))
    place.write("apps/two.yaml", app.replace("app: one", "app: two").replace("[alpha]", "[alhpa]"))
    place.write("apps/three.yaml", "version: 1\napp: [\n")
    place.write("gateway.yaml", place.read("gateway.yaml").replace("workers: 2", "workers: many"))
    told = called("check", "policies", at=place.folder)
    assert (told.returncode, told.stdout) == (1, "")
    for problem in (
        "policies/apps/one.yaml:3:1: host: unknown key (did you mean hosts?)\n    host: [one.localhost]\n    ^\n",
        "policies/apps/one.yaml:6:50: translate.headers.X-Remote-User.encodng: unknown key (did you mean encoding?)\n",
        "policies/apps/two.yaml:5:13: providers[0]: ",
        "policies/apps/three.yaml:",
        "policies/gateway.yaml:8:10: workers: ",
    ):
        assert problem in told.stderr, told.stderr
    problems = [line for line in told.stderr.splitlines() if line.startswith("policies/")]
    assert told.stderr.endswith(f"\n{len(problems)} problem(s)\n")


@pytest.mark.parametrize("folder", ["nowhere", "certs/store.key"])
def test_a_folder_that_is_none_is_said(place: Place, folder: str) -> None:
    told = called("check", folder, at=place.folder)
    assert told.returncode == 2
    assert told.stderr.startswith(f"ecluse: the folder {folder} cannot be read: ")


def test_nothing_is_written_and_no_secret_is_shown(place: Place) -> None:
    (place.folder / "certs/store.key").write_text("planted-and-too-short")
    told = called("check", "policies", at=place.folder)
    assert told.returncode == 1
    assert "planted" not in told.stdout + told.stderr
    assert not (place.folder / "var").exists()


def test_500_applications_with_5000_rules_are_checked(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    (place.policies / "apps").rename(tmp_path / "unused")
    (place.policies / "apps").mkdir()
    write_set(place, tmp_path / "set", 0, 500)
    (place.policies / "apps").rmdir()
    (place.policies / "apps").symlink_to(tmp_path / "set")
    told = called("check", "policies", at=place.folder)
    assert told.stdout.startswith("policies: 500 app(s), 1 provider(s)")


def test_the_folder_of_the_repository_is_good_but_for_the_keys_that_are_made_later() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "gateway", "check", "policies"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120)
    problems = [line for line in told.stderr.splitlines() if line.startswith("policies/")]
    assert all("../certs/" in line for line in problems), told.stderr


def test_a_file_that_is_not_there_is_told_with_where_its_path_starts(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "certs/store.key").rename(tmp_path / "certs/other.key")
    told = called("check", str(place.policies.relative_to(tmp_path)), at=tmp_path)
    assert told.returncode == 1
    assert (
        "store.key: this file cannot be read: No such file or directory (a path starts from policies/)" in told.stderr
    )


def test_a_state_folder_that_this_account_cannot_make_is_a_note(place: Place) -> None:
    """Another account may serve, on another machine: the folder itself is right."""
    place.settings["state"] = str(place.folder / "policies/gateway.yaml/var")
    place.write_gateway()
    told = called("check", "policies", at=place.folder)
    assert told.returncode == 0
    assert told.stderr.startswith("note: this account (uid ")
    assert told.stderr.endswith(f"{place.folder}/policies/gateway.yaml is not a folder\n")
    told = called("check", "policies", "--output", "json", at=place.folder)
    assert [note.rpartition(": ")[2] for note in json.loads(told.stdout)["notes"]] == [
        f"{place.folder}/policies/gateway.yaml is not a folder"
    ]


def test_a_state_folder_that_is_open_to_others_is_a_note_whoever_asks(place: Place) -> None:
    state = place.folder / "var"
    state.mkdir(mode=0o755)
    note = (
        f"note: `ecluse serve` would refuse the folder on this machine: state: {state} is open to other accounts: "
        f"mode 755 (chmod 700 {state}; StateDirectoryMode=0700 if systemd creates it)\n"
    )
    assert called("check", "policies", at=place.folder).stderr == note
    assert typed("serve", "policies", at=place.folder).returncode == 1
    state.chmod(0o555)
    assert "mode 555" in called("check", "policies", at=place.folder).stderr
    state.chmod(0o700)
    assert called("check", "policies", at=place.folder).stderr == ""


def test_a_folder_without_applications_is_a_note(place: Place) -> None:
    (place.policies / "apps/one.yaml").unlink()
    told = called("check", "policies", at=place.folder)
    assert (told.returncode, told.stdout.partition(",")[0]) == (0, "policies: 0 app(s)")
    assert told.stderr == ("note: 0 apps: no file below policies/apps, so only the portal is served\n")


SITE = "{certificate: {file: ../certs/site.crt}, key: {file: ../certs/site.key}}"


def ended_certificate(place: Place) -> datetime:
    """Written to the files that SITE names. Returns its end."""
    ended = datetime.now(UTC) - timedelta(days=3)
    cert = trustme.CA().issue_cert("portail.localhost", not_before=ended - timedelta(days=9), not_after=ended)
    cert.cert_chain_pems[0].write_to_path(place.folder / "certs/site.crt")
    cert.private_key_pem.write_to_path(place.folder / "certs/site.key")
    return ended


def test_a_certificate_that_a_provider_would_refuse_is_a_note(place: Place) -> None:
    day = ended_certificate(place).date().isoformat()
    place.write_provider("alpha", "https://127.0.0.1:9/alpha", client_certificate=SITE)
    told = called("check", "policies", at=place.folder)
    assert told.returncode == 0, told.stderr
    found = "EC405 oidc.client_certificate.certificate: this certificate, or one of its authorities', ended on"
    assert f"{found} {day}\n" in told.stderr


def test_certificates_that_browsers_refuse_are_notes(place: Place) -> None:
    """Of one that has ended, and of hosts that none names; beside the listener that only leads to https."""
    ended = ended_certificate(place)
    place.settings |= {
        "portal": "https://portail.localhost",
        "listen": f"[{{address: '0.0.0.0:{place.port}'}}, {{address: '0.0.0.0:{place.provider_port}', tls: {SITE}}}]",
    }
    place.write_gateway()
    told = called("check", "policies", at=place.folder)
    assert told.returncode == 0, told.stderr
    day = ended.date().isoformat()
    of_name = "policies/apps/one.yaml:3: EC406 hosts[0]: no certificate of gateway.yaml names this host"
    of_end = f"this certificate, or one of its authorities', ended on {day}"
    notes = json.loads(called("check", "policies", "--output", "json", at=place.folder).stdout)["notes"]
    assert [re.sub(r"(?<=:3):\d+", "", note) for note in notes] == [
        of_name,
        f"policies/gateway.yaml:3: EC405 listen[1].tls.certificate: {of_end}",
    ]
    assert told.stderr == "".join(f"note: {note}\n" for note in notes)


def test_a_wrong_table_of_a_directory_is_a_problem_at_the_path_in_its_file(place: Place) -> None:
    (place.policies / "directories").mkdir()
    key = "key: {uid: {from: uid, providers: [alpha]}}\ngives: {office: {}}\n"
    place.write("directories/staff.yaml", f"version: 1\ndirectory: staff\ncsv: {{path: ../staff.csv}}\n{key}")
    table = place.folder / "staff.csv"
    table.write_text("uid,office\nalice,maire\nalice,adjoint\n")
    told = called("check", "policies", at=place.folder)
    assert told.returncode == 1
    assert told.stderr.startswith("policies/directories/staff.yaml:3:13: csv.path: staff.csv: line 3: a second row")
    assert told.stderr.endswith("\n1 problem(s)\n")
    table.write_text("uid,office\nalice,maire,more\n")
    told = called("check", "policies", "--output", "json", at=place.folder)
    (problem,) = json.loads(told.stdout)["problems"]
    assert (problem["file"], problem["line"], problem["key"]) == ("policies/directories/staff.yaml", 3, "csv.path")
    assert problem["message"] == "staff.csv: line 2: 3 cells, where the first line has 2"
    table.write_text("uid,office\nalice,maire\n")
    assert called("check", "policies", at=place.folder).returncode == 0
