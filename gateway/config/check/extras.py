"""What a key needs that is installed only when it is asked for."""

import importlib
from collections.abc import Iterator

from gateway.config.problems import Path, Problem
from gateway.config.yaml.reader import YamlDocument


def check_extra(document: YamlDocument, path: Path, extra: str, module: str) -> Iterator[Problem]:
    """`extra`: its name in the package; `module`: one that is there with it. It is imported, since an extra whose
    libraries do not fit fails then and not before."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        message = f"this needs the extra {extra}, which is not installed: {error}"
        yield document.problem(path, message, "docs/how-to/install-it.md")
