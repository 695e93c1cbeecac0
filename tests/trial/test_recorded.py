import json

import pytest

from gateway.trial.recorded import Recorded, read_log
from gateway.trial.trial import Outcome, Tried


def line(path: str, status: int, **more: object) -> str:
    return json.dumps({"event": "access", "app": "permis", "method": "GET", "path": path, "status": status, **more})


def test_requests_are_counted_and_all_else_is_passed_over() -> None:
    lines = [
        line("/", 200),
        line("/", 304),
        line("/admin/", 403),
        line("/", 401),
        line("/", 303),
        line("/_ecluse/session", 200),
        json.dumps({"event": "access.denied", "app": "permis"}),
        '{"event":"access","app":',
        "[]",
        "",
    ]
    recorded, number = read_log(lines)
    assert number == 5
    assert recorded == [
        Recorded("permis", "GET", "/", refused=False, asked=False, times=2),
        Recorded("permis", "GET", "/admin/", refused=True, asked=False, times=1),
        Recorded("permis", "GET", "/", refused=False, asked=True, times=2),
    ]


@pytest.mark.parametrize(
    ("outcome", "status", "may_be"),
    [
        ("deny", 403, True),
        ("deny", 200, False),
        ("deny", 401, False),
        ("challenge", 401, True),
        ("challenge", 200, False),
        ("challenge", 403, False),
        ("allow", 200, True),
        # The application's own.
        ("allow", 403, True),
        ("allow", 401, True),
    ],
)
def test_whether_this_came_of_it_as_far_as_a_status_tells(outcome: Outcome, status: int, may_be: bool) -> None:
    ((one,), _) = read_log([line("/", status)])
    assert one.may_be(Tried(outcome)) is may_be
