"""Patterns that no request can meet, for the application's file reads paths so that their names never come."""

from collections.abc import Iterator
from urllib.parse import quote

from gateway.config.problems import Path, Problem, key_path
from gateway.config.schema.app import AppFile
from gateway.config.yaml.reader import YamlDocument
from gateway.model.errors import GatewayError
from gateway.policy.patterns import Literal, Pattern, folded
from gateway.wire.target import PathLeniency, canonical_target


def check_paths(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """A deny on such a pattern would look like a protection, and be none."""
    leniency = model.paths.leniency()
    for path, pattern in _patterns(model):
        for why in _never_met(pattern, leniency):
            yield Problem(document.place(path), key_path(path), f"no request meets this path: {why}")


def _patterns(model: AppFile) -> Iterator[tuple[Path, Pattern]]:
    for index, rule in enumerate(model.access):
        yield ("access", index, "path"), rule.path
    for index, pattern in enumerate(model.api.paths if model.api is not None else ()):
        yield ("api", "paths", index), pattern
    for index, pattern in enumerate(model.logout.links):
        yield ("logout", "links", index), pattern


def _never_met(pattern: Pattern, leniency: PathLeniency) -> Iterator[str]:
    last = len(pattern.segments) - 1
    for place, segment in enumerate(folded(pattern, leniency.case_insensitive).segments):
        if isinstance(segment, Literal) and segment.text:
            yield from _misread(segment.text, leniency, inside=place != last)


def _misread(name: str, leniency: PathLeniency, *, inside: bool) -> Iterator[str]:
    """Nothing where a request for this name is read as this name."""
    target = b"/%b/x" if inside else b"/%b"
    try:
        read = canonical_target(target % _written(name, leniency), leniency).segments[0]
    except GatewayError as error:
        yield f"`{name}` is refused in every request, as {error.detail.rpartition(':')[0]}"
    else:
        if read != name:
            yield f"`{name}` is read as `{read}`"


def _written(name: str, leniency: PathLeniency) -> bytes:
    try:
        data = name.encode("cp1252" if leniency.encoding == "latin-1" else "utf-8")
    except UnicodeEncodeError:
        data = name.encode()
    return quote(data, safe="").encode("ascii")
