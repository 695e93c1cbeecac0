"""The decision does not depend on the order of files, rules or keys, nor on the spelling of host and path."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.snapshot import Snapshot
from gateway.policy.facts import Facts, RequestFacts
from gateway.wire.host import canonical_host
from gateway.wire.target import canonical_target
from tests.access.decided import decided_at_once
from tests.config.samples import sample_snapshot
from tests.config.test_effects import HELENE, PAUL

pytestmark = pytest.mark.slow

CONDITIONS = [
    "anyone",
    "signed_in",
    {"group": "ONDE"},
    {"not": {"group": "administrateurs"}},
    {"shared": "chefs"},
    {"any": [{"group": "elus"}, {"claim": {"name": "mail", "suffix": "@metropole.example"}}]},
    {"all": ["signed_in", {"query": {"name": "mode", "in": ["print", "read"]}}]},
    {"claim": {"name": "uai", "exists": True}},
    {"tenant": {"list": "nord"}},
]
PATTERNS = ["/**", "/a/**", "/a", "/a/*", "/a/~[b-d]+", "/*/b", "/a/b", "/a/b/**", "/caf\u00e9/**"]
METHODS = [None, ["GET"], ["POST"], ["GET", "POST"]]
RULES = st.lists(
    st.fixed_dictionaries(
        {"path": st.sampled_from(PATTERNS), "methods": st.sampled_from(METHODS)},
        optional={"allow": st.sampled_from(CONDITIONS), "deny": st.sampled_from(CONDITIONS)},
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda rule: rule["path"],
)
NORD: dict[str, Any] = {"version": 1, "list": "nord", "organisations": ["215903501", "22590001800014"]}
SHARED: dict[str, Any] = {
    "version": 1,
    "conditions": {"chefs": {"any": [{"group": "chefs"}, {"shared": "adm"}]}, "adm": {"group": "administrateurs"}},
}


def app(name: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": 1, "app": name, "hosts": [f"{name}.localhost", f"www.{name}.localhost"],
        "upstream": {"url": "http://127.0.0.1:9001"}, "providers": ["metropole"],
        "translate": {"headers": {"X-A": {"from": "uid"}, "X-B": {"from": "mail"}}},
        "access": [{key: value for key, value in rule.items() if value is not None} for rule in rules],
    }  # fmt: skip


def shuffled(value: Any, chance: random.Random, key: str = "") -> Any:
    if isinstance(value, dict):
        entries = [(name, shuffled(below, chance, name)) for name, below in value.items()]
        chance.shuffle(entries)
        return dict(entries)
    if isinstance(value, list):
        members = [shuffled(member, chance) for member in value]
        chance.shuffle(members)
        return members
    return value


def snapshot_of(apps: list[dict[str, Any]], names: list[str], chance: random.Random | None) -> Snapshot:
    def text(value: Any) -> str:
        return json.dumps(value if chance is None else shuffled(value, chance))

    files: dict[str, str | None] = {f"apps/{name}.yaml": text(one) for name, one in zip(names, apps, strict=True)}
    return sample_snapshot(
        {**files, "apps/permis.yaml": None, "lists/x.yaml": text(NORD), "shared/x.yaml": text(SHARED)}
    )


HOSTS = {
    "one": [b"one.localhost", b"ONE.localhost:8080", b"One.LocalHost"],
    "two": [b"www.two.localhost", b"WWW.TWO.LOCALHOST"],
}
PATHS = [
    [b"/a/b", b"/%61/b", b"/a/%62", b"/%61/%62?x=1"],
    [b"/a", b"/%61"],
    [b"/a/", b"/%61/"],
    [b"/a/c?mode=print", b"/a/%63?mode=print"],
    [b"/caf%C3%A9/x", b"/caf%c3%a9/x", b"/cafe%CC%81/%78"],
    [b"/z", b"/%7a", b"/%7A"],
]


def decided(snapshot: Snapshot, host: bytes, target: bytes, method: str, who: Any) -> tuple[object, ...]:
    one = snapshot.find_app(canonical_host(host))
    assert one is not None
    read = canonical_target(target, one.leniency)
    query = (read.query or b"").decode()
    asked = RequestFacts(None, (), "/".join(read.segments), query, 0)
    decision = decided_at_once(one, read.segments, method, who, Facts(method, "21590350100017", asked)).decision
    rule = decision.rule and decision.rule.path
    return type(decision), decision.reason.id, rule, one.name


@settings(max_examples=40)
@given(RULES, RULES, st.randoms(use_true_random=False))
def test_no_order_and_no_spelling_changes_a_decision(
    first: list[dict[str, Any]], second: list[dict[str, Any]], chance: random.Random
) -> None:
    rules = [
        [rule for rule in some if "allow" in rule or "deny" in rule] or [{"path": "/", "allow": "anyone"}]
        for some in (first, second)
    ]
    apps = [app("one", rules[0]), app("two", rules[1])]
    before = snapshot_of(apps, ["a", "b"], None)
    after = snapshot_of(apps, ["z", "b"], chance)
    for host, spellings in HOSTS.items():
        for paths in PATHS:
            for method in ("GET", "HEAD", "POST"):
                for who in (None, HELENE, PAUL):
                    usual = decided(before, f"{host}.localhost".encode(), paths[0], method, who)
                    for name in spellings:
                        for path in paths:
                            assert decided(after, name, path, method, who) == usual, (name, path, method)
