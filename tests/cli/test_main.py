"""The command as it is typed."""

import argparse
import contextlib
import io
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from deploy.demo.keys import make_all
from deploy.demo.place import USUAL, copy_policies
from gateway import __version__
from gateway.cli.main import _parser, _with_dashed_ids, main
from tools.exit_codes import MEANINGS

pytestmark = pytest.mark.slow

ECLUSE = Path(sys.executable).with_name("ecluse")


def typed(*words: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ECLUSE), *words], capture_output=True, text=True, timeout=120, cwd=at)


def called(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    """As `typed`, in this process: for the answers of a command. A process of its own takes a second to start."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.chdir(at), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = main(words)
    return subprocess.CompletedProcess(words, status, out.getvalue(), errors.getvalue())


def test_the_version_is_that_of_the_package() -> None:
    told = typed("--version")
    assert (told.returncode, told.stdout, told.stderr) == (0, f"ecluse {__version__}\n", "")
    assert version("ecluse") == __version__


def test_help_names_the_commands_of_people_and_no_other() -> None:
    told = typed("--help")
    assert told.returncode == 0
    assert "serve" in told.stdout
    assert "check" in told.stdout
    assert "worker" not in told.stdout
    assert "FOLDER" in typed("serve", "--help").stdout


@pytest.mark.parametrize(
    "words", [(), ("frobnicate",), ("serve",), ("diff", "a"), ("check", "a", "b"), ("--nonsense",)]
)
def test_wrong_usage_is_2_and_one_line_says_what(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    said = capsys.readouterr()
    assert left.value.code == 2
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("ecluse")
    assert "worker" not in said.err


@pytest.mark.parametrize("words", [("worker",), ("worker", "x"), ("worker", "3", "--help"), ("worker", "-1")])
def test_nobody_starts_a_worker_by_hand(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == "ecluse: only `ecluse serve` starts a worker\n"


def test_the_command_answers_at_once() -> None:
    """`--help` and `--version` load none of the libraries that serving needs."""
    heavy = ("aiohttp", "uvloop", "pydantic", "cryptography", "httptools", "jinja2")
    program = f"import sys, gateway.cli.main; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert told.stdout == "[]\n"


@pytest.mark.parametrize("command", ["serve", "reload", "restart", "session", "key", "account_requests"])
def test_what_compiles_no_folder_loads_no_validator(command: str) -> None:
    """The models of the files are half of a command's start. The supervisor would keep 20 MB of them: a process of its
    own compiles."""
    program = f"import sys, gateway.cli.{command}; print('gateway.config.schema.app' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert told.stdout == "False\n"


_WITHOUT = """
import sys
from gateway.cli.main import main

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise ImportError("libof.so.1: cannot open shared object file: No such file or directory", name=name)

sys.meta_path.insert(0, Broken())
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("lxml", ("check", ".")),
        ("re2", ("lint", ".")),
        ("pydantic", ("explain", "GET", "http://a.example/", ".")),
        ("cryptography", ("key", "new", "store", "k.keys")),
        ("prometheus_client", ("serve", ".")),
        ("httptools", ("worker", "3", "4")),
    ],
)
def test_a_library_that_does_not_fit_the_machine_is_told_in_a_line(
    library: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _WITHOUT, library, *words]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == (
        "ecluse: a library cannot be loaded: libof.so.1: cannot open shared object file: No such file or directory "
        "(config.library: install the gateway again, docs/how-to/install-it.md)\n"
    )


def test_what_is_wrong_in_the_program_itself_is_no_library() -> None:
    command = [sys.executable, "-c", _WITHOUT.replace("name == sys", "name == 'gateway.cli.' + sys"), "lint", "lint"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (told.returncode, told.stdout) == (1, "")
    assert "Traceback" in told.stderr


def test_who_reads_no_further_ends_the_command_quietly(tmp_path: Path) -> None:
    """Of more than a pipe holds, `head` takes one line."""
    for number in range(3000):
        (tmp_path / f"{number}.yaml").write_text("")
    command = f"{ECLUSE} check {tmp_path} --output json | head -1"
    told = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert (told.stdout, told.stderr) == ("{\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("check", "nowhere"),
        ("lint", "nowhere"),
        ("test", "nowhere"),
        ("fmt", "nowhere"),
        ("explain", "GET", "http://a.example/", "nowhere"),
        ("diff", ".", "nowhere"),
        ("diff", "nowhere", "."),
        ("reload", "nowhere"),
        ("provider", "show", "alpha", "nowhere"),
        ("metadata", "nowhere"),
    ],
    ids=" ".join,
)
def test_a_folder_that_is_not_there_is_wrong_usage(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert capsys.readouterr().err == "ecluse: the folder nowhere cannot be read: No such file or directory\n"


def test_where_none_is_named_and_none_is_here_it_is_said_which_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["session", "revoke", "--all"]) == 2
    told = "ecluse: the folder policies cannot be read: No such file or directory (name the policy folder: "
    assert capsys.readouterr().err == f"{told}/etc/ecluse/policies on an installed gateway)\n"


def test_an_id_in_the_place_of_a_folder_is_told_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["session", "revoke", "Qd6OZ0m2v3bq1mJ8m6tR5A"]) == 2
    assert "(for the session with this id: --id Qd6OZ0m2v3bq1mJ8m6tR5A)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["check", "lint", "lint --output json", "check --output json", "provider show metropole"]
)
def test_a_full_disk_below_standard_output_is_said_in_one_line(command: str, tmp_path: Path) -> None:
    copy_policies(tmp_path, USUAL)
    make_all(tmp_path / "certs")
    whole = f"{ECLUSE} {command} policies >/dev/full"
    told = subprocess.run(whole, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    said = "ecluse: standard output cannot be written: No space left on device\n"
    assert (told.returncode, told.stderr) == (2, said)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (
            ["show", "-I6UIF1TlTFbtF1-pIemfA", "--output", "json"],
            ["show", "--output", "json", "--", "-I6UIF1TlTFbtF1-pIemfA"],
        ),
        (["revoke", "--id", "--6UIF1TlTFbtF1-pIemfA"], ["revoke", "--id=--6UIF1TlTFbtF1-pIemfA"]),
        (["list", "--older-than", "8h"], ["list", "--older-than", "8h"]),
    ],
)
def test_an_id_of_a_session_that_begins_as_an_option_is_an_id(given: list[str], taken: list[str]) -> None:
    assert _with_dashed_ids(["session", *given]) == ["session", *taken]
    assert vars(_parser().parse_args(["session", *taken]))["command"] == "session"


def leaves(parser: argparse.ArgumentParser, name: str = "") -> list[str]:
    """`session list`: the commands that have no commands below them."""
    choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not choices:
        return [name]
    return [leaf for word, below in choices[0].items() for leaf in leaves(below, f"{name} {word}".strip())]


def test_every_command_says_what_its_exit_statuses_mean() -> None:
    assert sorted(leaves(_parser())) == sorted(MEANINGS)
