"""What many browsers send, not one request over and over: on connections of their own, and by turns behind a front."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.browsers import browsing
from tests.bench.load import Run, ran
from tests.bench.site import HOST

BROWSERS, PEOPLE, HOSTS, CONNECTIONS = 32, 512, 5000, 32
BROWSER_MIX, BY_TURNS, HOSTS_BY_TURNS = "browser_mix", "by_turns", "hosts_by_turns"
FRONT = "trusted_proxies: [127.0.0.1]\n"
_APPS = 100
_PAGES = 20

_SCRIPT = """
local made = 0
threads = {}
function setup(thread) thread:set("number", made); made = made + 1; table.insert(threads, thread) end
function init(args)
  requests, wrong = {}, 0
  local file = io.open(string.format("%s/%d", args[1], number), "rb")
  for size in file:lines() do table.insert(requests, file:read(tonumber(size))) end
  file:close()
  math.randomseed(os.time() + number)
  at = math.random(#requests) - 1
end
function request() at = at % #requests + 1; return requests[at] end
function response(status) if status ~= 200 then wrong = wrong + 1 end end
function done(summary)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("wrong") end
  print(string.format("counted %d wrong %d", summary.requests, wrong))
end
"""


@dataclass(frozen=True, slots=True)
class MixRow:
    """`streams`: of the cookies of `people` who are signed in; each is sent over and over in its order, on its share of
    the connections, from anywhere in it. `apps`: further files of apps/, by the upstream's port. `front`: the peer is a
    listed proxy. `quick`: of `make bench-quick`, too. `warm`: seconds before anything is measured, in which each worker
    meets whom it will meet: what a first visit costs is another row."""

    name: str
    streams: Callable[[Sequence[str]], Sequence[Sequence[bytes]]]
    people: int = 1
    apps: Callable[[int], dict[str, str]] = lambda _: {}
    front: bool = False
    tls: bool = False
    quick: bool = False
    connections: int = CONNECTIONS
    warm: float = 2.0


def _browsers(cookies: Sequence[str]) -> list[list[bytes]]:
    return [browsing(number, HOST, cookies[number], "/signed-in/", _PAGES) for number in range(BROWSERS)]


def _by_turns(cookies: Sequence[str]) -> list[list[bytes]]:
    visits = [_through_a_front(number, cookie) for number, cookie in enumerate(cookies)]
    return [[request for turn in zip(*visits, strict=True) for request in turn]]


def _people(cookies: Sequence[str]) -> list[list[bytes]]:
    """The same page, by each in turn."""
    return [[_through_a_front(number, cookie)[0] for number, cookie in enumerate(cookies)]]


def _hosts(count: int) -> Callable[[Sequence[str]], list[list[bytes]]]:
    return lambda _: [[browsing(0, host, "lang=fr", "/public/", 1)[0] for host in _host_names(count)]]


def _rules(count: int) -> Callable[[Sequence[str]], list[list[bytes]]]:
    return lambda cookies: [[browsing(0, _RULES_HOST, cookies[0], f"/r{number}/", 1)[0] for number in range(count)]]


def apps_of_hosts(hosts: int, apps: int) -> Callable[[int], dict[str, str]]:
    """Applications that share the hosts, by file."""
    names, each = _host_names(hosts), hosts // apps
    return lambda upstream: {
        f"app{number}.yaml": f"version: 1\napp: app{number}\nhosts: [{', '.join(names[number * each :][:each])}]\n"
        f"upstream: {{url: http://127.0.0.1:{upstream}}}\nproviders: [op]\n"
        "access: [{path: /public/**, allow: anyone}]\n"
        for number in range(apps)
    }


def _app_of_rules(count: int) -> Callable[[int], dict[str, str]]:
    rules = "".join(f"  - {{path: /r{number}/**, allow: signed_in}}\n" for number in range(count))
    return lambda upstream: {"bench.yaml": _RULES_APP.format(host=_RULES_HOST, upstream=upstream) + rules}


def _host_names(count: int) -> list[str]:
    return [f"h{number}.localhost" for number in range(count)]


_RULES_HOST = HOST
_RULES_APP = """version: 1
app: bench
hosts: [{host}]
upstream: {{url: http://127.0.0.1:{upstream}}}
providers: [op]
access:
"""
ROWS = (
    MixRow(BROWSER_MIX, _browsers, BROWSERS, quick=True),
    MixRow(BY_TURNS, _by_turns, PEOPLE, front=True, quick=True),
    MixRow("browser_mix_tls", _browsers, BROWSERS, tls=True),
    MixRow("hosts_by_turns_1", _hosts(1), apps=apps_of_hosts(1, 1)),
    MixRow(HOSTS_BY_TURNS, _hosts(HOSTS), apps=apps_of_hosts(HOSTS, _APPS), warm=6),
    MixRow("applications_by_turns", _hosts(HOSTS), apps=apps_of_hosts(HOSTS, HOSTS), warm=10),
    *(
        MixRow(f"rules_by_turns_{count}", _rules(count), apps=_app_of_rules(count), warm=6)
        for count in (300, 1000, 20_000)
    ),
    *(MixRow(f"people_by_turns_{count}", _people, count, front=True) for count in (1, 10, 64, 512)),
    *(
        MixRow(f"sessions_by_turns_{count}", _people, count, front=True, warm=2 + count / 1000)
        for count in (1000, 20_000, 100_000)
    ),
)


def run(streams: Sequence[Sequence[bytes]], row: MixRow, origin: str, pid: int, seconds: float, folder: Path) -> Run:
    """Raises LoadFailed when an answer was not 200."""
    written = folder / "streams"
    written.mkdir(exist_ok=True)
    for number, requests in enumerate(streams):
        (written / str(number)).write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
    return ran(_SCRIPT, len(streams), row.connections, f"{origin}/", pid, seconds, folder, written)


def _through_a_front(number: int, cookie: str) -> list[bytes]:
    address = f"X-Forwarded-For: 10.{number // 200}.{number % 200}.7\r\nX-Forwarded-Proto: http\r\n\r\n".encode()
    return [sent.removesuffix(b"\r\n") + address for sent in browsing(number, HOST, cookie, "/signed-in/", 1)]
