"""Each problem of the files has a stable code, which `ecluse check --output json` prints."""

import pytest

from gateway.config.compile.compiler import compile_files
from gateway.config.compile.process import decode_outcome, encode_outcome
from gateway.config.problems import ProblemsFound
from gateway.model.codes.table import all_codes
from tests.config.samples import GATEWAY, PERMIS, sample_files

HEADER = "X-Remote-User: {from: uid}"
SEALED = "  sealed: {cookie: T, key: {file: key}}\naccess:"
PRODUCTION = GATEWAY.replace("development: true\n", "").replace("http://", "https://")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"apps/permis.yaml": "version: [1\n"}, "config.file"),
        ({"apps/permis.yaml": PERMIS + "tranlsate: {}\n"}, "config.schema"),
        ({"apps/permis.yaml": PERMIS.replace("access:", SEALED)}, "config.reference"),
        ({"apps/permis.yaml": PERMIS.replace(HEADER, "X-Remote-User: {template: '{uid} {cn}'}")}, "config.name"),
        ({"apps/permis.yaml": PERMIS.replace(HEADER, "X-Remote-User: {template: '{uid'}")}, "translation.spec"),
        ({"apps/permis.yaml": PERMIS.replace("translate:", "translate:\n  budget: 1B\n  jwt: {header: X-T}")},
         "translation.budget"),
        ({"gateway.yaml": PRODUCTION, "apps/permis.yaml": PERMIS.replace(HEADER, "X-Api-Key: {value: planted}")},
         "config.secret"),
        ({"apps/other.yaml": PERMIS.replace("app: permis", "app: other")}, "config.conflict"),
    ],
)  # fmt: skip
def test_a_problem_has_the_code_of_its_kind(changes: dict[str, str], code: str) -> None:
    files = sample_files(changes, {"file:key": b"not a key of 32 bytes"})
    with pytest.raises(ProblemsFound) as found:
        compile_files(files)
    assert code in {problem.code for problem in found.value.problems}
    assert {problem.code for problem in found.value.problems} <= {one.id for one in all_codes()}
    with pytest.raises(ProblemsFound) as again:
        decode_outcome(encode_outcome(found.value))
    assert again.value.problems == found.value.problems
