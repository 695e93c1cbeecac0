"""References that are told by telephone."""

import re
from uuid import UUID

from gateway.ops.log import short_reference


def test_a_reference_has_eight_letters_and_digits_that_do_not_look_alike() -> None:
    told = {short_reference(UUID(int=number).hex) for number in range(5000)}
    assert len(told) == 5000
    assert all(re.fullmatch("[2-9CDFGHJKMNPQRTVWXY]{8}", reference) for reference in told)
    assert not set("".join(told)) & set("01ILOSZBUAE")


def test_it_is_the_same_wherever_it_is_worked_out() -> None:
    assert short_reference("7d1b44a0c92e63f5018ac6e2f4b7d935") == "HH8XHGR9"
