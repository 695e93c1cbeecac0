import stat
import subprocess
from pathlib import Path

from tests.cli.test_main import ECLUSE
from tests.directories.test_elus import ELUS


def run(folder: Path, *changes: str) -> "subprocess.CompletedProcess[str]":
    words = ["elus.csv", "--people", "people.csv", "--until", "2032-03-21", "--table", "table.csv", "--report", "r.csv"]
    command = [str(ECLUSE), "directory", "import-elus", *words, *changes]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_a_published_file_becomes_a_table_and_a_report(tmp_path: Path) -> None:
    (tmp_path / "elus.csv").write_bytes(ELUS.replace("\u2019", "'").encode("cp1252"))
    (tmp_path / "people.csv").write_text(
        "uid;nom;prenom;naissance;commune\npm;Martin;Paul;01/01/1980;\nx;Nobody;Nemo;01/01/1980;\n"
    )
    for left in ("table.new", "r.new"):
        (tmp_path / left).touch(0o644)
    told = run(tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == (
        "table.csv: 1 mandates of 1 people, until 2032-03-21\n"
        "r.csv: 1 people to check; 2 lines of the directory are incomplete\n"
    )
    table, report = tmp_path / "table.csv", tmp_path / "r.csv"
    assert table.read_text() == "uid;fonction;commune;debut;fin\npm;adjoint;59350;2026-03-29;2032-03-21\n"
    (_, nobody) = report.read_text().splitlines()
    assert nobody == "x;Nobody;Nemo;the Répertoire lists nobody with this name and day of birth"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (table, report)} == {0o600}

    assert run(tmp_path, "--until", "soon").returncode == 2
    table.unlink()
    wrong = run(tmp_path, "--people", "elus.csv")
    assert (wrong.returncode, wrong.stderr) == (1, "ecluse: the table of people lacks the column `uid`\n")
    assert not table.exists()
    gone = run(tmp_path, "--people", "gone.csv")
    assert (gone.returncode, gone.stderr) == (1, "ecluse: gone.csv: No such file or directory\n")
