"""policies/tests/*.yaml: the tests, once for each of their people, ready to be tried; or the faults in the files."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.config.check.folder import collisions
from gateway.config.folder.files import TESTS, Files
from gateway.config.problems import Path, Problem, did_you_mean, key_path
from gateway.config.schema.load import Loaded, load_file
from gateway.config.schema.policy_tests import NOBODY, PolicyTest, PolicyTestsFile
from gateway.config.schema.scalars import Wrong
from gateway.config.snapshot import Snapshot
from gateway.config.yaml.reader import YamlDocument
from gateway.trial.people import Known, known
from gateway.trial.request import Circumstances, WrittenRequest, circumstances_of, parse_request

File = Loaded[PolicyTestsFile]


@dataclass(frozen=True, slots=True)
class Case:
    """One request by one person. `index`: the position of the test in the file, for messages."""

    document: YamlDocument
    index: int
    test: PolicyTest
    request: WrittenRequest
    who: str
    person: Known | None
    circumstances: Circumstances

    @property
    def title(self) -> str:
        told = f"{self.request.text} as {self.who}"
        return f"{self.test.name}: {told}" if self.test.name else told


def load_cases(files: Files, snapshot: Snapshot, now: float) -> tuple[list[Case], list[Problem]]:
    """Never raises. `now`: Unix seconds, where a test says no other time."""
    problems: list[Problem] = []
    loaded = [load_file(files, path, lambda _: PolicyTestsFile, problems) for path in files.by_kind()[TESTS]]
    people = _people(loaded, snapshot, int(now), problems)
    cases = [case for file in loaded if file.model is not None for case in _cases(file, people, now, problems)]
    return cases, problems


def _people(files: list[File], snapshot: Snapshot, now: int, problems: list[Problem]) -> dict[str, Known | None]:
    """The person of this name. None: nobody is signed in, or `problems` has the reason why the person cannot be
    tried."""
    people: dict[str, Known | None] = {NOBODY: None}
    named = [(name, file.document, ("people", name)) for file in files if file.model for name in file.model.people]
    problems += collisions(named, "two people have this name", at_key=True)
    for file in files:
        for name, person in (file.model.people if file.model else {}).items():
            try:
                people[name] = known(person, snapshot, now)
            except Wrong as wrong:
                people[name] = None
                problems.append(_problem(file.document, ("people", name), wrong, key=True))
    return people


def _cases(file: File, people: dict[str, Known | None], now: float, problems: list[Problem]) -> Iterator[Case]:
    for index, test in enumerate(file.model.tests if file.model else ()):
        path: Path = ("tests", index)
        circumstances = circumstances_of(now, test.client, test.sent, test.at)
        for who in test.by:
            if who not in people:
                hint = did_you_mean(who, people) or "describe them under people:, in any file of tests/"
                wrong = Wrong("no person has this name", hint)
                problems.append(_problem(file.document, (*path, "as"), wrong))
        for text in test.request:
            try:
                request = parse_request(text)
            except Wrong as wrong:
                problems.append(_problem(file.document, (*path, "request"), wrong))
                continue
            for who in test.by:
                if who == NOBODY or people.get(who) is not None:
                    yield Case(file.document, index, test, request, who, people[who], circumstances)


def _problem(document: YamlDocument, path: Path, wrong: Wrong, *, key: bool = False) -> Problem:
    return Problem(document.place(path, key=key), key_path(path), wrong.message, wrong.hint)
