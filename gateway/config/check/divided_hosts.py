"""Checks applications that divide the paths of a host: browsers see one origin, so the applications share trust
and session.

Data that browsers or the gateway keep by host belongs to all applications of the host. So the applications belong to
one team, and have the same `public` and `session`. A single application of the host may have `account`, `form_login`,
`keep_posts`, `logout.url` or `cookies.hidden`: the gateway keeps their data beside the person's session."""

from collections.abc import Callable, Iterable, Iterator

from gateway.config.folder.files import team_of
from gateway.config.host_applications import is_below
from gateway.config.problems import Path, Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.load import Loaded

_ALIKE: tuple[tuple[str, Callable[[AppFile], object]], ...] = (
    ("public", lambda app: app.public),
    ("session", lambda app: app.session),
)
_OF_ONE: tuple[tuple[Path, Callable[[AppFile], object]], ...] = (
    (("account",), lambda app: app.account),
    (("form_login",), lambda app: app.form_login),
    (("keep_posts",), lambda app: app.keep_posts),
    (("logout", "url"), lambda app: app.logout.url),
    (("cookies", "hidden"), lambda app: app.cookies.hidden),
)


def check_divided_hosts(apps: Iterable[Loaded[AppFile]]) -> Iterator[Problem]:
    """`apps`: the app files in the order in which they may claim a host."""
    by_host: dict[str, list[tuple[Loaded[AppFile], AppFile]]] = {}
    for app in apps:
        if app.model is not None:
            for host in app.model.hosts:
                by_host.setdefault(host, []).append((app, app.model))
    told: set[tuple[str, Path, str]] = set()
    for host, there in by_host.items():
        for number, (one, model) in enumerate(there):
            for other, before in there[:number]:
                for problem in _between(host, (one, model), (other, before)):
                    key = (one.path, problem[0], other.path)
                    if key not in told:
                        told.add(key)
                        yield one.document.problem(
                            problem[0], problem[1], problem[2], key=True,
                            others=(("beside", other.document.place(("app",))),),
                        )  # fmt: skip


def _between(
    host: str, one: tuple[Loaded[AppFile], AppFile], other: tuple[Loaded[AppFile], AppFile]
) -> Iterator[tuple[Path, str, str]]:
    """Yields (key path, message, hint) for two applications of a host."""
    (loaded, model), (loaded_before, before) = one, other
    if (model.path or "") == (before.path or ""):
        # Said already: the host is named twice.
        return
    if team_of(loaded.path) != team_of(loaded_before.path):
        yield ("hosts",), f"{host} is divided with an application of somebody else", "applications of one team alone"
        return
    for name, of in _ALIKE:
        if of(model) != of(before):
            yield (name,), f"applications that divide {host} have the same {name}", "write the same in both files"
    for path, of in _OF_ONE:
        if of(model) and of(before):
            said = ".".join(map(str, path))
            yield path, f"of applications that divide {host}, one alone may have {said}", "a host of its own for one"
    for outer, inner in ((model, before), (before, model)):
        if outer.methods and is_below(inner.path or "", outer.path or ""):
            message = f"{inner.app} lies below: a WebDAV request would reach into it"
            yield ("methods",) if outer is model else ("path",), message, "a host of its own for one"
