from dataclasses import replace

import pytest

from gateway.config.exchange_limits import Timeouts
from gateway.config.snapshot import Gateway, Limits, Listener, ListenerCertificate
from gateway.server.fixed import addresses, certificate_ends, changed, why_not

PLAIN, SECURE = Listener(("127.0.0.1", 80)), Listener(("127.0.0.1", 443), (ListenerCertificate(b"pem", b"key"),))
GATEWAY = Gateway(
    portal_url="https://portal.example",
    portal_host="portal.example",
    listeners=(PLAIN, SECURE),
    admin="127.0.0.1:8081",
    state_folder="/var/lib/ecluse",
    store="sqlite",
    store_keys=(("k1", b"0" * 32),),
    trusted_proxies=(),
    timeouts=Timeouts(),
    limits=Limits(),
    access_log=False,
    development=False,
    workers=2,
)


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"listeners": (PLAIN,)}, ["listen"]),
        ({"listeners": (SECURE, PLAIN)}, ["listen"]),
        ({"listeners": (PLAIN, replace(SECURE, certificates=()))}, ["listen"]),
        ({"admin": "127.0.0.1:8082"}, ["admin"]),
        ({"state_folder": "/tmp"}, ["state"]),
        ({"store": "memory"}, ["store.type"]),
        ({"workers": 4}, ["workers"]),
        ({"limits": Limits(cached_seats=1)}, ["limits.cached_seats"]),
        ({"limits": Limits(transactions=1)}, ["limits.transactions"]),
        ({"limits": Limits(transactions_per_network=1)}, ["limits.transactions_per_network"]),
        ({"admin": "127.0.0.1:8082", "workers": 4}, ["admin", "workers"]),
    ],
)
def test_what_is_made_once_is_named_by_its_key(change: dict[str, object], keys: list[str]) -> None:
    assert changed(GATEWAY, replace(GATEWAY, **change)) == keys  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"listeners": (PLAIN, replace(SECURE, certificates=(ListenerCertificate(b"other", b"other"),)))},
        {"portal_url": "https://other.example"},
        {"timeouts": Timeouts(drain=1.0)},
        {"limits": Limits(connections=1, body=1)},
        {"access_log": True},
        {"store_keys": (("k1", b"0" * 32), ("k2", b"1" * 32))},
    ],
)
def test_all_else_may_change_while_it_runs(change: dict[str, object]) -> None:
    assert changed(GATEWAY, replace(GATEWAY, **change)) == []  # type: ignore[arg-type]


def test_what_needs_a_restart_is_said() -> None:
    assert why_not(GATEWAY, GATEWAY) == ""
    told = why_not(GATEWAY, replace(GATEWAY, workers=4))
    assert told == "workers: this changes only with a restart"


def test_an_address_says_whether_it_speaks_tls() -> None:
    assert addresses(GATEWAY) == ["127.0.0.1:80", "127.0.0.1:443 tls"]


def test_when_certificates_end_is_told_by_listener_and_first_name() -> None:
    def pair(end: float, *names: str) -> ListenerCertificate:
        return ListenerCertificate(b"pem", b"key", names, end)

    listener = Listener(("127.0.0.1", 443), (pair(9.0, "a.example", "b.example"), pair(7.0, "a.example"), pair(8.0)))
    assert certificate_ends(replace(GATEWAY, listeners=(PLAIN, listener))) == {
        ("127.0.0.1:443", "a.example"): 7.0,
        ("127.0.0.1:443", ""): 8.0,
    }
