"""Another process on the same store: takes every ticket and uses every value that it can, says which it got."""

import asyncio
import sys
from pathlib import Path

from gateway.stores.sqlite.store import SqliteStore
from tests.stores.samples import NOW, first_use, ticket_key


async def main(path: Path, number: int) -> None:
    store = SqliteStore(path)
    await store.open()
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, number, 10):
        ids = range(start, min(start + 10, number))
        taken = await asyncio.gather(
            *(store.take_ticket(ticket_key("transaction", b"ticket %d" % id), NOW) for id in ids)
        )
        first = await asyncio.gather(*(first_use(store, b"value %d" % id, NOW + 300, NOW) for id in ids))
        for id, got, used in zip(ids, taken, first, strict=True):
            print(f"ticket {id}" * (got is not None), f"value {id}" * used, sep="\n")
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
