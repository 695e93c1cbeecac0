"""One defence of the gateway as a patch that switches it off."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ATTACK, SLOW = "attack ", "slow "


@dataclass(frozen=True, slots=True)
class Defence:
    """`file`: below gateway/. `stands`: a text that it has once. `off`: what stands there where the defence is off; of
    a condition, where nothing is said, what is never true. `proof`: what has to fail then, files or tests below tests/
    with blanks between them, or a group of the corpus, as `attack FA`; with `slow` before them, tests that are marked
    so are among them."""

    name: str
    file: str
    stands: str
    proof: str
    off: str | None = None

    def switched_off(self, text: str) -> str:
        """`text`: of its file. Raises ValueError where the defence does not stand there once: this list is old."""
        if text.count(self.stands) != 1:
            raise ValueError(f"{self.name}: gateway/{self.file} has {text.count(self.stands)} times: {self.stands}")
        never = "if False:" if self.stands.startswith("if ") and self.stands.endswith(":") else "False"
        return text.replace(self.stands, never if self.off is None else self.off)

    def command(self, python: str) -> list[str]:
        """What is run in the root of the tree, with exit status 1 where a case fails."""
        if self.proof.startswith(ATTACK):
            return [python, "-m", "tests.attacks", "--bare", self.proof.removeprefix(ATTACK)]
        tests = [f"tests/{each}" for each in self.proof.removeprefix(SLOW).split()]
        return [*tested(python, slow=self.proof.startswith(SLOW)), "-x", *tests]


def tested(python: str, *, slow: bool) -> list[str]:
    """pytest, with few examples for each property, and nothing that waits but where it is `slow`."""
    marks = "not service and not browser" + ("" if slow else " and not slow")
    quick = ("--hypothesis-profile=quick", "-m", marks)
    return [python, "-m", "pytest", "-q", "--no-header", "--tb=no", "-rf", "-p", "no:cacheprovider", *quick]
