"""The lines of a front's configuration that replace a client's headers with the gateway's answer.

Most fronts need a line per header. A forgotten header stays under the client's control.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

ALWAYS: Final = ("Cookie", "Authorization", "X-Request-Id")
"""Headers beside the headers of the application's file."""

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)
_CADDY: Final = re.compile(
    r"^[^\S\n]*request_header\s+([\w-]+)\s+\"?\{rp\.header\.([\w-]+)\}\"?[^\S\n]*$", re.MULTILINE
)
_SECRET: Final = "X-Ecluse-Front"


def names_of(kind: str, injected: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """The headers that the configuration of a front must name, by the kind of front. `injected`: as in
    access.permission.injected_names.
    """
    if kind == "haproxy":
        # ecluse.lua writes every header of the gateway's answer.
        return ()
    told = tuple(name.decode("ascii") for name in injected.values())
    own = (_SECRET,) if kind == "traefik" else ()
    return tuple(dict.fromkeys((*told, *ALWAYS, *own)))


def lines_of(kind: str, names: Iterable[str]) -> list[str]:
    """The required lines of the front's configuration."""
    return [line.format(name=name, lower=name.lower(), word=_word(name)) for name in names for line in _LINES[kind]]


_LINES: Final[Mapping[str, tuple[str, ...]]] = {
    "nginx": (
        "auth_request_set $ecluse_{word} $upstream_http_{word};",
        "proxy_set_header {name} $ecluse_{word};",
    ),
    "oauth2-proxy": (
        "auth_request_set $ecluse_{word} $upstream_http_{word};",
        "proxy_set_header {name} $ecluse_{word};",
    ),
    "caddy": ("request_header {name} {{rp.header.{name}}}",),
    "traefik": ("- {name}",),
    "envoy": ("- {{exact: {lower}}}",),
    "haproxy": (),
}


def missing(kind: str, text: str, names: Iterable[str]) -> tuple[str, ...]:
    """The headers of `names` that no line of the configuration replaces. `text`: the files of the configuration
    together.
    """
    written = _WRITTEN[kind](_COMMENT.sub("", text))
    return tuple(name for name in names if name.lower() not in written)


def _of_nginx(text: str) -> set[str]:
    """A header set to a variable that holds the answer's header of the same name."""
    told = dict(re.findall(r"\bauth_request_set\s+\$(\w+)\s+\$upstream_http_(\w+)\s*;", text))
    written = re.findall(r"\bproxy_set_header\s+([\w-]+)\s+\$(\w+)\s*;", text)
    return {name.lower() for name, variable in written if told.get(variable, "").lower() == _word(name)}


def _of_oauth2_proxy(text: str) -> set[str]:
    """As nginx, under any name of the header: the application may receive the value as `X-User`."""
    told = dict(re.findall(r"\bauth_request_set\s+\$(\w+)\s+\$upstream_http_(\w+)\s*;", text))
    written = re.findall(r"\bproxy_set_header\s+[\w-]+\s+\$(\w+)\s*;", text)
    return {told[variable].lower().replace("_", "-") for variable in written if variable in told}


def _of_caddy(text: str) -> set[str]:
    return {name.lower() for name, told in _CADDY.findall(text) if name.lower() == told.lower()}


def _of_traefik(text: str) -> set[str]:
    return {name.lower() for name in re.findall(r"(?<![\w-])[\w-]*\w", _block(text, "authResponseHeaders"))}


def _of_envoy(text: str) -> set[str]:
    found = re.findall(r"\bexact:\s*[\"']?([\w-]+)", _block(text, "allowed_upstream_headers"))
    return {name.lower() for name in found}


def _of_haproxy(text: str) -> set[str]:
    return set()


_WRITTEN: Final = {
    "nginx": _of_nginx,
    "oauth2-proxy": _of_oauth2_proxy,
    "caddy": _of_caddy,
    "traefik": _of_traefik,
    "envoy": _of_envoy,
    "haproxy": _of_haproxy,
}


def _block(text: str, key: str) -> str:
    """The values of a key in a YAML file: the rest of the key's line, the more indented lines, and list items at the
    same indentation.
    """
    found, depth = [], -1
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        item = line.lstrip(" ").startswith("- ")
        if depth >= 0 and line.strip() and (indent < depth or (indent == depth and not item)):
            depth = -1
        if depth >= 0:
            found.append(line)
        elif line.lstrip(" -").startswith(f"{key}:"):
            depth = indent
            found.append(line.partition(":")[2])
    return "\n".join(found)


def _word(name: str) -> str:
    """In the form of nginx's variables."""
    return name.lower().replace("-", "_")
