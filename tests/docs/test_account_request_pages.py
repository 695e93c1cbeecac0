"""The pages on which people ask for their accounts: what an operator types there prints what is shown."""

import time
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from gateway.accounts.request import request_of
from gateway.accounts.request_file import RequestFile, requests_path
from gateway.model.account import AccountHolder
from gateway.model.identity import Identity
from tests.docs import tried
from tests.docs.blocks import blocks, normal
from tests.docs.test_account_pages import ROOT, taken

pytestmark = pytest.mark.slow

TWINS = (
    ROOT / "docs/how-to/let-people-ask-for-their-account.md",
    ROOT / "docs/fr/laisser-demander-un-compte.md",
)
ISSUER = "http://127.0.0.1:9400"
SHOWN = "2026-11-27"
_KEY = "of-the-links-0123456789" * 3
_ACCOUNTS = '\naccounts: {keys: [{id: "2026", secret: {file: ../certs/links.key}}]}\n'


def asked(folder: Path) -> str:
    """What two people have sent; the day of it."""
    drawn, now = count(1), time.time()
    helene = {"name": ("Hélène Durand",), "mail": ("helene@ville.example",), "uid": ("helene",)}
    people = (
        ("helene", helene, "Je remplace Paul au guichet."),
        ("paul", {"uid": ("paul",)}, ""),
    )
    path = requests_path(str(folder / "var"))
    path.parent.mkdir(exist_ok=True)
    with closing(
        RequestFile(path, (("2026", _KEY.encode()),), now=lambda: now, chance=lambda size: next(drawn).to_bytes(size))
    ) as file:
        for uid, attributes, text in people:
            holder = AccountHolder("permis", ISSUER, f"uid={uid}")
            file.ask(request_of(holder, Identity("metropole", ISSUER, uid, attributes), "21590350100017", text))
    return time.strftime("%Y-%m-%d", time.gmtime(now))


@pytest.mark.parametrize("page", TWINS, ids=lambda page: page.stem)
def test_the_page_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    tried.make(tmp_path)
    (tmp_path / "certs/links.key").write_text(_KEY)
    with (tmp_path / "policies/gateway.yaml").open("a") as gateway:
        gateway.write(_ACCOUNTS)
    day = asked(tmp_path)
    for block in blocks(page):
        if block.language == "yaml":
            taken(tmp_path, block)
        else:
            assert block.language == "console"
            assert normal(tried.printed(block, tmp_path)).replace(day, SHOWN).splitlines() == block.output


def test_both_pages_show_the_same() -> None:
    english, french = ([block.text for block in blocks(path)] for path in TWINS)
    assert english == french
