"""No key of an app file, and no condition, is without its row: whoever adds one says what bounds it."""

import json

import pytest

from gateway.config.check.fence_table import CONDITIONS, KEYS, Bound
from gateway.config.schema.conditions import KEYS as CONDITION_KEYS
from gateway.config.schema.conditions import WORDS
from gateway.config.schema.gateway import TeamSection
from gateway.config.schema.json_schema import schemas
from tests.config.test_effects import keys

NAMES = {"translate.headers.*", "translate.cookies.*", "translate.paths[].headers.*"}


def test_every_key_of_an_app_file_has_its_row() -> None:
    schema = json.loads(schemas()["app.schema.json"])
    assert {*keys(schema, schema, ""), *NAMES} == set(KEYS), (
        "say in gateway/config/check/fence_table.py what bounds this key"
    )


def test_every_condition_has_its_row() -> None:
    assert {*CONDITION_KEYS, *WORDS} == set(CONDITIONS), (
        "say in gateway/config/check/fence_table.py what bounds this condition"
    )


@pytest.mark.parametrize("bound", [*KEYS.values(), *CONDITIONS.values()])
def test_what_bounds_a_key_is_a_key_of_the_fence(bound: Bound) -> None:
    assert bound.by in {"", *TeamSection.model_fields}
    assert bound.why.endswith(".")


def test_every_key_of_the_fence_bounds_something() -> None:
    assert {bound.by for bound in KEYS.values()} == {"", *TeamSection.model_fields}
