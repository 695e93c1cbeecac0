"""Whether what was counted was there at 0 from the start, so that an alert sees a first failure, too: asked at the end
of each test that counts."""

from collections.abc import Iterable
from functools import lru_cache

from gateway.config.snapshot import Snapshot
from gateway.model.provider import OidcProvider
from gateway.ops.counters import Series
from gateway.ops.metrics import METRICS
from gateway.ops.zeros import zeros

COUNTERS = {metric.name: metric.labels for metric in METRICS if metric.kind == "counter"}
# Of pairs of rules, as many as there are rules by rules.
UNFORESEEN = "ecluse_policy_shadow_differences_total"

Names = tuple[str, ...]


@lru_cache(64)
def _zeros(apps: Names, oidc: Names, saml: Names) -> frozenset[Series]:
    return frozenset(zeros(apps, oidc, saml))


def missed(counted: Iterable[Series], snapshot: Snapshot) -> list[Series]:
    """Series of the names of this snapshot, or of nobody's, that an alert would see with their first count alone."""
    oidc = {name for name, provider in snapshot.providers.items() if isinstance(provider, OidcProvider)}
    apps, saml = tuple(sorted(snapshot.apps)), tuple(sorted(snapshot.providers.keys() - oidc))
    foreseen = _zeros(apps, tuple(sorted(oidc)), saml)
    names = {"", "_portal", *apps, *snapshot.providers}
    ours = (key for key in counted if key[0] in COUNTERS and key[0] != UNFORESEEN and key not in foreseen)
    return [key for key in ours if not {"app", "provider"} & set(COUNTERS[key[0]]) or key[1] in names]
