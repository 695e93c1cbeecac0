"""A new key costs its line in the schema and its field in App: all that stands between them carries it."""

from dataclasses import dataclass

import pytest
from pydantic import Field

from gateway.config.compile import app as compile_app
from gateway.config.compile import build, plan
from gateway.config.schema import load
from gateway.config.schema.app import AppFile
from gateway.config.schema.fence import Own
from gateway.config.schema.types import Strict
from gateway.config.snapshot import App
from gateway.model.codec import codec_of
from tests.config.samples import PERMIS, sample_plan


class MaintenanceSection(Strict):
    pages: list[str]
    texts: dict[str, str] = Field(default={})


class FileWithKey(AppFile):
    maintenance: Own[MaintenanceSection | None] = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    pages: tuple[str, ...]
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppWithKey(App):
    maintenance: Maintenance | None = None


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's model and App with the key; nothing else of the compiler knows its name."""
    monkeypatch.setattr(load, "AppFile", FileWithKey)
    monkeypatch.setattr(compile_app, "App", AppWithKey)
    monkeypatch.setitem(plan.Application.__annotations__, "app", AppWithKey)
    line = codec_of(plan.Line)
    for module in (plan, build):
        monkeypatch.setattr(module, "LINE", line)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", None),
        ("maintenance: {pages: [/a]}\n", Maintenance(("/a",))),
        ("maintenance: {pages: [/b, /a], texts: {fr: Fermé}}\n", Maintenance(("/b", "/a"), (("fr", "Fermé"),))),
    ],
)
@pytest.mark.usefixtures("made")
def test_a_key_goes_from_the_file_to_the_snapshot_by_its_name(written: str, expected: Maintenance | None) -> None:
    snapshot = build.build(sample_plan({"apps/permis.yaml": PERMIS + written}))
    assert getattr(snapshot.apps["permis"], "maintenance", "no key") == expected
