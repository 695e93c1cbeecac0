"""How long a gateway takes to start with 200 OpenID Providers: from the command to both workers serving."""

import asyncio
import time
from pathlib import Path
from statistics import median

from tests.walks.gateway import Gateway
from tests.walks.place import ONE, Place

NAME = "start_200_providers"
_PROVIDERS = 200


def row(folder: Path, runs: int) -> dict[str, object]:
    place = Place(folder, workers=None)
    names = [f"p-{number:03}" for number in range(_PROVIDERS)]
    for name in names:
        # Nothing listens there: what a start does must not depend on it.
        place.write_provider(name, f"http://127.0.0.1:1/{name}")
    place.write_app("one", ONE, providers=", ".join(names))
    taken = [asyncio.run(_started(place)) for _ in range(runs)]
    return {
        "bench": NAME,
        "seconds": round(median(taken), 2),
        "min_max": [round(min(taken), 2), round(max(taken), 2)],
    }


async def _started(place: Place) -> float:
    gateway = Gateway(place)
    began = time.monotonic()
    try:
        await gateway.start()
        return time.monotonic() - began
    finally:
        await gateway.end()
