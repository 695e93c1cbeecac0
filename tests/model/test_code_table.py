"""The table has every code of every module of codes."""

from pathlib import Path

from gateway.model import code_table
from gateway.model.account_codes import ACCOUNT_MISSING
from gateway.model.code_table import all_codes
from gateway.model.codes import POLICY_ALLOWED


def test_codes_of_every_module_are_in_it() -> None:
    assert {POLICY_ALLOWED, ACCOUNT_MISSING} <= set(all_codes())
    folder = Path(code_table.__file__).parent
    written = {path.stem for path in folder.glob("*codes.py")}
    assert {module.__name__.rpartition(".")[2] for module in code_table._MODULES} == written
