"""From the bytes of the files to a plan: pure, and either whole or a list of everything that is wrong."""

from dataclasses import dataclass

from gateway.config.check.folder import check_folder
from gateway.config.check.references import resolve
from gateway.config.compile.plan import revision_of
from gateway.config.compile.planning import plan_of
from gateway.config.folder.files import GATEWAY_FILE, Files, closed_hosts
from gateway.config.problems import Place, Problem, ProblemsFound
from gateway.config.schema.load import Folder, load


@dataclass(frozen=True, slots=True)
class Compiled:
    """`plan`: what a worker builds its snapshot from, secrets included. `revision`: its SHA-256, hex.

    `left_out`: what is wrong in app files that were not taken; those that stay as they were (`kept`), and those whose
    hosts are closed (`closed`).
    """

    plan: bytes
    revision: str
    left_out: tuple[Problem, ...] = ()
    kept: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


def compile_files(files: Files) -> Compiled:
    """Raises ProblemsFound with every problem of every file."""
    folder, found = load(files)
    material, unresolved = resolve(folder, files)
    unchanged = {path for path, content in files.good.items() if files.texts.get(path) == content}
    problems = [*found, *unresolved, *check_folder(folder, unchanged)]
    if folder.gateway is None and folder.complete:
        problems.append(
            Problem(Place(files.shown(GATEWAY_FILE), 0, 0), "", "this file is missing", "is this the policy folder?")
        )
    if problems:
        raise ProblemsFound(problems)
    plan = plan_of(folder, material, files.root, _closed(folder, files))
    return Compiled(plan, revision_of(plan))


def _closed(folder: Folder, files: Files) -> dict[str, str]:
    if folder.gateway is None or folder.gateway.model is None:
        return {}
    owned = {host for app in folder.apps if app.model is not None for host in app.model.hosts}
    return closed_hosts(files.closed, owned, folder.gateway.model.portal.host)
