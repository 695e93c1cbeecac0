"""`translate.paths:` of application files: blocks for one path, and names that are not sent there in any case."""

from collections.abc import Iterator

from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.yaml.reader import YamlDocument
from gateway.model.decision import RuleRef
from gateway.model.names import fold
from gateway.policy.routes import conflicts
from gateway.policy.rules import Rule


def check_path_headers(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    blocks = model.translate.paths
    rules = [
        Rule(RuleRef("", place, block.path.text), block.path, None, None, None) for place, block in enumerate(blocks)
    ]
    for one, other, why in conflicts(rules, model.paths.case == "insensitive"):
        first, second = sorted((one.ref.line, other.ref.line))
        message = "two blocks for one path" if why.startswith("both") else why
        others = (("and", document.place(("translate", "paths", first, "path"))),)
        yield document.problem(("translate", "paths", second, "path"), message, "join the two", others=others)
    told = {fold(one.name.encode()): one.name for one in model.translate.told if one.kind == "headers"}
    for place, block in enumerate(blocks):
        own = {fold(name.encode()) for name in block.headers}
        for index, name in enumerate(block.omit):
            at: Path = ("translate", "paths", place, "omit", index)
            if fold(name.encode()) not in told:
                yield document.problem(at, f"{name} is not sent on any path", did_you_mean(name, told.values()))
            elif fold(name.encode()) in own:
                yield document.problem(at, f"headers of this block send {name}", "leave it out of one of the two")
