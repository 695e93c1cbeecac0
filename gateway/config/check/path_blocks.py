"""Checks the blocks of app files for single paths (`translate.paths`, `limits.paths`): a path has one block, and `omit`
names only headers that the application would receive."""

from collections.abc import Iterable, Iterator

from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.yaml.reader import YamlDocument
from gateway.model.decision import RuleRef
from gateway.model.names import fold
from gateway.policy.patterns import Pattern
from gateway.policy.routes import conflicts
from gateway.policy.rules import Rule


def check_path_limits(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    return _two_for_one(document, model, "limits", [block.path for block in model.limits.paths])


def check_path_headers(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    blocks = model.translate.paths
    yield from _two_for_one(document, model, "translate", [block.path for block in blocks])
    told = {fold(one.name.encode()): one.name for one in model.translate.told if one.kind == "headers"}
    for place, block in enumerate(blocks):
        own = {fold(name.encode()) for name in block.headers}
        for index, name in enumerate(block.omit):
            at: Path = ("translate", "paths", place, "omit", index)
            if fold(name.encode()) not in told:
                yield document.problem(at, f"{name} is not sent on any path", did_you_mean(name, told.values()))
            elif fold(name.encode()) in own:
                yield document.problem(at, f"headers of this block send {name}", "leave it out of one of the two")


def _two_for_one(
    document: YamlDocument, model: AppFile, section: str, patterns: Iterable[Pattern]
) -> Iterator[Problem]:
    """`section`: the section of the blocks, "translate" or "limits"."""
    rules = [Rule(RuleRef("", place, one.text), one, None, None, None) for place, one in enumerate(patterns)]
    for one, other, why in conflicts(rules, model.paths.case == "insensitive"):
        first, second = sorted((one.ref.line, other.ref.line))
        message = "two blocks for one path" if why.startswith("both") else why
        others = (("and", document.place((section, "paths", first, "path"))),)
        yield document.problem((section, "paths", second, "path"), message, "join the two", others=others)
