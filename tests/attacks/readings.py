"""PC19: a path that is let in is, to a server behind, one of those that were opened. attacks.md 2.2.

Against nginx, PHP and Node, and by the thousand: tests/interop/test_same_reading.py.
"""

import json
import random
from unicodedata import normalize
from urllib.parse import unquote

from tests.attacks.cases import Case, expect
from tests.attacks.generated import PIECES, SEED, resolve
from tests.attacks.request import request
from tests.attacks.world import World

_TARGETS = 400


def targets() -> list[str]:
    """Below a path that everybody may ask for, and beside it."""
    dice = random.Random(SEED + 19)
    first = ("public", "public", "public", "x", "PUBLIC", "public%2f", "public;x")
    found = []
    for _ in range(_TARGETS):
        pieces = dice.choices(PIECES, k=dice.choice((1, 2, 3)))
        found.append("/".join(("", dice.choice(first), *pieces)))
    return list(dict.fromkeys(found))


def read_of(world: World, body: bytes) -> str:
    """As the server of WSGI says; the stand-in asks another one, which says what came."""
    if not world.is_gateway:
        return unquote(world.recorder.requests[-1].target.decode("latin-1").partition("?")[0])
    return normalize("NFC", json.loads(body)["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"))


async def as_wsgi_reads_it(world: World) -> None:
    served = 0
    for target in targets():
        seen = await world.send(request("wsgi", target))
        if seen.answers and seen.answer.status == 200:
            served += 1
            path = read_of(world, seen.answer.body)
            expect(path.startswith("/public/"), f"{target} is {path!r} to the application")
            expect(resolve(path).rstrip("/") == path.rstrip("/"), f"{target} is {path!r}, which leads elsewhere")
    expect(served > 20, f"{served} of {len(targets())} were let in: nothing is seen")


CASES: tuple[Case, ...] = (Case("PC19.1", "what is let in is read alike by the application", as_wsgi_reads_it),)
