"""What rules are asked about beside the path of a WebDAV request."""

import pytest

from gateway.access.webdav import reached
from gateway.wire.target import canonical_target
from gateway.wire.webdav import reach_of
from tests.config.samples import PERMIS, sample_snapshot

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
