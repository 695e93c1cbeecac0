"""The small grammars of the files: text in, value out, or Wrong with what to write instead. All pure."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.model.errors import GatewayError
from gateway.wire.addresses import IpNetwork, parse_address, parse_network
from gateway.wire.fences import parse_fence_entry
from gateway.wire.host import canonical_host

SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES: Final = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
# Spellings of the units in other programs, in lower case.
_OTHER_UNITS: Final = {
    **dict.fromkeys(("sec", "secs", "second", "seconds", "seconde", "secondes"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "mn"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours", "heure", "heures"), "h"),
    **dict.fromkeys(("day", "days", "j", "jour", "jours"), "d"),
    **dict.fromkeys(("o", "octets", "bytes"), "B"),
    **dict.fromkeys(("k", "ko", "kib"), "KB"),
    **dict.fromkeys(("m", "mo", "mib"), "MB"),
    **dict.fromkeys(("g", "go", "gib"), "GB"),
}
_AMOUNT: Final = re.compile(r"([0-9]{1,9})([A-Za-z]*)")
_URL: Final = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>\[[0-9a-fA-F:.]+\]|[^:/?#@\[\]]++)(?::(?P<port>[0-9]{1,5}))?(?P<rest>.*)"
)
# A host without a scheme, as in a browser's address bar.
_BARE: Final = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?:/[A-Za-z0-9._~/-]*)?")
_ADDRESS: Final = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
_PORT_ALONE: Final = re.compile(r"(?:\*?:)?([0-9]{1,5})")
_CLAIM: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
_RATE: Final = re.compile(r"([1-9][0-9]{0,6})/([smh])")
_LONGEST_GRACE: Final = 60
_DEFAULT_PORT: Final = {"http": 80, "https": 443}


class Wrong(Exception):
    """`message`: the fault. `hint`: the correct spelling."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Url(NamedTuple):
    """`port`: None if the text has no port."""

    scheme: str
    host: str
    port: int | None
    rest: str

    @property
    def authority(self) -> str:
        """The host and port without the scheme's default port: the only spelling of the origin."""
        return self.host if self.port in (None, _DEFAULT_PORT[self.scheme]) else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def effective_port(self) -> int:
        return self.port or _DEFAULT_PORT[self.scheme]


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the gateway finds a secret or certificate.

    `kind`: "file", "env", "credential", or "inline" for a text in the file itself.
    `name`: the path or name; with "inline", the text.
    `key`: the key of the content among the contents that were read."""

    kind: str
    name: str
    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.kind}:{self.name}")


_NAME_IN_PATH = r"/[A-Za-z0-9_-](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"
_PREFIX = re.compile(f"(?:{_NAME_IN_PATH})+")

REFERENCE_KINDS: Final = ("file", "env", "credential")


def seconds(value: object) -> float:
    """`300ms`, `15s`, `5m`, `12h`, `7d`."""
    return float(_amount(value, SECONDS, "s", "a time is a number with a unit: 300ms, 15s, 5m, 12h or 7d"))


def grace(value: object) -> float:
    """As `seconds`, at most a minute; `0s` for none."""
    if value == "0s":
        return 0.0
    if (found := seconds(value)) > _LONGEST_GRACE:
        raise Wrong("this is at most 60s: for so long an ended session may last on another node")
    return found


def whole_seconds(value: object) -> int:
    """`15s`, `5m`, `12h`, `7d`."""
    units = {unit: factor for unit, factor in SECONDS.items() if unit != "ms"}
    return int(_amount(value, units, "s", "a time is a number with a unit: 15s, 5m, 12h or 7d"))


def whole_seconds_or_none(value: object) -> int:
    """Like `whole_seconds`; `0s`: none."""
    return 0 if value == "0s" else whole_seconds(value)


class WrittenRate(NamedTuple):
    """A number of requests in a number of seconds."""

    number: int
    seconds: float


def rate(value: object) -> WrittenRate:
    """`20/s`, `600/m`, `1000/h`."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Wrong("a rate is a number and a time: 20/s, 600/m or 1000/h", f"{value}/s" if type(value) is int else "")
    return WrittenRate(int(match[1]), SECONDS[match[2]])


def size(value: object) -> int:
    """`512B`, `8KB`, `32MB`, `1GB`, in powers of 1024."""
    return int(_amount(value, BYTES, "KB", "a size is a number with a unit: 512B, 8KB, 100MB or 1GB"))


def size_or_unlimited(value: object) -> int:
    """0 for `unlimited`."""
    return 0 if value == "unlimited" else size(value)


