"""What files of the policy folder need of the machine that reads them."""

import importlib.util
import sys
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def _extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that needs an extra can be read where it is not installed: python-ldap is built on the machine."""
    if importlib.util.find_spec("ldap") is None:
        monkeypatch.setitem(sys.modules, "ldap", ModuleType("ldap"))
