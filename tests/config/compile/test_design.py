"""The State's design system in a plan and a snapshot."""

import gzip

from gateway.config.compile.plan import plan_lines
from tests.config.design_copy import FILES, READ
from tests.config.samples import GATEWAY, sample_plan, sample_snapshot

DSFR = {"gateway.yaml": GATEWAY + 'theme: {dsfr: {folder: x, mark: "Ministère\\nde l’Exemple"}}\n'}


def test_each_file_is_served_by_its_name_with_its_kind() -> None:
    design = sample_snapshot(DSFR, READ).design
    assert {name: file.kind for name, file in design.items()} == {
        "dsfr.min.css": "text/css; charset=utf-8",
        "fonts/Made-Up.woff": "font/woff",
        "fonts/Made-Up.woff2": "font/woff2",
        "icons/system/made-up.svg": "image/svg+xml",
    }
    assert design["fonts/Made-Up.woff2"].content == FILES["dist/fonts/Made-Up.woff2"]
    assert gzip.decompress(design["dsfr.min.css"].content) == FILES["dist/dsfr.min.css"]
    assert [name for name, file in design.items() if file.packed] == ["dsfr.min.css"]


def test_its_address_changes_with_any_of_its_files() -> None:
    first = sample_snapshot(DSFR, READ).gateway.theme.dsfr
    font = {"dsfr:dist/fonts/Made-Up.woff": b"wOFF"}
    second = sample_snapshot(DSFR, {**READ, **font}).gateway.theme.dsfr
    assert first is not None
    assert second is not None
    assert first.mark == second.mark == ("Ministère", "de l’Exemple")
    assert first.digest != second.digest
    assert len(first.digest) == 16


def test_it_is_a_line_each_so_that_no_step_of_a_worker_is_long() -> None:
    """Of 700 KB of a style sheet 90 are left, and the largest font has 115."""
    heads = [line.partition(b":")[0] for line in plan_lines(sample_plan(DSFR, READ))]
    assert heads.count(b'{"DesignFile"') == 4
    assert heads[:2] == [b'{"Gateway"', b'{"DesignFile"']
    assert sample_snapshot({}, READ).design == {}
