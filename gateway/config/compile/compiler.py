"""Compiles the bytes of the files to a whole plan, or raises every problem. Pure."""

from collections.abc import Iterator
from typing import cast

from gateway.config.check.folder import check_folder
from gateway.config.check.references import resolve
from gateway.config.check.theme import resolve_design
from gateway.config.compile.app import plan_app, plan_rules
from gateway.config.compile.design import plan_design
from gateway.config.compile.directory import plan_directory, plan_organisations
from gateway.config.compile.frozen import Material
from gateway.config.compile.gateway import plan_gateway
from gateway.config.compile.plan import (
    AccessRules,
    ClosedHosts,
    Compiled,
    Line,
    OrganisationList,
    SharedCondition,
    encode_plan,
    revision_of,
)
from gateway.config.compile.provider import plan_oidc_provider, plan_saml_provider
from gateway.config.folder.files import GATEWAY_FILE, Begin, Files, closed_hosts, team_of, unread_files
from gateway.config.problems import Place, Problem, ProblemsFound
from gateway.config.schema.conditions import SharedIs, WrittenCondition, leaves
from gateway.config.schema.load import Folder, load
from gateway.config.schema.provider import ProviderFile, SamlProviderFile
from gateway.model.provider import OidcProvider, SamlProvider

# Each line of the plan is a step of under 2 ms: a rule takes a worker some 30 microseconds, and more where its path has
# an expression.
_RULES_IN_A_LINE = 20
_ORGANISATIONS_IN_A_LINE = 500


def compile_files(files: Files) -> Compiled:
    """Raises ProblemsFound with every problem of every file."""
    folder, found = load(files)
    material, unresolved = resolve(folder, files)
    lacking: list[Problem] = []
    gateway = folder.gateway
    if gateway is not None and gateway.model is not None and gateway.model.theme.dsfr is not None:
        design, lacking = resolve_design(gateway, files)
        material |= design
    unchanged = {path for path, content in files.good.items() if files.texts.get(path) == content}
    problems = [*found, *unresolved, *lacking, *check_folder(folder, material, unchanged, files.begin)]
    if folder.gateway is None and folder.complete:
        problems.append(
            Problem(Place(files.shown(GATEWAY_FILE), 0, 0), "", "this file is missing", "is this the policy folder?")
        )
    if problems:
        raise ProblemsFound(problems)
    plan = plan_of(folder, material, files.root, _closed(folder, files), files.begin)
    return Compiled(plan, revision_of(plan))


def _closed(folder: Folder, files: Files) -> ClosedHosts:
    if folder.gateway is None or folder.gateway.model is None:
        return ClosedHosts({}, {})
    owned = {
        host + (app.model.path or ""): team_of(app.path)
        for app in folder.apps
        if app.model is not None
        for host in app.model.hosts
    }
    closed = closed_hosts(files.closed, owned, folder.gateway.model.portal.host)
    return ClosedHosts(dict(sorted(closed.items())), dict(sorted(unread_files(files.closed).items())))


def plan_of(folder: Folder, material: Material, root: str, closed: ClosedHosts, begin: Begin = lambda _: None) -> bytes:
    """`begin`: called with the path of each file before it is planned."""
    return encode_plan(list(_lines(folder, material, root, closed, begin)))


def _lines(folder: Folder, material: Material, root: str, closed: ClosedHosts, begin: Begin) -> Iterator[Line]:
    if folder.gateway is None or folder.gateway.model is None:
        raise ValueError("a folder with problems has no plan")
    gateway = folder.gateway.model
    yield plan_gateway(folder.gateway.path, gateway, material, root)
    if gateway.theme.dsfr is not None:
        yield from plan_design(folder.gateway.path, material)
    oidc: list[OidcProvider] = []
    saml: list[SamlProvider] = []
    for provider in folder.providers:
        begin(provider.path)
        if isinstance(provider.model, ProviderFile):
            oidc.append(plan_oidc_provider(provider.path, provider.model, gateway, material))
        elif isinstance(provider.model, SamlProviderFile):
            saml.append(plan_saml_provider(provider.path, provider.model, gateway, material))
    begin("")
    yield from sorted(oidc, key=lambda provider: provider.name)
    yield from sorted(saml, key=lambda provider: provider.name)
    directories = (
        plan_directory(one.path, one.model, material, root) for one in folder.directories if one.model is not None
    )
    yield from sorted(directories, key=lambda directory: directory.name)
    tables = (plan_organisations(one.model, root) for one in folder.organisations if one.model is not None)
    yield from sorted(tables, key=lambda table: table.name)
    yield from _lists(folder)
    yield from _shared(folder)
    if closed.files or closed.unread:
        yield closed
    apps = []
    for loaded in (*folder.apps, *folder.shadows):
        if loaded.model is not None:
            begin(loaded.path)
            app = plan_app(loaded.document, loaded.path, loaded.model, gateway, oidc, material, root)
            apps.append((app, plan_rules(loaded.document)))
    begin("")
    for app, rules in sorted(apps, key=lambda each: (each[0].app.name, not each[0].shadow, each[0].app.file)):
        for start in range(0, len(rules), _RULES_IN_A_LINE):
            yield AccessRules(app.app.file, tuple(rules[start : start + _RULES_IN_A_LINE]))
        yield app


def _lists(folder: Folder) -> Iterator[OrganisationList]:
    """The lists of organisations; a long one is divided into several lines."""
    models = sorted((loaded.model for loaded in folder.lists if loaded.model is not None), key=lambda model: model.list)
    for model in models:
        members = [(one["number"], one["insee"]) for one in model.organisations]
        for start in range(0, len(members), _ORGANISATIONS_IN_A_LINE):
            yield OrganisationList(model.list, tuple(members[start : start + _ORGANISATIONS_IN_A_LINE]))


def _shared(folder: Folder) -> list[SharedCondition]:
    """The shared conditions in the form of their files. A condition comes after the conditions that it refers to."""
    written: dict[str, object] = {}
    models: dict[str, WrittenCondition] = {}
    for loaded in folder.shared:
        if loaded.model is not None:
            written |= cast(dict[str, dict[str, object]], loaded.document.data)["conditions"]
            models |= loaded.model.conditions
    ordered: dict[str, None] = {}
    for name in sorted(models):
        _after_its_own(name, models, ordered)
    return [SharedCondition(name, written[name]) for name in ordered]


def _after_its_own(name: str, models: dict[str, WrittenCondition], ordered: dict[str, None]) -> None:
    if name not in ordered:
        for _, leaf in leaves(models[name], ()):
            if isinstance(leaf, SharedIs):
                _after_its_own(leaf.shared, models, ordered)
        ordered[name] = None
