# ruff: noqa: E501 - a case is a line
import sys
from collections.abc import Mapping

import pytest

from gateway.config.compile.build import build, build_gateway, build_steps
from gateway.config.compile.plan import revision_of
from gateway.config.snapshot import Snapshot
from tests.calls import traced
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, sample_plan, sample_snapshot
from tests.patience import PATIENCE

# The number measured. It goes down with what makes a build cheaper, never up.
MOST_CALLS_OF_AN_APP = 69

SECRETS: Mapping[str, bytes] = {"file:../certs/departement.secret": b"secret-of-the-departement"}


def test_a_snapshot_names_the_bytes_that_it_was_made_from() -> None:
    plan = sample_plan()
    assert build(plan).revision == revision_of(plan)


def test_the_gateway_alone_is_had_without_the_apps() -> None:
    plan = sample_plan()
    assert build_gateway(plan) == build(plan).gateway


def test_a_plan_without_a_gateway_is_none() -> None:
    with pytest.raises(ValueError, match="without a gateway"):
        build(b"")


def many(apps: int, rules: int) -> dict[str, str]:
    head = PERMIS.partition("access:")[0]
    access = "".join(
        f'  - {{path: "/s{number}/~[a-z]+/**", allow: {{any: [{{group: g{number}}}, {{claim: {{name: mail, suffix: "@a.b"}}}}]}}}}\n'
        for number in range(rules)
    )
    return {
        f"apps/a{number}.yaml": head.replace("permis", f"a{number}") + "access:\n" + access for number in range(apps)
    }


def _most_calls_in_a_step(plan: bytes) -> int:
    """What a step does, counted: the same on a busy machine."""
    steps, most, calls = build_steps(plan), 0, 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        for _ in steps:
            most, calls = max(most, calls), 0
    finally:
        sys.setprofile(None)
    return max(most, calls)


@pytest.mark.slow
@pytest.mark.parametrize(("few", "many_more"), [((10, 10), (100, 10)), ((1, 200), (1, 2000))], ids=["apps", "rules"])
def test_a_step_does_not_grow_with_the_folder(few: tuple[int, int], many_more: tuple[int, int]) -> None:
    """Invariant 14: a worker builds between requests. Two milliseconds hold over 10,000 calls."""
    most = _most_calls_in_a_step(sample_plan(many(*many_more)))
    assert most <= 1.2 * _most_calls_in_a_step(sample_plan(many(*few)))
    assert most < 10_000


def test_an_exact_host_comes_before_a_wildcard_which_takes_one_label_and_never_the_portals_host() -> None:
    wild = PERMIS.replace("app: permis", "app: wild").replace("[permis.localhost]", '["*.localhost"]')
    snapshot = sample_snapshot({"apps/wild.yaml": wild})

    def app(host: str) -> str | None:
        found = snapshot.find_app(host)
        return None if found is None else found.name

    assert app("permis.localhost") == "permis"
    assert app("other.localhost") == "wild"
    assert app("a.other.localhost") is None
    assert app("localhost") is None
    assert app("portail.localhost") is None


def test_the_order_of_files_and_keys_changes_nothing() -> None:
    other = METROPOLE.replace("provider: metropole", "provider: autre")
    one = sample_plan({"providers/a.yaml": other, **many(3, 3)})
    two = sample_plan(dict(reversed({"providers/a.yaml": other, **many(3, 3)}.items())))
    assert one == two
    renamed = {f"apps/z{number}.yaml": text for number, text in enumerate(many(3, 3).values())}
    assert list(sample_snapshot(renamed).apps) == ["a0", "a1", "a2", "permis"]
    swapped = "".join(f"{line}\n" for line in reversed(GATEWAY.splitlines()) if not line.startswith(("  -", "listen")))
    assert sample_plan({"gateway.yaml": swapped + "listen:\n  - {address: 127.0.0.1:8080}\n"}) == sample_plan()


def test_a_worker_builds_without_the_readers_of_files() -> None:
    """They would be 30 MB in every worker."""
    import subprocess
    import sys

    code = "import sys, gateway.config.compile.build; print([m for m in ('pydantic', 'yaml') if m in sys.modules])"
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert told.stdout == "[]\n"


def test_what_one_more_application_costs_a_worker_is_counted() -> None:
    """In calls of Python functions, the same on every machine; and what is equal is shared."""

    def built(number: int) -> tuple[int, Snapshot]:
        apps = {f"apps/a{n}.yaml": PERMIS.replace("permis", f"a{n}") for n in range(number)}
        plan = sample_plan(apps)
        build(plan)  # what all share is made once
        with traced() as calls:
            snapshot = build(plan)
        return len(calls.names), snapshot

    (few, _), (many, snapshot) = built(10), built(110)
    assert (many - few) / 100 <= MOST_CALLS_OF_AN_APP
    one, other = snapshot.apps["a1"], snapshot.apps["a2"]
    assert one.leniency is other.leniency
    assert one.logout.links is other.logout.links
    assert one.translation.header_folds is other.translation.header_folds
    assert one.label is other.label
    assert (one.upstream.host, one.upstream.tls) == (other.upstream.host, other.upstream.tls)
    assert one.upstream.host is other.upstream.host
    assert one.upstream.scheme is one.scheme is other.scheme
    assert one.upstream.tls is other.upstream.tls
    (match,) = {one.routes.find(("a",)), one.routes.find(("b",))}
    assert match is not None
    assert match.rules[0].ref.file is one.file
