"""Core 1.3.3: the one form of time that we write."""

from datetime import UTC, datetime


def instant(now: float) -> str:
    """`now`: Unix seconds. In UTC, to the second: a fraction says nothing that the other side may rely on."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
