# ruff: noqa: E501 - a case is a line
import pytest

from tests.config.samples import PERMIS, problems, sample_snapshot

SHADOW = PERMIS.replace("app: permis\n", "app: permis\nshadow: true\n").replace(
    "allow: signed_in", "allow: {group: ONDE}"
)


def test_a_file_and_rules_may_both_stand_beside_the_live_ones() -> None:
    live = PERMIS + "  - {path: /new/**, allow: anyone, shadow: true}\n"
    snapshot = sample_snapshot({"apps/permis.next.yaml": SHADOW, "apps/permis.yaml": live})
    app = snapshot.apps["permis"]
    assert [shadow.file for shadow in app.shadows] == ["policies/apps/permis.next.yaml", "policies/apps/permis.yaml"]
    assert (app.file, list(snapshot.exact_hosts)) == ("policies/apps/permis.yaml", ["permis.localhost"])
    new = [one.routes.find(("new", "x")) for one in (app, *app.shadows)]
    assert [match and match.pattern for match in new] == ["/**", "/**", "/new/**"]
    assert all(shadow.shadows == () for shadow in app.shadows)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apps/next.yaml": SHADOW.replace("app: permis", "app: permi")}, "policies/apps/next.yaml:2:6: app: there is no live file of this application for it to stand beside (did you mean permis?)"),
        ({"apps/next.yaml": SHADOW.replace("[permis.localhost]", "[other.localhost]")}, "policies/apps/next.yaml:4:8: hosts: a shadow has the hosts of the live file (write the same)"),
        ({"apps/next.yaml": SHADOW + "paths: {merge_slashes: true}\n"}, "policies/apps/next.yaml:14:8: paths: a shadow file reads paths as the live file does (write the same)"),
        ({"apps/next.yaml": SHADOW + "  - {path: /a, allow: anyone, shadow: true}\n"}, "policies/apps/next.yaml:1:1: every rule of a shadow file is a shadow (leave shadow out of its rules)"),
        ({"apps/next.yaml": SHADOW.replace("[metropole]", "[metropol]")}, "policies/apps/next.yaml:6:13: providers[0]: no file in providers/ has this name (did you mean metropole?)"),
        ({"apps/permis.yaml": PERMIS + "  - {path: /**, allow: anyone, shadow: true}\n  - {path: /**, deny: anyone, shadow: true}\n"}, "policies/apps/permis.yaml:14:12: access[4].path: both decide all methods on `/**`"),
        ({"apps/permis.yaml": PERMIS + "  - {path: '/~a+', allow: anyone}\n  - {path: '/~b+', allow: anyone, shadow: true}\n"}, "policies/apps/permis.yaml:14:12: access[4].path: `~a+` and `~b+` stand at one place: neither goes first"),
    ],
)  # fmt: skip
def test_what_could_not_be_compared(changes: dict[str, str | None], said: str) -> None:
    assert said in problems(changes)
