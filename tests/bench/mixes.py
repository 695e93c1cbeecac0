"""What many browsers send, not one request over and over: on connections of their own, and by turns behind a front."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.browsers import browsing
from tests.bench.load import Run, ran
from tests.bench.site import HOST

BROWSERS, PEOPLE, HOSTS, CONNECTIONS = 32, 512, 5000, 32
BROWSER_MIX, BY_TURNS, HOSTS_BY_TURNS = "browser_mix", "by_turns", "hosts_by_turns"
NAMES = (BROWSER_MIX, BY_TURNS, HOSTS_BY_TURNS)
FRONT = "trusted_proxies: [127.0.0.1]\n"
_APPS = 100
_PAGES = 20

_SCRIPT = """
local made = 0
threads = {}
function setup(thread) thread:set("number", made); made = made + 1; table.insert(threads, thread) end
function init(args)
  requests, at, wrong = {}, 0, 0
  local file = io.open(string.format("%s/%d", args[1], number), "rb")
  for size in file:lines() do table.insert(requests, file:read(tonumber(size))) end
  file:close()
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
class Mix:
    """`streams`: each is sent over and over in its order, on its share of the connections."""

    streams: Sequence[Sequence[bytes]]
    connections: int = CONNECTIONS


def mix(name: str, cookies: Sequence[str]) -> Mix:
    """`cookies`: of people who are signed in, as many as the mix has."""
    if name == BROWSER_MIX:
        return Mix([browsing(number, HOST, cookies[number], "/signed-in/", _PAGES) for number in range(BROWSERS)])
    if name == BY_TURNS:
        visits = [_through_a_front(number, cookies[number]) for number in range(PEOPLE)]
        return Mix([[request for turn in zip(*visits, strict=True) for request in turn]])
    return Mix([[browsing(0, host, "lang=fr", "/public/", 1)[0] for host in _hosts()]])


def apps(upstream: int) -> dict[str, str]:
    """Applications that share the 5,000 hosts, by file."""
    hosts, each = _hosts(), HOSTS // _APPS
    return {
        f"app{number}.yaml": f"version: 1\napp: app{number}\nhosts: [{', '.join(hosts[number * each :][:each])}]\n"
        f"upstream: {{url: http://127.0.0.1:{upstream}}}\nproviders: [op]\n"
        "access: [{path: /public/**, allow: anyone}]\n"
        for number in range(_APPS)
    }


def run(mix: Mix, port: int, pid: int, seconds: float, folder: Path) -> Run:
    """Raises LoadFailed when an answer was not 200."""
    streams = folder / "streams"
    streams.mkdir(exist_ok=True)
    for number, requests in enumerate(mix.streams):
        (streams / str(number)).write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
    return ran(_SCRIPT, len(mix.streams), mix.connections, f"http://127.0.0.1:{port}/", pid, seconds, folder, streams)


def _through_a_front(number: int, cookie: str) -> list[bytes]:
    address = f"X-Forwarded-For: 10.{number // 200}.{number % 200}.7\r\nX-Forwarded-Proto: http\r\n\r\n".encode()
    return [sent.removesuffix(b"\r\n") + address for sent in browsing(number, HOST, cookie, "/signed-in/", 1)]


def _hosts() -> list[str]:
    return [f"h{number}.localhost" for number in range(HOSTS)]
