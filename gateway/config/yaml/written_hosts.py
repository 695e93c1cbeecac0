"""Finds the hosts in an app file, even if the file is no valid YAML. No other application then responds at these hosts.

Reads only hosts, line by line if the file is not YAML. A host that is found gets closed, never opened.
"""

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gateway.config.schema.scalars import Wrong, host_pattern
from gateway.config.yaml.reader import read_document

_KEY = re.compile(r"^[ \t\ufeff]*[\"']?hosts[\"']?[ \t]*:(.*)$")
_ENTRY = re.compile(r"^[ \t]*-[ \t]*(.*)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
# Perhaps behind an anchor or a tag, or on the next line.
_PATH = re.compile(r"^([ \t\ufeff]*)[\"']?path[\"']?[ \t]*:(?:\s+[&!]\S*)*\s*[\"']?(/[A-Za-z0-9._/-]+)", re.MULTILINE)
_INDENT = re.compile(r"^([ \t\ufeff]*)[\"']?hosts[\"']?[ \t]*:", re.MULTILINE)
_SHADOW = re.compile(r"^[ \t\ufeff]*shadow[ \t]*:[ \t]*true[ \t]*(?:#.*)?$", re.MULTILINE)
# A YAML file has one `hosts`; the search stops after a few.
_MOST_LISTS: Final = 32


@dataclass(frozen=True, slots=True)
class WrittenHosts:
    """The hosts in an app file.

    `hosts`: canonical hosts and `*.` patterns.
    `whole`: the file has no other hosts.
    `shadow`: the file is a shadow, which answers on none of its hosts.
    `path`: the path below which the application answers; empty if no path is found."""

    hosts: tuple[str, ...] = ()
    whole: bool = False
    shadow: bool = False
    path: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """The hosts, each followed by the path."""
        return tuple(host + self.path for host in self.hosts)


def written_hosts(content: bytes) -> WrittenHosts:
    """Never raises."""
    document, problems = read_document("", content)
    if document.readable and not problems and isinstance(document.data, dict):
        data = document.data
        written, path = data.get("hosts"), data.get("path")
        values = written if isinstance(written, list) else []
        shadow, path = data.get("shadow") is True, path if isinstance(path, str) else ""
        return _judged([str(value) for value in values], bool(values), shadow, path)
    return hosts_by_line(content)


def hosts_by_line(content: bytes) -> WrittenHosts:
    """The hosts in a file that is not read as YAML. Never raises."""
    text = _text(content)
    words, whole = _listed([_COMMENT.sub("", line) for line in text.split("\n")])
    return _judged(words, whole, bool(_SHADOW.search(text)), _path(text))


def _path(text: str) -> str:
    """The value of the `path` key beside `hosts`; rules have `path` keys too."""
    beside = {indent.strip("\ufeff") for indent in _INDENT.findall(text)}
    return next((path for indent, path in _PATH.findall(text) if indent.strip("\ufeff") in beside), "")


def _judged(words: list[str], whole: bool, shadow: bool, path: str) -> WrittenHosts:
    hosts = []
    for word in words:
        try:
            hosts.append(host_pattern(word.lower().removesuffix(".")))
        except Wrong:
            whole = False
    path = path.rstrip("/") if path.startswith("/") else ""
    return WrittenHosts(tuple(dict.fromkeys(hosts)), whole, shadow, path)


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # Host names are ASCII, and ASCII is the same in the usual charsets.
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _listed(lines: list[str]) -> tuple[list[str], bool]:
    """The entries below each line with the key, and whether the list is complete."""
    keys = [(number, key[1]) for number, line in enumerate(lines) if (key := _KEY.match(line))]
    # A list may continue to the end of the file.
    found = [_entries(_COMMENT.sub("", first).strip(), lines, number + 1) for number, first in keys[:_MOST_LISTS]]
    words = [word for words, _ in found for word in words]
    return words, bool(words) and len(keys) <= _MOST_LISTS and all(ended for _, ended in found)


def _entries(first: str, lines: list[str], below: int) -> tuple[list[str], bool]:
    """The entries, and whether the list was read to its end. `first`: the text after the key; `below`: the index of
    the next line."""
    rest = (line.strip() for line in islice(lines, below, None))
    if first.startswith("["):
        inside, bracket, _ = "\n".join((first[1:], *rest)).partition("]")
        # A list without an end would take in the rest of the file.
        inside = inside if bracket else first[1:]
        return [word for part in re.split(r"[,\n]", inside) if (word := _unquoted(part))], bool(bracket)
    if first:
        return [_unquoted(first)], True
    found = []
    for line in rest:
        if entry := _ENTRY.match(line):
            found.append(_unquoted(entry[1]))
        elif line:
            return found, re.match(r"[A-Za-z_]+[ \t]*:", line) is not None
    return found, True


def _unquoted(word: str) -> str:
    return word.strip().strip("\"'").strip()
