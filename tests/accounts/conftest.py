"""No test leaves a file open."""

from collections.abc import Iterator

import pytest

from tests.accounts.samples import OPENED


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()
