"""Limits of one path, and what of them is refused at load."""

import pytest

from tests.config.samples import PERMIS, problems, sample_snapshot

HERE = "policies/apps/permis.yaml:"


def found(lines: str) -> list[str]:
    return [
        said.removeprefix(HERE) for said in problems({"apps/permis.yaml": PERMIS.replace("access:", lines + "access:")})
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("limits: {paths: [{path: /a}]}\n", "limits.paths[0]: this block changes nothing (add body: or timeouts:)"),
        ("limits: {paths: [{path: /a, timeouts: {}}]}\n", "limits.paths[0]: this block changes nothing"),
        (
            "limits: {paths: [{path: /a, body: 1KB}, {path: /a, body: 2KB}]}\n",
            "limits.paths[1].path: two blocks for one path (join the two)",
        ),
        ("limits: {paths: [{path: /a//b, body: 1KB}]}\n", "limits.paths[0].path: "),
        ("timeouts: {body: 0s}\n", "timeouts.body: "),
        ("timeouts: {idle: 1s}\n", "timeouts.idle: unknown key (known here: body, connect, first_byte, total)"),
    ],
)
def test_what_is_refused(lines: str, said: str) -> None:
    (problem,) = found(lines)
    assert said in problem


def test_the_first_byte_is_said_once() -> None:
    text = PERMIS.replace("9001}", "9001, timeout: 5s}").replace("access:", "timeouts: {first_byte: 6s}\naccess:")
    (problem,) = problems({"apps/permis.yaml": text})
    assert "upstream.timeout and timeouts.first_byte are the same (leave one of them out)" in problem


def test_a_block_leaves_to_the_application_what_it_does_not_say() -> None:
    lines = "timeouts: {total: 2h}\nlimits: {body: 1MB, paths: [{path: /a/**, timeouts: {body: 10m}}]}\naccess:"
    app = sample_snapshot({"apps/permis.yaml": PERMIS.replace("access:", lines)}).apps["permis"]
    assert app.path_limits is not None
    assert app.path_limits.at(("b",)) is None
    limits = app.path_limits.at(("a", "b"))
    assert limits is not None
    assert (limits.body, limits.timeouts.body, limits.timeouts.total) == (1 << 20, 600.0, 7200.0)
