"""What rules are asked about beside the path of a WebDAV request."""

from itertools import count

import pytest

from gateway.access.application import ApplicationAccess, ConditionalDecision
from gateway.access.outcome import Refuse
from gateway.access.webdav import reached
from gateway.model.codes import policy_codes
from gateway.model.codes.code import Code
from gateway.policy.facts import RequestFacts
from gateway.wire.target import canonical_target
from gateway.wire.webdav import reach_of
from tests.config.samples import PERMIS, sample_snapshot
from tests.proxy.stand_ins import identity, seat

RULES = "access:\n  - {path: /café/secret/**, allow: {group: admins}}\n"
APP = sample_snapshot(
    {"apps/permis.yaml": PERMIS.replace("access:\n", f"methods: [MOVE]\npaths: {{encoding: latin1}}\n{RULES}")}
).apps["permis"]
SECRET = "/café/secret/**"


@pytest.mark.parametrize("path", [b"/caf%C3%A9", b"/caf%E9", b"/"])
def test_invariant_2_what_is_below_either_reading_of_a_path_is_reached(path: bytes) -> None:
    """Of `/caf%C3%A9` no rule tells one reading from the other; of what is below it one does."""
    target, elsewhere = canonical_target(path, APP.leniency), canonical_target(b"/x", APP.leniency)
    reach = reach_of(b"MOVE", [(b"Destination", path)], "https://permis.localhost", APP.leniency)
    for found in (reached(APP, target, b"DELETE"), reached(APP, elsewhere, b"MOVE", reach)):
        assert SECRET in [one.match.pattern for one in found if one.match is not None]


@pytest.mark.parametrize("more", ["", ", {header: {name: X-Mode, equals: a}}"])
def test_all_paths_that_a_request_reaches_share_one_budget(more: str) -> None:
    """A request for all that is below a path would otherwise hold the loop for 10 ms at each of a thousand rules."""
    tests = ", ".join(['{claim: {name: groups, matches: "[A-Z]+"}}'] * 20)
    reason = [reason_of(number, f"{{any: [{tests}{more}, signed_in]}}") for number in (2, 20)]
    assert reason == [None, policy_codes.EXPRESSION]


def reason_of(rules: int, allow: str) -> Code | None:
    """Why a person of a hundred groups may not see all that is below the root."""
    lines = "".join(f"  - {{path: /d{number}/**, allow: {allow}}}\n" for number in range(rules))
    app = PERMIS.replace("access:\n", f"methods: [PROPFIND]\naccess:\n{lines}")
    snapshot = sample_snapshot({"apps/permis.yaml": app})
    access = ApplicationAccess(snapshot.apps["permis"], snapshot, count(1))
    groups = tuple(f"{number}-a" for number in range(100))
    asks = seat("permis.localhost", identity(uid="helene", groups=(*groups, "administrateurs")))
    found = access.compile(access.read_line(b"PROPFIND / HTTP/1.1"), asks, 0.0)
    if isinstance(found, ConditionalDecision):
        found = found.outcome(RequestFacts(None, (), "/", "", 1.0), asks, 0.0)
    return found.code if isinstance(found, Refuse) else None
