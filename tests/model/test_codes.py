import re

from gateway.model import code_table, codes
from gateway.model.code_table import all_codes
from gateway.model.codes import POLICY_ALLOWED


def test_the_table_is_whole_and_each_id_is_there_once() -> None:
    ids = [code.id for code in all_codes()]
    assert len(ids) == len(set(ids))
    assert POLICY_ALLOWED in all_codes()
    # A code that is defined elsewhere would be in no table and no reference page.
    assert len(ids) == len(_named())


def _named() -> dict[str, codes.Code]:
    """By the name of the constant."""
    modules = code_table._MODULES
    return {name: code for one in modules for name, code in vars(one).items() if isinstance(code, codes.Code)}


def test_an_id_is_words_and_dots() -> None:
    odd = [code.id for code in all_codes() if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", code.id)]
    assert not odd


def test_a_constant_is_named_after_its_id() -> None:
    """So that whoever reads an id in a log finds the place in the code."""
    odd = {name: code.id for name, code in _named().items() if not _kin(name, code.id)}
    assert not odd


def _kin(name: str, id: str) -> bool:
    return name == id.upper().replace(".", "_") or name.endswith(id.rpartition(".")[2].upper())


def test_what_reaches_a_browser_says_what_happened_and_what_to_do() -> None:
    silent = [code.id for code in all_codes() if code.status and not (code.title and code.advice)]
    assert not silent


def test_a_status_is_an_error_or_none() -> None:
    odd = [code.id for code in all_codes() if code.status and not 400 <= code.status <= 599]
    assert not odd


def test_what_a_browser_reads_names_nothing_of_the_inside() -> None:
    inside = re.compile(r"\b(sql|python|exception|null|json|http|header|cookie store|upstream|rule)\b", re.IGNORECASE)
    leaks = [code.id for code in all_codes() if inside.search(f"{code.title} {code.advice}")]
    assert not leaks
