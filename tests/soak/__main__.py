"""python -m tests.soak [SECONDS]: an hour, or so long, under half load; what was done, what was wrong, what is held."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.soak.run import SPARE_DESCRIPTORS, soaked

_HOUR = 3600.0
_PACE = 2.0
# Megabytes by which a worker may differ from the second quarter of the time to the last.
_FLAT = 6.0


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else _HOUR
    with tempfile.TemporaryDirectory(prefix="ecluse-soak-") as folder:
        told = asyncio.run(soaked(Path(folder), seconds, _PACE))
    ledger, growth = told.ledger, told.ledger.growth()
    print(f"{seconds:.0f} s at {told.rate:.0f} requests a second")
    for what, times in sorted(ledger.done.items()):
        print(f"{times:>9} {what}")
    print(f"MB of each worker: {[[round(one.resident, 1) for one in look] for look in ledger.held[::4]]}")
    print(f"growth {growth} MB, descriptors more than before {told.lost_descriptors}")
    print("\n".join(f"WRONG {each}" for each in ledger.wrong))
    print(f"{ledger.wrongs} wrong")
    return 1 if ledger.wrongs or max(growth) > _FLAT or max(told.lost_descriptors) > SPARE_DESCRIPTORS else 0


if __name__ == "__main__":
    sys.exit(main())
