"""What the directories of the corpus say: offices, and terms as mayor that ended, are held and are to come."""

import os
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

SIREN = "215903501"


def day(days: int) -> str:
    return (date.today() + timedelta(days)).isoformat()


# Uid to the last days of the terms as mayor.
TERMS = {
    "alice": [400], "bob": [-2], "root": [-400, -2], "tilda": [30], "mallory": [-2, 400],
}  # fmt: skip


def make(path: Path) -> None:
    """The table, as a file that takes the place of the one before. Of alice it says most."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with closing(sqlite3.connect(beside)) as file:
        file.execute("CREATE TABLE offices (uid TEXT, office TEXT)")
        file.executemany("INSERT INTO offices VALUES (?, ?)", [("alice", "chief"), ("bob", "clerk")])
        file.execute("CREATE TABLE terms (uid TEXT, fonction TEXT, siren TEXT, debut TEXT, fin TEXT)")
        rows = [(uid, "maire", SIREN, day(-900), day(last)) for uid, ends in TERMS.items() for last in ends]
        # It begins next month.
        rows = [(uid, what, siren, day(20) if uid == "tilda" else begin, end) for uid, what, siren, begin, end in rows]
        file.executemany("INSERT INTO terms VALUES (?, ?, ?, ?, ?)", rows)
        file.commit()
    os.replace(beside, path)
