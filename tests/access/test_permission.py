"""What a front is told of a request that may pass: every line that the application could be told something in."""

from gateway.access.outcome import Prepared
from gateway.access.permission import injected_names, permission
from tests.config.samples import PERMIS, sample_snapshot

INJECTED = {b"xremoteuser": b"X-Remote-User", b"xdept": b"X-Dept"}


def test_every_name_is_there_and_empty_where_there_is_nothing_to_say() -> None:
    assert permission(INJECTED, Prepared(b"", b""), b"", b"") == (
        (b"X-Remote-User", b""),
        (b"X-Dept", b""),
        (b"Authorization", b""),
        (b"Cookie", b""),
    )


def test_what_is_prepared_stands_over_it_and_the_cookies_of_ours_first() -> None:
    prepared = Prepared(b"\r\nX-Remote-User: h: x", b"a=1")
    assert permission(INJECTED, prepared, b"b=2", b"Bearer x") == (
        (b"X-Remote-User", b"h: x"),
        (b"X-Dept", b""),
        (b"Authorization", b"Bearer x"),
        (b"Cookie", b"a=1; b=2"),
    )


def test_an_authorization_that_is_injected_is_never_the_clients() -> None:
    injected = {**INJECTED, b"authorization": b"Authorization"}
    assert dict(permission(injected, Prepared(b"", b""), b"", b"Bearer x"))[b"Authorization"] == b""


def test_the_names_are_those_of_all_paths_tokens_and_basic() -> None:
    told = """translate:
  basic: {account: {from: uid}, password: {file: p}}
  sealed: {header: X-Token, key: {file: k}}
  headers:
    X-Remote-User: {from: uid}
  paths:
    - {path: /api/**, headers: {X-Api-User: {from: uid}}}
"""
    file = PERMIS.replace("translate:\n  headers:\n    X-Remote-User: {from: uid}\n", told)
    secrets = {"file:p": b"secret-of-a-service", "file:k": b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
    app = sample_snapshot({"apps/permis.yaml": file}, secrets).apps["permis"]
    assert sorted(injected_names(app).values()) == [b"Authorization", b"X-Api-User", b"X-Remote-User", b"X-Token"]
    assert injected_names(app).keys() == app.header_folds
