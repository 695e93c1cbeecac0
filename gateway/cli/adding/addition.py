"""A provider file before the command writes the file, and rows of facts for the operator."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.cli.new_files import NewFile

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Addition:
    """A provider file, with the keys, secrets and metadata of the file.

    `text`: the content of the provider file.
    `beside`: the other new files.
    `register`: settings for the provider's administrator, as rows for people.
    `facts`: for programs.
    """

    name: str
    text: bytes
    beside: tuple[NewFile, ...]
    register: Rows
    facts: Mapping[str, object]


def say_rows(title: str, rows: Rows) -> None:
    width = max((len(name) for name, _ in rows), default=0)
    print(title)
    for name, value in rows:
        print(f"  {name:{width}}  {value}")
