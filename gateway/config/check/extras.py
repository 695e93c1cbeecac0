"""Checks the libraries that a key needs. Some are installed only on request; some may not fit the machine."""

import importlib
from collections.abc import Iterator
from dataclasses import replace

from gateway.config.problems import Path, Problem
from gateway.config.yaml.reader import YamlDocument
from gateway.model.codes import config_codes

_REMEDY = "docs/how-to/install-it.md"


def check_extra(document: YamlDocument, path: Path, extra: str, module: str) -> Iterator[Problem]:
    """`extra`: the name of the optional dependency group; `module`: a module that the group installs."""
    yield from check_library(document, path, f"the extra {extra}", module)


def check_library(document: YamlDocument, path: Path, named: str, module: str) -> Iterator[Problem]:
    """Imports the module: a module whose libraries do not fit the machine fails only at import."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - xmlsec beside an lxml with another libxml2 raises an error of its own
        how = "is not installed" if isinstance(error, ModuleNotFoundError) else "cannot be loaded"
        problem = document.problem(path, f"this needs {named}, which {how}: {error}", _REMEDY)
        yield replace(problem, code=config_codes.LIBRARY.id)
