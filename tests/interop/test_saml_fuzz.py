"""The fuzzers run, and find nothing in a moment; by hand they run for ten minutes."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.saml import fuzz, fuzz_bindings, fuzz_metadata

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Parsed a serial number")]


@pytest.mark.parametrize(
    "run", [fuzz.run, fuzz_metadata.run, fuzz_bindings.run], ids=["responses", "metadata", "bindings"]
)
def test_a_moment_of_it(run: Callable[[float, int], Counter[str]]) -> None:
    found = run(2.0, 1)
    assert len(found) > 3
    assert any("accepted" in outcome for outcome in found)
