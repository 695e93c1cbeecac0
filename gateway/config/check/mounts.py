"""Checks an application that has its pages at another path than browsers know: some features pass paths unchanged."""

from collections.abc import Callable, Iterator
from typing import Final

from gateway.config.problems import Path, Problem
from gateway.config.schema.app import AppFile
from gateway.config.yaml.reader import YamlDocument

# Paths in bodies and headers of these are not moved.
_NOT_MOVED: Final[tuple[tuple[Path, Callable[[AppFile], object]], ...]] = (
    (("methods",), lambda app: app.methods),
    (("form_login",), lambda app: app.form_login),
    (("cookies", "hidden"), lambda app: app.cookies.hidden),
    (("front",), lambda app: app.front),
)


def check_mount(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """Called where `upstream.url` has a path."""
    if model.upstream.url.rest.rstrip("/") == (model.path or ""):
        return
    for path, of in _NOT_MOVED:
        if of(model):
            said = ".".join(map(str, path))
            message = f"{said} needs the application to have its pages where browsers know them"
            yield document.problem(path, message, "no path in upstream.url", key=True)
