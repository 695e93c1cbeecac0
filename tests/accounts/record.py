"""Records a file of account links, for the releases after this one to read: `python -m tests.accounts.record`.

It makes tests/accounts/recorded/SCHEMA.json anew: the file as SQL, and what is in it. Commit it when a release changes
the form under a new number; those of the releases before stay as they are.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.accounts.file import APPLICATION_ID, NAME, SCHEMA_VERSION, LinkFile
from gateway.accounts.link import NewLink
from gateway.accounts.seals import LinkKeys
from tests.accounts.recordings import record
from tests.accounts.samples import KEYS, OTHER_ISSUER, holder, link

RECORDED = Path(__file__).with_name("recorded")
NOW = 1_800_000_000
# The key that is to come: the file is opened under both, as it is where a key is being changed.
NEXT: LinkKeys = (("2027", b"of-the-links-to-come-0123456789-01"), *KEYS)

LINKS: Sequence[NewLink] = (
    link(by="operator", secret="mot de passe é"),
    link("m.élise", holder("subject=\u00e9lise"), by="self"),
    link("commun", holder("subject=paul", "paie"), shared=True),
    link("commun", holder("subject=anne", "paie"), shared=True),
    link("p.martin", holder('mail=p@example.org,name="Paul, fils"', "paie", OTHER_ISSUER)),
)


def plain(file: LinkFile) -> list[dict[str, Any]]:
    """Every link, with its secret in clear."""
    return [
        {
            "holder": [found.holder.application, found.holder.issuer, found.holder.person],
            "login": found.login,
            "since": found.since,
            "by": found.by,
            "secret": file.secret(found),
        }
        for found in file.all()
    ]


def written(path: Path) -> list[dict[str, Any]]:
    """Fills a file at `path`; what is in it."""
    with closing(LinkFile(path, KEYS, now=lambda: NOW)) as file:
        file.add(LINKS)
        return plain(file)


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        holds = written(path)
        with closing(LinkFile(path, NEXT)) as file:
            file.all()
        record(path, RECORDED, schema=SCHEMA_VERSION, application=APPLICATION_ID, holds=holds)


if __name__ == "__main__":
    main()
