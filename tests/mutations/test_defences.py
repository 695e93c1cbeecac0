"""Each defence stands where the list says; one that is switched off is seen, and so is one that nothing tests."""

import ast
from pathlib import Path

import pytest

from tests.attacks.__main__ import GROUPS
from tests.mutations.__main__ import DEFENCES, main
from tests.mutations.defence import ATTACK, ROOT, SLOW, Defence
from tests.mutations.tree import Tree


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.name)
def test_it_stands_once_in_its_file_and_has_a_proof(defence: Defence) -> None:
    text = (ROOT / "gateway" / defence.file).read_text()
    off = defence.switched_off(text)
    assert off != text
    ast.parse(off)
    if defence.proof.startswith(ATTACK):
        assert defence.proof.removeprefix(ATTACK) in GROUPS
    else:
        assert all((ROOT / "tests" / test).exists() for test in defence.proof.removeprefix(SLOW).split())


def test_no_two_have_one_name() -> None:
    assert len({each.name for each in DEFENCES}) == len(DEFENCES)


def test_a_defence_that_does_not_stand_there_is_told() -> None:
    with pytest.raises(ValueError, match="0 times"):
        Defence("none", "wire/host.py", "no such text", "wire/test_host.py").switched_off("text")


def test_no_word_has_no_defence() -> None:
    assert main(["no defence has this word"]) == 1


@pytest.mark.slow
def test_one_that_is_off_is_seen_and_one_that_nothing_tests_as_well(tmp_path: Path) -> None:
    caught = Defence("one Host", "wire/framing.py", "if hosts != 1:", "wire/test_framing.py", "if False:")
    untested = Defence("a comment", "wire/framing.py", "# RFC 9110 10.1.1", "wire/test_websocket.py", "# RFC 9110")
    broken = Defence("no Python", "wire/framing.py", "if hosts != 1:", "wire/test_framing.py", "if:")
    tree, before = Tree(tmp_path), (ROOT / "gateway/wire/framing.py").read_bytes()
    assert "test_framing.py::" in tree.failing(caught)
    assert tree.failing(untested) == ""
    with pytest.raises(RuntimeError, match="status"):
        tree.failing(broken)
    assert (ROOT / "gateway/wire/framing.py").read_bytes() == before
