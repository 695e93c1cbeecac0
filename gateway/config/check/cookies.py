"""Checks `cookies` of app files: names that collide with injected cookies, and prefixes that do not keep applications
apart."""

from collections.abc import Iterable, Iterator

from gateway.config.check.tokens import carriers
from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.load import Loaded
from gateway.config.yaml.reader import YamlDocument
from gateway.model.names import fold


def check_cookies(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """Refuses names of injected cookies in `hidden` and `visible`."""
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
    """Refuses two prefixes of which one begins with the other. If a browser sent the cookies of both applications to
    each, an application would take the other's cookies for its own."""
    known = [(app, app.model.cookies.prefix) for app in apps if app.model is not None and app.model.cookies.prefix]
    for number, (app, prefix) in enumerate(known):
        for other, before in known[:number]:
            if prefix.startswith(before) or before.startswith(prefix):
                message = f"{before} begins the same: the cookies of two applications would not be apart"
                others = (("and", other.document.place(("cookies", "prefix"))),)
                yield app.document.problem(("cookies", "prefix"), message, "choose another prefix", others=others)
                break
