"""Checks files of apps/TEAM/ against the fence of the team in gateway.yaml."""

from collections.abc import Iterator

from gateway.config.check.account import attributes_asked
from gateway.config.check.tokens import audiences_beyond, carriers
from gateway.config.check.translate import attributes_used, secrets_used
from gateway.config.folder.files import team_of, within
from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import TeamSection
from gateway.config.schema.load import Folder, Loaded
from gateway.model.names import fold
from gateway.wire.fences import Fence, literal
from gateway.wire.response_guard import HSTS, includes_subdomains


def check_teams(folder: Folder) -> Iterator[Problem]:
    teams = folder.teams
    for app in (*folder.apps, *folder.shadows):
        name = team_of(app.path)
        if not name:
            continue
        if name not in teams:
            hint = did_you_mean(name, teams) or f"known: {', '.join(sorted(teams))}"
            yield app.document.problem((), f"apps/{name}/ is no team's: gateway.yaml has none of this name", hint)
        elif app.model is not None:
            yield from _beyond(app, app.model, name, teams[name])


def _beyond(app: Loaded[AppFile], model: AppFile, name: str, team: TeamSection) -> Iterator[Problem]:
    def problem(path: Path, what: str, *, key: bool = False) -> Problem:
        message = f"team {name} may not use the {what}"
        return app.document.problem(path, message, f"teams.{name} of gateway.yaml says what it may", key=key)

    for index, host in enumerate(model.hosts):
        if not within(host, team.hosts):
            yield problem(("hosts", index), f"host {host}")
    for key, one, listed, may in (
        ("providers", "provider", model.providers, team.providers),
        ("directories", "directory", model.directories, team.directories),
    ):
        beyond = [(index, name) for index, name in enumerate(listed) if name not in may]
        yield from (problem((key, index), f"{one} {name}") for index, name in beyond)
    yield from (problem(path, what) for path, what in (*_upstream(model, name, team), *_responses(model)))
    asked = () if model.account is None else attributes_asked(model.account)
    for path, attribute in (*attributes_used(model), *secrets_used(model), *asked):
        if team.attributes is not None and attribute not in team.attributes:
            yield problem(path, f"attribute {attribute}")
    headers = {fold(header.encode()) for header in team.headers}
    for told in model.translate.told_anywhere:
        if told.kind == "headers" and fold(told.name.encode()) not in headers:
            yield problem(told.at, f"header {told.name}", key=True)
        if told.kind == "cookies" and told.name not in team.cookies:
            yield problem(told.at, f"cookie {told.name}", key=True)
    if model.translate.has_tokens:
        yield from (problem(path, what) for path, what in _tokens(model, team))


def _tokens(model: AppFile, team: TeamSection) -> Iterator[tuple[Path, str]]:
    headers = {fold(header.encode()) for header in team.headers}
    for path, section, name in carriers(model.translate):
        if fold(name.encode()) not in headers if section == "headers" else name not in team.cookies:
            yield path, f"{section.removesuffix('s')} {name}"
    for path in audiences_beyond(model):
        yield path, "audience of others: its own name, or an address of its hosts"


def _upstream(model: AppFile, name: str, team: TeamSection) -> Iterator[tuple[Path, str]]:
    """Refuses addresses and names beyond the fence, as far as the file says them; each connection is checked again."""
    fence, socket = Fence.of(name, team.upstreams, team.sockets), model.upstream.socket
    if socket is not None and not fence.holds_socket(socket):
        yield ("upstream", "socket"), f"socket {socket}"
    for index, there in enumerate(model.upstream.urls if socket is None else ()):
        bare, port = there.host.strip("[]"), there.effective_port
        if not fence.may_hold(bare, port):
            yield ("upstream", "others", index - 1) if index else ("upstream", "url"), f"upstream {bare}:{port}"
    yield from _upstream_names(model, fence, team)


def _upstream_names(model: AppFile, fence: Fence, team: TeamSection) -> Iterator[tuple[Path, str]]:
    """The names in Host and in the TLS handshake: a server may choose between several applications by them."""
    url, host = model.upstream.url, model.upstream.host
    bare, port = url.host.strip("[]"), url.effective_port
    told = bare if host == "upstream" else host
    of_the_url = host == "upstream" and literal(bare) is not None
    if host != "keep" and not of_the_url and not within(told, team.hosts) and not fence.names(told, port):
        yield ("upstream", "host"), f"Host {told}"
    tls = model.upstream.tls
    said = "" if tls is None else tls.sni if tls.sni is not None else tls.name or ""
    if said not in ("", "none") and not within(said, team.hosts) and not fence.names(said, port):
        yield ("upstream", "tls", "name" if tls is None or tls.sni is None else "sni"), f"name {said}"


def _responses(model: AppFile) -> Iterator[tuple[Path, str]]:
    """Yields the settings by which a response could act beyond the hosts of the application."""
    if model.responses.clear_site_data:
        yield ("responses", "clear_site_data"), "cookies of the whole domain"
    if model.responses.front_orders:
        yield ("responses", "front_orders"), "server in front"
    for section, lines in (("add", model.responses.add), ("replace", model.responses.replace)):
        if includes_subdomains(lines.get(HSTS, "")):
            # At any depth, where a fence has one label at the most.
            yield ("responses", section, HSTS), "hosts below its own (includeSubDomains)"
