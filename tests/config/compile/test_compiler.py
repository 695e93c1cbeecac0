import pytest

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from tests.config.samples import PERMIS, sample_files


def test_the_same_files_give_the_same_revision_and_other_files_another() -> None:
    one, two = compile_files(sample_files()), compile_files(sample_files())
    assert (one.plan, one.revision) == (two.plan, two.revision)
    changed = PERMIS.replace("group: administrateurs", "group: administrateur")
    assert compile_files(sample_files({"apps/permis.yaml": changed})).revision != one.revision
    secret = {"file:../certs/metropole.secret": b"another-secret"}
    assert compile_files(sample_files(secrets=secret)).revision != one.revision


def test_a_comment_changes_nothing_but_where_a_rule_stands() -> None:
    one = compile_files(sample_files()).revision
    assert compile_files(sample_files({"apps/permis.yaml": PERMIS + "# end\n"})).revision == one
    moved = build(compile_files(sample_files({"apps/permis.yaml": "# top\n" + PERMIS})).plan)
    match = moved.apps["permis"].routes.find(("admin", ""))
    assert match is not None
    assert (match.rules[0].ref.file, match.rules[0].ref.line) == ("policies/apps/permis.yaml", 12)


def test_one_problem_anywhere_and_nothing_is_compiled() -> None:
    with pytest.raises(ProblemsFound) as found:
        compile_files(sample_files({"apps/other.yaml": "version: 1\n"}))
    assert str(found.value).startswith(
        "policies/apps/other.yaml:1:1: access: this key is missing\n    version: 1\n    ^\n"
    )


def test_a_folder_without_apps_is_served() -> None:
    assert build(compile_files(sample_files({"apps/permis.yaml": None})).plan).apps == {}
