"""`cookies:` of application files: names that collide with what is injected, and prefixes that keep nothing apart."""

from collections.abc import Iterable, Iterator

from gateway.config.check.tokens import carriers
from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.load import Loaded
from gateway.config.yaml.reader import YamlDocument
from gateway.model.names import fold


def check_cookies(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """A cookie that the gateway says of the person is none of the application's own."""
    told = [one.name for one in model.translate.told if one.kind == "cookies"]
    if model.translate.has_tokens:
        told += [name for _, section, name in carriers(model.translate) if section == "cookies"]
    injected = {fold(name.encode()): name for name in told}
    for word, names in (("hidden", model.cookies.hidden), ("visible", model.cookies.visible)):
        for index, name in enumerate(names):
            other = injected.get(fold(name.encode()))
            if other is not None:
                message = f"a server may read this as {other}, which translate sends"
                yield document.problem(("cookies", word, index), message, "leave it out")


def check_prefixes(apps: Iterable[Loaded[AppFile]]) -> Iterator[Problem]:
    """Two applications whose cookies would be each other's, where a browser sends both to either."""
    known = [(app, app.model.cookies.prefix) for app in apps if app.model is not None and app.model.cookies.prefix]
    for number, (app, prefix) in enumerate(known):
        for other, before in known[:number]:
            if prefix.startswith(before) or before.startswith(prefix):
                message = f"{before} begins the same: the cookies of two applications would not be apart"
                others = (("and", other.document.place(("cookies", "prefix"))),)
                yield app.document.problem(("cookies", "prefix"), message, "choose another prefix", others=others)
                break