def _amount(value: object, units: Mapping[str, float], usual: str, rule: str) -> float:
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        if isinstance(value, str) and _AMOUNT.fullmatch(joined := value.replace(" ", "")):
            raise Wrong(rule, f"write {joined}")
        raise Wrong(rule, f"such as {value}{usual}" if type(value) is int and value > 0 else "")
    factor = units.get(match[2])
    if factor is None:
        written = match[2].lower()
        same = [unit for unit in units if unit.lower() in (written, _OTHER_UNITS.get(written, "").lower())]
        raise Wrong(rule, f"write {match[1]}{same[0]}" if same else "")
    if int(match[1]) == 0:
        raise Wrong("this cannot be 0")
    return int(match[1]) * factor


def server_name(text: str) -> str:
    """As host_name, of a server where an application listens: its labels may hold a `_`."""
    return host_name(text, underscore=True)


def host_name(text: str, *, underscore: bool = False) -> str:
    """A canonical host: lower case, no port, no dot at the end."""
    if not text.isascii():
        raise Wrong("a host name is written in ASCII", "write the xn-- form of the name")
    if ":" in text:
        bare = text.rpartition("://")[2].partition("/")[0].partition(":")[0]
        raise Wrong("a host has no port and no scheme here", f"write {bare}")
    if text.endswith("."):
        raise Wrong("a host has no dot at its end", f"write {text.rstrip('.')}")
    try:
        return canonical_host(text.encode("ascii"), underscore=underscore)
    except GatewayError as error:
        what, _, _ = error.detail.partition(": ")
        raise Wrong(f"{text[:80]}: {what}", "labels of letters, digits and -, between dots") from None


def host_pattern(text: str) -> str:
    """A canonical host, or `*.` before a canonical host for any single label. A host with `_` has to be written in
    full, because no wildcard covers it."""
    if not text.startswith("*"):
        return host_name(text, underscore=True)
    suffix = text.removeprefix("*.")
    if suffix == text or "*" in suffix or ("." not in suffix and suffix != "localhost"):
        raise Wrong("a wildcard stands for one whole label in front", "write *.example.org")
    return "*." + host_name(suffix)


def origin(text: str, *, of_server: bool = False) -> Url:
    """`https://host[:port]`, without a path."""
    url = _url(text, of_server=of_server)
    if url.rest not in ("", "/"):
        raise Wrong("nothing may follow the host and port", f"write {url.origin}")
    return url._replace(rest="")


def application_origin(text: str) -> Url:
    """As origin, of a server where an application listens."""
    return origin(text, of_server=True)


def application_url(text: str) -> Url:
    """`http://host[:port]`, and perhaps the path where an application has its pages."""
    url = _url(text, of_server=True)
    if url.rest not in ("", "/") and not is_path_prefix(url.rest.removesuffix("/")):
        raise Wrong(
            "a path is names of letters, digits, `-`, `_` and `.` here, and no query", f"write {url.origin}/app"
        )
    return url


def is_path_prefix(text: str) -> bool:
    """Whether all servers read the characters alike. A comparison of bytes is then safe."""
    return _PREFIX.fullmatch(text) is not None


def named_origin(text: str) -> Url:
    """An origin that a browser's Host header can name as we read it: no IPv6 address."""
    url = origin(text)
    if url.host.startswith("["):
        raise Wrong("a name is needed here, not an IPv6 address")
    return url


_DISCOVERY = "/.well-known/openid-configuration"


def issuer(text: str) -> str:
    """OpenID Connect Core 1.2: a URL with scheme, host, perhaps port and path, no query and no fragment. As written."""
    if any(mark in _url(text).rest for mark in "?#"):
        raise Wrong("an issuer has no query and no fragment")
    # OIDC Discovery 4: clients append this path to the issuer.
    if _DISCOVERY in text:
        raise Wrong(
            "this is where the provider's configuration is, not its issuer", f"write {text.partition(_DISCOVERY)[0]}"
        )
    return text


def web_address(text: str) -> str:
    """A URL with whatever path and query, without a fragment. As written."""
    if "#" in _url(text).rest:
        raise Wrong("nothing is fetched from a fragment", "leave # and what follows out")
    return text


def _url(text: str, *, of_server: bool = False) -> Url:
    match = _URL.fullmatch(text)
    if match is None or not text.isascii() or not text.isprintable() or " " in text:
        raise Wrong(
            "this is not a URL",
            f"write https://{text}" if _BARE.fullmatch(text) else "write http://host:port or https://host:port",
        )
    if match["scheme"] not in _DEFAULT_PORT:
        raise Wrong(f"the scheme {match['scheme']} is not accepted", "http or https")
    if match["rest"] and match["rest"][0] not in "/?#":
        raise Wrong("this is not a URL", "write http://host:port or https://host:port")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        raise Wrong("a port is a number from 1 to 65535")
    return Url(match["scheme"], _url_host(match["host"], of_server=of_server), port, match["rest"])


