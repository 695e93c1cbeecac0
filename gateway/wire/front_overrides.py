"""Lines of a front's configuration that undo the necessary lines: they overwrite a header of the gateway, or let a
request pass without a question. Reads nested nginx blocks as nginx does.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)
# As in nginx: a quote within a word is a letter. An unclosed quote extends to the end of the file, and nginx does not
# start with such a file.
_TOKEN: Final = re.compile(
    r"\"(?:\\(?s:.)?|[^\"\\])*\"?|'(?:\\(?s:.)?|[^'\\])*'?|[{};]"
    r"|(?:\$\{\w+\}|[^\s{};\"'])(?:\$\{\w+\}|[^\s{};])*"
)
_NAME_AND_VALUE: Final = 2
_UNASKED: Final = "typed_per_filter_config"
_ANOTHER: Final = "{name} is written here as well, with a value that is not from Écluse"


def taken_back(kind: str, text: str, names: Iterable[str]) -> list[tuple[int, str]]:
    """Faults, with their line numbers.

    `text`: a configuration file of the kind of front.
    `names`: the headers that the front must copy from the gateway's answer.
    """
    return sorted(set(_KINDS[kind](_COMMENT.sub("", text), {name.lower(): name for name in names})))


# --- nginx ---


@dataclass(slots=True)
class _Block:
    """A directive with its braces."""

    line: int
    words: list[str]
    inside: list["_Block"] = field(default_factory=list)


def _directives(text: str) -> list[_Block]:
    """Directives and blocks, in the order of the text."""
    root = _Block(1, [])
    stack, began, line, at = [root], 1, 1, 0
    words: list[str] = []
    for found in _TOKEN.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        token = found[0]
        if token not in {"{", "}", ";"}:
            began = began if words else line
            words.append(token.strip("\"'"))
            continue
        if words:
            block = _Block(began, words)
            stack[-1].inside.append(block)
            if token == "{":
                stack.append(block)
        if token == "}" and len(stack) > 1:
            stack.pop()
        words = []
    return root.inside


@dataclass(frozen=True, slots=True)
class _Passing:
    """A block that passes requests on to `target`.

    `asks`: the value of auth_request, in the block or around the block.
    `writes`: lines, lower-case names and values of proxy_set_header. The lines around a block count only if the block
    has no such line.
    """

    line: int
    target: str
    asks: bool
    writes: list[tuple[int, str, str]]


def _passing(block: _Block, asks: bool, writes: list[tuple[int, str, str]]) -> Iterator[_Passing]:
    own = [each for each in block.inside if each.words[0] == "proxy_set_header" and len(each.words) > _NAME_AND_VALUE]
    if own:
        writes = [(each.line, each.words[1].lower(), each.words[2]) for each in own]
    for each in block.inside:
        if each.words[0] == "auth_request":
            asks = each.words[-1] != "off"
    for each in block.inside:
        if each.words[0] == "proxy_pass":
            yield _Passing(each.line, each.words[-1], asks, writes)
        yield from _passing(each, asks, writes)


def _all(blocks: Iterable[_Block]) -> Iterator[_Block]:
    for block in blocks:
        yield block
        yield from _all(block.inside)


def _of_nginx(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    found = _directives(text)
    told: dict[str, str] = {}
    for each in _all(found):
        words = each.words
        if words[0] == "auth_request_set" and len(words) > _NAME_AND_VALUE:
            said = words[2].removeprefix("$upstream_http_").lower()
            if told.setdefault(words[1], said) != said:
                yield each.line, f"{words[1]} holds a different line of the answer here"
    for each in _all(found):
        if each.words[0] in {"set", "map", "geo"} and (own := {*each.words[1:]} & {*told}):
            yield each.line, f"{min(own)} gets a value here that is not from Écluse"
    passing = [*_passing(_Block(1, [], found), asks=False, writes=[])]
    asked = {place.target for place in passing if place.asks}
    for place in passing:
        if place.asks:
            yield from _written(place, told, names)
        elif place.target in asked:
            yield place.line, f"{place.target} gets requests here without a question to Écluse"


def _written(place: _Passing, told: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    written = {name for _, name, _ in place.writes}
    for name in names.keys() - written:
        yield place.line, f"{names[name]} is not written here: a block with its own lines inherits no lines"
    for line, name, value in place.writes:
        if name in names and told.get(value) != name.replace("-", "_"):
            yield line, _ANOTHER.format(name=names[name])


def _of_oauth2_proxy(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """The front's lines may write the answer's headers under other names."""
    return _of_nginx(text, {})


# --- further fronts, line by line ---


_CADDY: Final = re.compile(r"^\s*(?:request_header|header_up)\s+([+?>-]?)([\w*-]+)(?:\s+\"?([^\"\s]*))?")
# Except an empty value, which removes the client's header.
_TRAEFIK: Final = re.compile(r"^\s*[\"']?([\w-]+)[\"']?\s*:\s*(?![\"']{2}\s*$)\S")
_TRAEFIK_PATTERN: Final = re.compile(r"\bauthResponseHeadersRegex\b")
_ENVOY: Final = re.compile(r"\bkey:\s*[\"']?([\w-]+)")
_ENVOY_PASSES: Final = re.compile(r"\bfailure_mode_allow:\s*[\"']?true")
_HAPROXY: Final = re.compile(r"^\s*http-request\s+(lua\.ecluse\b|(?:set|add|replace)-(?:header|value)\s+([\w-]+))")


def _lines(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := pattern.search(line):
            yield number, found


def _of_caddy(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for line, found in _lines(text, _CADDY):
        mark, name, value = found[1], found[2].lower(), found[3] or ""
        if name in names and mark != "-" and (mark or value.lower() != f"{{rp.header.{name}}}"):
            yield line, _ANOTHER.format(name=names[name])


def _of_traefik(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for line, found in _lines(text, _TRAEFIK):
        if found[1].lower() in names:
            yield line, _ANOTHER.format(name=names[found[1].lower()])
    for line, _ in _lines(text, _TRAEFIK_PATTERN):
        yield line, "a pattern passes on the client's headers that the answer does not name"


def _of_envoy(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for line, found in _lines(text, _ENVOY):
        if found[1].lower() in names:
            yield line, _ANOTHER.format(name=names[found[1].lower()])
    for line, _ in _lines(text, _ENVOY_PASSES):
        yield line, "requests pass while Écluse does not answer"
    # The routes with their content. A route that passes without a question has filter settings of its own.
    starts = [*re.finditer(r"^[^\S\n]*- match:", text, re.MULTILINE)]
    ends = [*(each.start() for each in starts), len(text)][1:]
    routes = [(each.start(), text[each.start() : end]) for each, end in zip(starts, ends, strict=True)]
    clusters = [(at, re.search(r"\bcluster:\s*([\w-]+)", route), _UNASKED in route) for at, route in routes]
    asked = {found[1] for _, found, unasked in clusters if found and not unasked}
    for at, cluster, unasked in clusters:
        if unasked and cluster and cluster[1] in asked:
            line = text.count("\n", 0, at + 1) + 1
            yield line, f"{cluster[1]} gets requests here without a question to Écluse"


def _of_haproxy(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    after = False
    for line, found in _lines(text, _HAPROXY):
        if found[2] is None:
            after = True
        elif after and found[2].lower() in names:
            yield line, _ANOTHER.format(name=names[found[2].lower()])
    if not after and re.search(r"^[^\S\n]*(?:frontend|listen)\b", text, re.MULTILINE):
        yield 1, "lua.ecluse is not called, so Écluse is not asked"


_KINDS: Final[Mapping[str, Callable[[str, Mapping[str, str]], Iterator[tuple[int, str]]]]] = {
    "nginx": _of_nginx,
    "oauth2-proxy": _of_oauth2_proxy,
    "caddy": _of_caddy,
    "traefik": _of_traefik,
    "envoy": _of_envoy,
    "haproxy": _of_haproxy,
}
