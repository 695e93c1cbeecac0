"""What the pages show, done anew: the demo on free ports, commands, reloads, people."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo.place import LOOPBACK, copy_policies, free_ports
from deploy.demo.processes import Child
from deploy.demo.stack import Demo
from tests.docs.blocks import Block, blocks, normal
from tests.patience import PATIENCE
from tests.smoke.world import World

PERMIS, SUBVENTIONS, NOTES = "apps/permis.yaml", "apps/subventions.yaml", "apps/notes.yaml"
ECLUSE = f"{sys.executable} -m gateway"
_REFUSED = "Vous n’avez pas accès à cette page"


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[World]:
    ports = free_ports()
    folder.mkdir()
    copy_policies(folder, ports)
    # The pages show the example as it is where slapd is not installed.
    async with Demo(folder, ports, ldap=False) as running:
        world = World(running)
        try:
            yield world
        finally:
            await world.leave()


# --- the how-to pages -------------------------------------------------------------------------------------------------


async def outputs(folder: Path) -> list[list[str]]:
    """Every output that a how-to page may show, line by line."""
    async with demo(folder) as world:
        printed = [await _check(world.demo.folder)]
        printed += [await _wrong_folder(world, edits) for edits in (_SEVERAL, _COLLISION)]
        printed += await _reloads(world)
        printed.append(await _shell(f"{ECLUSE} reload policies", world.demo.folder))
        printed += await _refusals(world)
        printed.append((await world.gateway.admin("/readyz"))[1])
    return [normal(text).splitlines() for text in printed]


_ALOW = (PERMIS, "/admin/**\n    allow:", "/admin/**\n    alow:")
_SEVERAL = (
    (PERMIS, "hosts: [permis.localhost]", "hosts: [permis.localhost:8080]"),
    _ALOW,
    (SUBVENTIONS, "[metropole, departement, region]", "[metropole, department, region]"),
)
_COLLISION = ((SUBVENTIONS, "hosts: [subventions.localhost]", "hosts: [permis.localhost]"),)


async def _wrong_folder(world: World, edits: tuple[tuple[str, str, str], ...]) -> str:
    """What `ecluse check` says of a copy with these edits."""
    copy = world.demo.folder / "copy"
    for name in ("policies", "certs"):
        shutil.copytree(world.demo.folder / name, copy / name)
    for path, old, new in edits:
        _replace(copy / "policies" / path, old, new)
    try:
        return await _check(copy)
    finally:
        shutil.rmtree(copy)


async def _reloads(world: World) -> list[str]:
    text = world.read_policy(PERMIS)
    async with (
        world.policy(PERMIS, text + "# changed\n") as taken,
        world.policy(PERMIS, text.replace(_ALOW[1], _ALOW[2]), event="config.refused") as refused,
    ):
        pass
    settings = world.read_policy("gateway.yaml") + "workers: 7\n"
    async with world.policy("gateway.yaml", settings, event="config.refused") as fixed:
        pass
    return [_line(taken), _line(refused), _line(fixed)]


async def _refusals(world: World) -> list[str]:
    mark = world.gateway.mark()
    person, _ = await world.signed_in("paul")
    await person.open(world.permis("/admin/"))
    denied = await world.gateway.logged(mark, event="access.denied")
    answer = await person.script(world.permis("/admin/"))
    await world.sign_in(world.person(), "intrus", world.permis())
    outside = await world.gateway.logged(mark, event="login.refused")
    return [_line(denied), answer.text, _line(outside)]


def _line(record: dict[str, object]) -> str:
    """As it stands in the log."""
    return json.dumps(record, separators=(",", ":"))


async def _check(folder: Path) -> str:
    return await _shell(f"{ECLUSE} check policies", folder)


# --- the tutorial -----------------------------------------------------------------------------------------------------


class Tutorial:
    """One page, block by block: code and files are saved, commands run, addresses opened."""

    def __init__(self, world: World, port: int) -> None:
        self._world = world
        self._port = port
        self._folder = world.demo.folder
        self._notes = self._folder / "policies" / NOTES
        self._children: list[Child] = []

    async def run(self, page: Path) -> None:
        """AssertionError where an output is not the one shown."""
        try:
            for block in blocks(page):
                await self._block(block)
        finally:
            for child in self._children:
                await child.stop(5)

    async def _block(self, block: Block) -> None:
        match block.language:
            case "python":
                (self._folder / "notes.py").write_text(self._here(block.text))
            case "yaml":
                self._notes.write_text(self._here(block.text))
            case "":
                self._notes.write_text(self._notes.read_text() + block.text)
            case "text":
                printed = await (self._commands(block) if block.commands else self._page(block))
                assert normal(printed).splitlines() == block.output, f"line {block.line}: printed is\n{printed}"

    async def _commands(self, block: Block) -> str:
        printed = ""
        for command in block.commands:
            if command.endswith("&"):
                await self._start()
                continue
            if "access.denied" in command:
                await self._closed_part()
            printed += await _shell(self._here(command), self._folder)
        return printed

    async def _start(self) -> None:
        command = [sys.executable, "notes.py"]
        self._children.append(
            await Child.start("notes", command, folder=self._folder, log=self._folder / "var/notes.log")
        )
        async with asyncio.timeout(PATIENCE):
            while not await _listens(self._port):
                await asyncio.sleep(0.05)

    async def _page(self, block: Block) -> str:
        """What a browser shows at the address that was named last; where it asks to sign in, paul does."""
        url = self._here(block.address)
        page = await self._world.person().open(url)
        if page.url != url:
            self._paul, page = await self._world.signed_in("paul", url)
        return page.text

    async def _closed_part(self) -> None:
        refused = await _shell(f"{ECLUSE} reload policies/", self._folder)
        assert "access[2].alow: unknown key (did you mean allow?)" in refused
        assert "\nrefused: no file was loaded" in refused
        _replace(self._notes, "alow", "allow")
        assert (await _shell(f"{ECLUSE} check policies", self._folder)).startswith("policies: 8 app(s)")
        assert (await _shell(f"{ECLUSE} reload policies/", self._folder)).startswith("live: revision ")
        archive = self._here("http://notes.localhost:8080/archive/2009")
        page = await self._paul.open(archive)
        assert page.status == 403
        assert _REFUSED in page.text
        _, page = await self._world.signed_in("helene", archive)
        assert page.text.startswith("/archive/2009 ")

    def _here(self, text: str) -> str:
        """The text with what it names as it is in this run."""
        for told, here in (
            (":8080", f":{self._world.demo.ports.public}"),
            ("9003", str(self._port)),
            (".venv/bin/ecluse", ECLUSE),
        ):
            text = text.replace(told, here)
        return text


async def tutorial(page: Path, folder: Path) -> None:
    async with demo(folder) as world:
        await Tutorial(world, free_ports().permis).run(page)


# --- both -------------------------------------------------------------------------------------------------------------


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new))


async def _shell(command: str, folder: Path) -> str:
    """What the command prints, as a terminal shows it."""
    process = await asyncio.create_subprocess_shell(
        command.replace("curl ", "curl -s "), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return printed.decode()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
