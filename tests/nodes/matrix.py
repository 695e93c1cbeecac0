"""The failure matrix: what came of each fault, and the table of it in docs/explanation/failures.md."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/explanation/failures.md"
HEAD = (
    "| fault | people who were signed in saw | nobody could sign in for | as before after |\n"
    "|---|---|---|---|\n"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One fault, once. `statuses`: of the requests of people who were signed in; 0: no answer.

    `asked_to_sign_in`, `mixed_up`: of these, who was answered as if not signed in, or as somebody else. `lost`: of
    their sessions, after everything was mended. `replayed`: responses of a provider that worked a second time.
    `without`: seconds in which nobody could sign in. `recovered`: seconds until all was as before."""

    statuses: Counter[int]
    asked_to_sign_in: int
    mixed_up: int
    lost: int
    replayed: int
    without: float
    recovered: float

    @property
    def harm(self) -> str:
        """What may never come of any fault; empty where nothing has."""
        found = {
            "sent to sign in": self.asked_to_sign_in,
            "mixed up": self.mixed_up,
            "sessions lost": self.lost,
            "replays accepted": self.replayed,
        }
        return ", ".join(f"{number} {what}" for what, number in found.items() if number)


def row(words: str, runs: Sequence[Run]) -> str:
    """Of several runs: what was seen in all, and the longest times."""
    seen = sum((run.statuses for run in runs), Counter[int]())
    failed = [f"{number} × {status or 'no answer'}" for status, number in sorted(seen.items()) if status != 200]
    harm = "; ".join(filter(None, (run.harm for run in runs)))
    saw = f"{', '.join(failed) or 'nothing'} of {sum(seen.values())} requests" + (f"; **{harm}**" if harm else "")
    times = (max(run.without for run in runs), max(run.recovered for run in runs))
    return f"| {words} | {saw} | {times[0]:.1f} s | {f'{times[1]:.1f} s' if times[1] else 'at once'} |"


def written(page: str, store: str, rows: Sequence[str]) -> str:
    """The page with these rows in the table of this store, in the place of those of the same faults."""
    begin, end = f"<!-- make nodes: {store} -->\n", f"<!-- {store} -->\n"
    before, _, rest = page.partition(begin)
    table, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no place for {store}")
    kept = {_fault_of(line): line for line in table.removeprefix(HEAD).splitlines()}
    kept.update({_fault_of(line): line for line in rows})
    return f"{before}{begin}{HEAD}" + "".join(f"{line}\n" for line in kept.values()) + f"{end}{after}"


def _fault_of(line: str) -> str:
    return line.split("|")[1].strip()
