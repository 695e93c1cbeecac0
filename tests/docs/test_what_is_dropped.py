"""The page on what is dropped names what the tables of the gateway hold, and nothing else."""

import re
from pathlib import Path

from gateway.model.names import fold
from gateway.wire.headers import FAMILIES, RESERVED
from gateway.wire.hop_by_hop import HOP_BY_HOP
from gateway.wire.identity_headers import IDENTITY

PAGE = (Path(__file__).parents[2] / "docs/explanation/what-is-dropped.md").read_text()
_, _, HEADERS = PAGE.partition("## Headers of every request")
HEADERS = HEADERS.partition("\n## ")[0]


def names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_each_product_stands_there_with_its_names() -> None:
    rows = [line.strip("|").split("|") for line in HEADERS.splitlines() if line.startswith("| ")]
    assert {product.strip(): tuple(names(written)) for product, written in rows[1:]} == dict(IDENTITY)


def test_so_does_each_reserved_name() -> None:
    listed = next(part for part in HEADERS.split("\n\n") if part.startswith("`Remote-*`"))
    whole = {fold(name.encode()) for name in names(listed) if not name.endswith("*")}
    assert [name for name in names(listed) if name.endswith("*")] == list(FAMILIES)
    assert whole == RESERVED - set(map(fold, HOP_BY_HOP))
