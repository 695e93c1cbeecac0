"""The operator's copy of the State's design system: what of it is read, and what is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.folder import design
from gateway.config.folder.design import MAX_DESIGN_FILE_BYTES, MAX_DESIGN_FILES, PREFIX, names_in, read_design
from gateway.config.folder.opened import Unreadable
from gateway.config.folder.read import read_folder
from tests.config.design_copy import PACKAGE, READ, SHEET, make_copy
from tests.config.samples import GATEWAY
from tests.growth import is_linear

CSS, FONT = "dist/dsfr.min.css", "dist/fonts/Made-Up.woff2"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return make_copy(tmp_path / "node_modules" / "@gouvfr" / "dsfr")


def why(copy: Path) -> str:
    read, lacking = read_design(copy)
    assert read == {}
    return lacking[PREFIX]


def test_the_sheet_and_what_it_names_is_read_and_nothing_else(copy: Path) -> None:
    assert read_design(copy) == (READ, {})


@pytest.mark.parametrize("written", ["{folder: ../node_modules/@gouvfr/dsfr}", '{"folder": "linked"}'])
def test_a_folder_of_policies_names_it_by_a_path_or_a_link(copy: Path, tmp_path: Path, written: str) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "linked").symlink_to(copy)
    (policies / "gateway.yaml").write_text(f"{GATEWAY}theme: {{dsfr: {written}}}\n")
    files = read_folder(policies)
    assert {name: content for name, content in files.secrets.items() if name.startswith(PREFIX)} == READ


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda copy: (copy / "package.json").unlink(), "package.json: this file cannot be read: No such file"),
        (lambda copy: (copy / "package.json").write_text("{"), "package.json: this is not the State's design system"),
        (lambda copy: (copy / "package.json").write_text("[]"), "package.json: this is not the State's design system"),
        (lambda copy: (copy / "package.json").write_text(PACKAGE.replace("gouvfr", "other")), "this is not the"),
        (lambda copy: (copy / "package.json").write_text(PACKAGE.replace("1.14.4", "2.0.0")), "its version is 2.0.0"),
        (lambda copy: (copy / CSS).unlink(), f"{CSS}: this file cannot be read"),
        (lambda copy: (copy / CSS).write_bytes(b"\xff"), f"{CSS}: this is not UTF-8"),
        (lambda copy: (copy / FONT).unlink(), f"{FONT}: this file cannot be read"),
        (lambda copy: (copy / FONT).write_bytes(bytes(MAX_DESIGN_FILE_BYTES + 1)), f"{FONT}: 524289 bytes are too"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_not_read_at_all(copy: Path, change: Callable[[Path], object], said: str) -> None:
    change(copy)
    assert said in why(copy)


def test_no_link_is_followed_below_the_folder(copy: Path, tmp_path: Path) -> None:
    """An archive could have put one there that leads to a secret."""
    (tmp_path / "secret").write_text("k")
    font = copy / "dist/fonts/Made-Up.woff2"
    font.unlink()
    font.symlink_to(tmp_path / "secret")
    assert "a link is on the way" in why(copy)
    font.unlink()
    (copy / "dist/fonts").rename(tmp_path / "fonts")
    (copy / "dist/fonts").symlink_to(tmp_path / "fonts")
    assert "a link is on the way" in why(copy)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "../../../certs/store.key",
            "/etc/passwd",
            "https://cdn.example/a.woff2",
            "//cdn.example/a.woff2",
            "file:a.svg",
        ),
        *("fonts/../../a.svg", "./a.svg", ".a.svg", r"\2e\2e/a.svg", "fonts//a.svg", "%2e%2e/a.svg", "a b.svg", ""),
    ],
)
def test_a_sheet_that_leads_out_of_its_folder_is_refused(address: str) -> None:
    with pytest.raises(Unreadable, match="which leads out of its folder"):
        names_in(f'a{{b:url("{address}")}}'.encode())


@pytest.mark.parametrize("name", ["store.key", "dsfr.module.js", "page.html", "font.ttf", "woff2"])
def test_only_fonts_icons_and_sheets_are_taken(name: str) -> None:
    with pytest.raises(Unreadable, match="neither a font nor an icon"):
        names_in(f"a{{b:url({name})}}".encode())


def test_no_more_is_read_than_a_design_system_has(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = "".join(f"a{{b:url(icons/{number}.svg)}}" for number in range(MAX_DESIGN_FILES + 1))
    with pytest.raises(Unreadable, match="at most 400"):
        names_in(many.encode())
    assert len(names_in((SHEET * 500).encode())) == 3
    monkeypatch.setattr(design, "MAX_DESIGN_BYTES", 60)
    assert "too many: here at most" in why(copy)
    monkeypatch.setattr(design, "MAX_SHEET_BYTES", 100)
    assert why(copy).startswith(f"{CSS}: ")


@pytest.mark.slow
@pytest.mark.parametrize("more", ["url(", "url( ", "url('", 'url("', "url(a", "url('a' "])
def test_a_sheet_of_addresses_without_an_end_is_read_once(more: str) -> None:
    assert is_linear(lambda size: lambda: names_in(more.encode() * size), small=200, large=20_000)
