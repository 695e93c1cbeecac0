"""The fenced blocks of a page, and texts made comparable: what differs from run to run is taken out."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ADDRESS = re.compile(r"`(http://[^`]+)`")
_CHANGING = (
    (re.compile(r'"time":"[0-9TZ:.-]+"'), '"time":"T"'),
    (re.compile(r'"(pid|worker)":\d+'), r'"\1":N'),
    (re.compile(r'"(workers|workers_serving)": \d+'), r'"\1": N'),
    (re.compile(r"\b[0-9a-f]{64}\b"), "REVISION"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "REFERENCE"),
    (re.compile(r'"reference":"[0-9A-Z]{8}"'), '"reference":"SHORT"'),
    (re.compile(r'"person":"[0-9a-f]{16}"'), '"person":"PERSON"'),
    (re.compile(r"\brevision [0-9a-f]{12}\b"), "revision R"),
    (re.compile(r"(localhost|127\.0\.0\.1):\d+"), r"\1:PORT"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """`line`: where it begins. `address`: the last one named before it, empty where there is none."""

    line: int
    language: str
    text: str
    address: str

    @property
    def commands(self) -> list[str]:
        return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]

    @property
    def output(self) -> list[str]:
        return [line for line in normal(self.text).splitlines() if not line.startswith("$ ")]


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        before = text[: fence.start()]
        addresses = _ADDRESS.findall(before)
        found.append(Block(before.count("\n") + 1, fence[1], fence[2], addresses[-1] if addresses else ""))
    return found


def normal(text: str) -> str:
    for changing, word in _CHANGING:
        text = changing.sub(word, text)
    return text
