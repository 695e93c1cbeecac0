"""What a condition on a parameter says is what PHP, Django and Node read, or it says that it is unknown."""

import json
import os
import random
import subprocess
from collections.abc import Iterable, Iterator

import pytest

from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.request_conditions import Query
from gateway.policy.truth import Truth
from gateway.policy.values import Equals, Exists
from tests.interop.servers import found

pytestmark = pytest.mark.service

SEED = 20261202
# ECLUSE_NAMES=100000 tries as many.
NAMES = int(os.environ.get("ECLUSE_NAMES", "3000"))
WANTED = ("user_id", "mot_de_passe", "q", "a.b", "data[User][password]", "ids[]", "__x")

# Each reads a list of queries from its standard input, and writes what it has read of each.
_PHP = """
$found = [];
foreach (json_decode(stream_get_contents(STDIN)) as $query) { parse_str($query, $read); $found[] = (object) $read; }
echo json_encode($found, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
"""
_NODE = """
const text = require("fs").readFileSync(0, "utf8");
console.log(JSON.stringify(JSON.parse(text).map((query) => ({...require("querystring").parse(query)}))));
"""
_DJANGO = """
import json, sys
from django.conf import settings
settings.configure()
from django.core.exceptions import TooManyFieldsSent
from django.http import QueryDict
def read(query):
    try:
        return dict(QueryDict(query.encode("latin-1", "replace")).items())
    except TooManyFieldsSent:
        return {}
print(json.dumps([read(query) for query in json.load(sys.stdin)]))
"""
COMMANDS = {
    "PHP": ["php", "-d", "display_errors=stderr", "-r", _PHP],
    "Node": ["node", "-e", _NODE],
    "Django": ["/usr/bin/python3", "-c", _DJANGO],
}
PIECES = (
    *"[].+ _;:(%&=!x1U\t",
    "%00",
    "%5b",
    "%5D",
    "%2E",
    "%20",
    "[]",
    "[x]",
    "][",
    "]=",
    "%u0061",
    "%e9",
    "\u00e9",
    "%09",
)
Read = dict[str, object]


def spoiled(name: str, dice: random.Random) -> str:
    """The name with one to three pieces put in, or in the place of one character."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        at = dice.randrange(len(name) + 1)
        name = name[:at] + dice.choice(PIECES) + name[at + dice.choice((0, 0, 1)) :]
    return name


def queries(name: str) -> list[str]:
    """The parameter under a name that is spoiled, alone and beside the parameter itself."""
    dice = random.Random(f"{SEED} {name}")
    found = ["", f"{name}=1", f"{name}=0", "x=2&" * 1000 + f"{name}=1", f"{name}=1&{name}=0", f"{name}=1&{name}=1"]
    for _ in range(NAMES // len(WANTED)):
        odd = spoiled(name, dice)
        found += [f"{odd}=1", f"{name}=0&{odd}=1", f"{odd}=0&{name}=1", f"{name}={spoiled('1', dice)}"]
    return found


def read_by(reader: str, asked: Iterable[str]) -> Iterator[Read]:
    program, *rest = COMMANDS[reader]
    command = [found(program), *rest]
    done = subprocess.run(command, input=json.dumps(list(asked)), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    yield from json.loads(done.stdout)


def value_of(reader: str, read: Read, name: str) -> object:
    """What an application has that asks its reader for this parameter; None where there is none."""
    if reader != "PHP":
        # Node has a list of a name that comes twice.
        value = read.get(name)
        return value[0] if isinstance(value, list) and len(set(value)) == 1 else value
    first, *rest = (part.rstrip("]") for part in name.split("["))
    at: object = read.get(first.replace(".", "_"))
    for part in rest:
        if isinstance(at, list):
            at = dict(enumerate(at)).get(int(part or "0")) if (part or "0").isdigit() else None
        elif isinstance(at, dict):
            at = at.get(part or "0")
        else:
            return None
    return at


def truth(name: str, query: str, test: Equals | Exists) -> Truth:
    return Query(name, test).truth(None, Facts("GET", None, RequestFacts(None, (), "/", query, 0)))


@pytest.mark.parametrize("reader", COMMANDS)
@pytest.mark.parametrize("name", WANTED)
def test_what_a_reader_finds_is_never_absent_and_what_we_find_it_finds(reader: str, name: str) -> None:
    asked, wrong, known = queries(name), [], 0
    for query, read in zip(asked, read_by(reader, asked), strict=True):
        value, there = value_of(reader, read, name), truth(name, query, Exists())
        known += there is not Truth.UNKNOWN
        if there is Truth.FALSE and value is not None:
            wrong.append((query[-60:], "is absent here", value))
        for text in ("0", "1"):
            said = truth(name, query, Equals(text))
            if (said is Truth.TRUE) > (value == text) or (said is Truth.FALSE and value == text):
                wrong.append((query[-60:], f"{said} that it is {text} here", value))
    assert not wrong, f"{len(wrong)} of {len(asked)}: {wrong[:10]}"
    assert known > len(asked) / 20, "nearly everything is unknown: nothing is seen"
