"""The page says of each name what the code does with it."""

import re
from pathlib import Path

from gateway.model.names import fold
from gateway.wire.headers import FAMILIES, RESERVED, goes_on
from gateway.wire.hop_by_hop import HOP_BY_HOP
from gateway.wire.identity_headers import IDENTITY

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/explanation/what-is-dropped.md").read_text("utf-8")
INVARIANTS = (ROOT / "docs/explanation/threat-model.md").read_text("utf-8")
# The paragraph that is nothing but names.
(NAMES,) = (re.findall(r"`([^`]+)`", part) for part in PAGE.split("\n\n") if part.startswith("`Remote-*`"))


def test_every_name_on_the_page_is_dropped() -> None:
    for name in NAMES:
        assert not goes_on(name.replace("*", "anything").encode()), name


def test_every_name_that_is_dropped_is_on_the_page() -> None:
    assert {name for name in NAMES if name.endswith("*")} == set(FAMILIES)
    alone = {fold(name.encode()) for name in NAMES if not name.endswith("*")}
    assert RESERVED - set(map(fold, HOP_BY_HOP)) - alone == set()


def test_the_names_of_each_product_are_on_the_page() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (`[^|]+`) \|$", PAGE.partition("| product | writes |")[2], re.MULTILINE)
    assert {product: tuple(re.findall(r"`([^`]+)`", names)) for product, names in rows} == IDENTITY


def test_every_test_that_the_page_names_is_there() -> None:
    for path in re.findall(r"`(tests/[^`]+)`", INVARIANTS + PAGE):
        assert (ROOT / path).exists(), path
