"""`limits.paths:` of application files: one block for one path."""

from collections.abc import Iterator

from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.config.yaml.reader import YamlDocument
from gateway.model.decision import RuleRef
from gateway.policy.routes import conflicts
from gateway.policy.rules import Rule


def check_path_limits(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    paths = [block.path for block in model.limits.paths]
    rules = [Rule(RuleRef("", place, path.text), path, None, None, None) for place, path in enumerate(paths)]
    for one, other, why in conflicts(rules, model.paths.case == "insensitive"):
        first, second = sorted((one.ref.line, other.ref.line))
        message = "two blocks for one path" if why.startswith("both") else why
        others = (("and", document.place(("limits", "paths", first, "path"))),)
        yield document.problem(("limits", "paths", second, "path"), message, "join the two", others=others)
