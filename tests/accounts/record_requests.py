"""Records a file of account requests, for the releases after this one: `python -m tests.accounts.record_requests`.

As tests.accounts.record does of links, into tests/accounts/recorded/requests/SCHEMA.json.
"""

from contextlib import closing
from dataclasses import asdict
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.accounts.request import NewRequest
from gateway.accounts.request_file import REQUESTS_APPLICATION_ID, REQUESTS_NAME, REQUESTS_SCHEMA, RequestFile
from gateway.accounts.seals import LinkKeys
from tests.accounts.record import NEXT, NOW
from tests.accounts.recordings import record
from tests.accounts.samples import KEYS, OTHER_ISSUER, holder

RECORDED = Path(__file__).with_name("recorded") / "requests"
REQUESTS = (
    NewRequest(
        holder("subject=hélène"), "hélène", "Hélène Durand", "h@ville.example", "21590350100017", "Bonjour,\nmerci."
    ),
    NewRequest(holder('mail=p@example.org,name="Paul, fils"', "paie", OTHER_ISSUER), "paul"),
)
REFUSED = {"fr": "Vous n’êtes pas de ce service.", "en": "You are not of this office."}


def request_file(path: Path, keys: LinkKeys = KEYS) -> RequestFile:
    drawn = count(1)
    return RequestFile(path, keys, now=lambda: NOW, chance=lambda size: next(drawn).to_bytes(size))


def written(path: Path) -> list[dict[str, Any]]:
    """Fills a file at `path`; what is in it."""
    with closing(request_file(path)) as file:
        references = [file.ask(one)[0].reference for one in REQUESTS]
        file.refuse(references[1], REFUSED)
        return [asdict(one) for one in file.all()]


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / REQUESTS_NAME
        holds = written(path)
        with closing(request_file(path, NEXT)) as file:
            file.all()
        record(path, RECORDED, schema=REQUESTS_SCHEMA, application=REQUESTS_APPLICATION_ID, holds=holds)


if __name__ == "__main__":
    main()
