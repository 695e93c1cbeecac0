"""Invariant 13: a folder whose own tests fail is not taken."""

from dataclasses import replace

import pytest

from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from gateway.trial.proving import prove
from tests.config.samples import sample_files
from tests.trial.samples import FAILING, TESTS


def test_tests_that_pass_change_nothing_of_what_is_compiled() -> None:
    assert prove(sample_files({"tests/permis.yaml": TESTS}), 0.0) == compile_files(sample_files())
    assert prove(sample_files(), 0.0) == compile_files(sample_files())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FAILING, "this test fails: GET http://permis.localhost/admin/ as paul: allow expected, deny came"),
        (TESTS.replace("people:", "poeple:"), "poeple: unknown key"),
        (TESTS + TESTS.partition("tests:")[2].replace("as: zoe", "as: zoé"), "no person has this name"),
    ],
)
def test_a_test_that_fails_or_cannot_be_read_refuses_the_folder(text: str, told: str) -> None:
    with pytest.raises(ProblemsFound, match=told):
        prove(sample_files({"tests/permis.yaml": text}), 0.0)


def test_what_is_wrong_with_the_folder_itself_comes_first() -> None:
    with pytest.raises(ProblemsFound) as found:
        prove(sample_files({"tests/permis.yaml": FAILING, "apps/other.yaml": "a: b"}), 0.0)
    assert all("test" not in problem.message for problem in found.value.problems)


def test_a_folder_whose_applications_are_missing_says_so_before_its_tests() -> None:
    """A volume that is not mounted, say: every test of the folder fails, and none says why."""
    files = sample_files({"tests/permis.yaml": TESTS})
    without = replace(files, texts={path: text for path, text in files.texts.items() if not path.startswith("apps/")})
    with pytest.raises(ProblemsFound) as found:
        prove(without, 0.0)
    first, *tests = found.value.problems
    assert first.render().endswith("/apps: 0 apps: no file is here. Is a part of the folder missing, or not mounted?")
    assert tests
    with pytest.raises(ProblemsFound) as found:
        prove(sample_files({"tests/permis.yaml": FAILING}), 0.0)
    assert "0 apps" not in str(found.value)


def test_a_person_that_is_wrong_is_told_once_and_not_tried_as_nobody() -> None:
    for old, new in (
        ("paul: {provider: metropole", "paul: {provider: metropol"),
        ("as: paul, decision", "as: pual, decision"),
    ):
        with pytest.raises(ProblemsFound) as found:
            prove(sample_files({"tests/permis.yaml": TESTS.replace(old, new)}), 0.0)
        assert len(found.value.problems) == 1, str(found.value)
