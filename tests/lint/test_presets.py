"""Whoever takes a preset can do what lint asks for: nothing that it fills in is a finding for ever."""

from typing import get_args

import pytest

from gateway.config.presets import PresetName
from gateway.lint.run import lint
from gateway.lint.subject import subject
from tests.config.samples import PERMIS, sample_files
from tests.config.test_presets import file, loaded
from tests.lint.test_rules import NOW

# With what each of them can bound.
ASSERTS = (
    "asserts: {email_domains: [metropole.example], siret: ['21590350100017']}\n",
    "asserts: {email_domains: [metropole.example]}\n",
)


def findings(name: str, taken_away: set[str], asserts: str) -> list[tuple[str, str]]:
    """Of a provider of this preset, as codes and keys, beside an application that needs one attribute of it."""
    needed = next(one for one in ("uid", "mail") if one in loaded(name).attributes)
    lines = PERMIS.replace("from: uid", f"from: {needed}").splitlines(keepends=True)
    attributes = "".join(f"  {one}: null\n" for one in sorted(taken_away))
    texts = {
        "providers/metropole.yaml": file(name, (f"attributes:\n{attributes}" if attributes else "") + asserts),
        "apps/permis.yaml": "".join(line for line in lines if "group: administrateurs" not in line),
    }
    told = lint(subject(sample_files(texts), NOW.timestamp()))
    return [(one.code, one.problem.key) for one in told if one.problem.place.file.endswith("providers/metropole.yaml")]


@pytest.mark.parametrize("name", get_args(PresetName))
def test_what_lint_asks_of_a_preset_can_be_done(name: str) -> None:
    asserts = ASSERTS["siret" not in loaded(name).attributes]
    first = findings(name, set(), asserts)
    unneeded = {key.removeprefix("attributes.") for code, key in first if code == "EC209"}
    assert unneeded, "it has attributes that this application does not need"
    assert findings(name, unneeded, asserts) == []
