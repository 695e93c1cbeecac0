"""Forms that are not whole yet: bounded for one client and for all, and what most forms have is not counted."""

import pytest

from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.proxy.spool import MOST, MOST_OF_ONE, UNCOUNTED, Spool, Spooled

FORM = 512 << 10


def filled(spool: Spool, client: str) -> list[Spooled]:
    """As many half forms as one client may have."""
    held: list[Spooled] = []
    while True:
        form = Spooled(spool, client)
        try:
            form.add(bytes(FORM))
        except GatewayError as error:
            if error.code is not login_codes.BUSY:
                raise
            return held
        held.append(form)


def test_one_client_holds_so_much_and_others_go_on() -> None:
    spool = Spool()
    held = filled(spool, "192.0.2.1")
    assert len(held) == MOST_OF_ONE // (FORM - UNCOUNTED)
    Spooled(spool, "192.0.2.2").add(bytes(FORM))


def test_all_together_hold_so_much_and_usual_forms_go_on() -> None:
    spool = Spool()
    held = [form for client in range(20) for form in filled(spool, f"192.0.2.{client}")]
    assert MOST - FORM < len(held) * (FORM - UNCOUNTED) <= MOST
    form = Spooled(spool, "198.51.100.1")
    for _ in range(UNCOUNTED // 1024):
        form.add(bytes(1024))
    with pytest.raises(GatewayError):
        form.add(bytes(FORM))
    assert form.take() == bytes(UNCOUNTED)


def test_what_is_whole_or_left_is_held_no_more() -> None:
    spool = Spool()
    for _ in range(3):
        held = filled(spool, "192.0.2.1")
        assert len(held) == MOST_OF_ONE // (FORM - UNCOUNTED)
        for form in held:
            assert form.take() == bytes(FORM)
            assert form.take() == b""
