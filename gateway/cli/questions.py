"""Questions of commands that write first files. Every question has a flag: the commands also run unattended."""

import sys
from collections.abc import Callable, Sequence
from getpass import getpass

from gateway.cli.exits import Exit

YES = ("y", "yes", "o", "oui")
_NO = ("n", "no", "non")


class NotWritten(Exception):
    """The command ends and writes nothing. The reason, in words for the operator. `status`: the exit status.

    `code`: the stable code of the fault; empty for wrong usage.
    """

    def __init__(self, why: str, status: Exit = Exit.USAGE, code: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.code = code


class Prompts:
    """Asks at a terminal. Without a terminal, notes the questions without a flag, and `refuse_missing` lists them.

    `asks`: whether a person answers at a terminal.
    """

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks
        self._missing: list[str] = []

    def text(self, question: str, flag: str, default: str, check: Callable[[str], str]) -> str:
        """Asks until `check` returns no complaint.

        `default`: for an empty answer, and for a command that does not ask; empty: an answer is necessary.
        `check`: returns the reason why an answer is wrong, or an empty text.
        """
        if not self.asks:
            if not default:
                self._missing.append(flag)
            return default
        while True:
            given = self._line(f"{question} [{default}]: " if default else f"{question}: ") or default
            if given and not (why := check(given)):
                return given
            self.say(f"  {why}" if given else "  an answer is needed (Ctrl-C ends the command; nothing is written)")

    def some(self, question: str, flag: str, check: Callable[[str], str]) -> tuple[str, ...] | None:
        """Asks for a list. None: `any` is the answer."""
        found = self.text(
            question,
            flag,
            "",
            lambda given: next(filter(None, map(check, _split(given))), "") if given != "any" else "",
        )
        return None if found == "any" else tuple(_split(found))

    def agrees(self, question: str, *, usually: bool) -> bool:
        """`usually`: the answer to Enter, and of a command that does not ask."""
        if not self.asks:
            return usually
        while True:
            given = self._line(f"{question} [{'Y/n' if usually else 'y/N'}] ").lower()
            if given in ("", *YES, *_NO):
                return usually if not given else given in YES

    def secret(self, question: str) -> str:
        """A text that the terminal does not show; may be empty."""
        return getpass(f"{question}: ", sys.stderr).strip() if self.asks else ""

    def miss(self, flag: str) -> None:
        self._missing.append(flag)

    def refuse_missing(self) -> None:
        """Raises NotWritten if a question has no answer."""
        if self._missing:
            raise NotWritten("\n  ".join(["these questions have no answer:", *self._missing]))

    def say(self, line: str = "") -> None:
        """Prints a line for the person at the terminal."""
        if self.asks:
            print(line, file=sys.stderr)

    def _line(self, prompt: str) -> str:
        print(prompt, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise NotWritten("the input ended before the last question: nothing is written", Exit.FOUND)
        return line.strip()


def _split(text: str) -> Sequence[str]:
    return text.replace(",", " ").split()
