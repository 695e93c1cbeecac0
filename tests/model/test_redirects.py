"""What a listener may lead to https."""

from typing import get_args

from gateway.config.snapshot import Listener
from gateway.model.redirects import Redirects


def test_a_listener_serves_what_comes_unless_something_else_is_said() -> None:
    assert Listener(("127.0.0.1", 80)).redirects == "nothing"
    assert get_args(Redirects) == ("nothing", "https", "all")