def _url_host(text: str, *, of_server: bool = False) -> str:
    if not text.startswith("["):
        return host_name(text, underscore=of_server)
    address = parse_address(text[1:-1])
    if address is None or address.version != 6:
        raise Wrong(f"{text} is not an IPv6 address")
    return f"[{address}]"


def socket_address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:443`; port 0: a free port."""
    if port := _PORT_ALONE.fullmatch(text):
        raise Wrong("an address is written IP:port", f"write 0.0.0.0:{port[1]} for all addresses of this machine")
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise Wrong("an address is written IP:port", "127.0.0.1:8080, [::1]:8080 or 0.0.0.0:443")
    address = parse_address(match["six"] or match["four"])
    if address is None or (address.version == 6) != bool(match["six"]):
        hint = f"write 127.0.0.1:{match['port']}" if match["four"] == "localhost" else ""
        raise Wrong("this is not an IP address", hint)
    if int(match["port"]) > 65535:
        raise Wrong("a port is a number from 1 to 65535")
    return str(address), int(match["port"])


def plain_path(text: str) -> str:
    """An absolute path without `.`, `..` or doubled slashes: `/run/apps/rh.sock`."""
    if not text.startswith("/") or text == "/" or posixpath.normpath(text) != text or not text.isprintable():
        raise Wrong("a path is absolute here, without `.`, `..` and doubled slashes", "write /run/apps/rh.sock")
    return text


def server_address(text: str) -> tuple[str, int]:
    """`valkey.example.org:6379`, `10.0.0.1:6379`, `[::1]:6379`."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match["port"]) <= 65535:
        raise Wrong("a server is written name:port", "valkey.example.org:6379, 10.0.0.1:6379 or [::1]:6379")
    if match["six"] is not None:
        return str(_url_host(f"[{match['six']}]"))[1:-1], int(match["port"])
    return host_name(match["four"]), int(match["port"])


def admin_address(text: str) -> str:
    """A loopback `IP:port`, or `unix:/path`."""
    if text.startswith("unix:"):
        if len(text) == len("unix:"):
            raise Wrong("the path is missing", "write unix:/run/ecluse/admin.sock")
        return text
    host, port = socket_address(text)
    address = parse_address(host)
    if address is None or not address.is_loopback:
        raise Wrong(
            "the admin listener asks for no sign-in: it listens on loopback or a Unix socket only",
            f"write 127.0.0.1:{port}",
        )
    return text


def network(text: str) -> IpNetwork:
    try:
        return parse_network(text)
    except ValueError:
        raise Wrong("this is not a network", "write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32") from None


def upstream_place(text: str) -> str:
    try:
        parse_fence_entry(text)
    except ValueError:
        hint = "10.1.0.0/16, 10.1.2.3:8080, app.example.org or *.example.org"
        raise Wrong("this is neither a network, an address nor a name", hint) from None
    return text


def claim_path(value: object) -> tuple[str, ...]:
    """`address.country` is two steps; a list gives the steps as they are, for claims with a dot in their name."""
    steps = value.split(".") if isinstance(value, str) else value
    if not isinstance(steps, list) or not 0 < len(steps) <= 8:
        raise Wrong("a claim is a name, a path (address.country), or a list of names")
    for step in steps:
        if not isinstance(step, str) or _CLAIM.fullmatch(step) is None:
            raise Wrong("a claim's name is missing or has a blank in it")
    return tuple(steps)


def reference(value: object) -> Reference:
    """`{file: path}`, `{env: NAME}` or `{credential: name}`; a plain text is an inline secret."""
    if isinstance(value, str):
        return Reference("inline", value)
    if not isinstance(value, dict) or len(value) != 1:
        raise Wrong("exactly one place is named here", "write {file: path}, {env: NAME} or {credential: name}")
    ((kind, name),) = value.items()
    if kind not in REFERENCE_KINDS:
        raise Wrong(f"{kind} is not a place for a secret", "write {file: path}, {env: NAME} or {credential: name}")
    if not isinstance(name, str) or not name or "\0" in name:
        raise Wrong(f"{kind} needs a name", "put it in quotes if it is a number")
    if kind == "credential" and ("/" in name or name.startswith(".")):
        raise Wrong("a credential is named without a path")
    return Reference(kind, name)
