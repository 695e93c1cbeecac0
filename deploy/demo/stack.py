"""Starts everything in order, waits until it answers, stops all of it."""

import asyncio
import json
import shutil
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from deploy.demo import ldap_server
from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from deploy.demo.keys import FORM_SECRET, make_all, read_secret
from deploy.demo.ministries import MINISTRIES
from deploy.demo.place import LOCAL, LOOPBACK, ROOT, Ports, Site, taken
from deploy.demo.processes import Child
from deploy.demo.provider import Client, Provider
from deploy.demo.rule import Rule
from deploy.demo.saml_messages import Identity
from deploy.demo.saml_provider import SamlProvider
from deploy.demo.story import Addresses, Story

CLIENT_ID = "ecluse"
PORTAL_HOST = "portail.localhost"
APPLICATIONS = ("permis", "subventions", *MINISTRIES, "astreinte", "examens", "portail")
_TITLES = {
    "metropole": "Connexion de la métropole",
    "departement": "Connexion du département",
    "region": "Connexion de la région",
    "syndicat": "Connexion de Roubaix et d’Armentières",
    "proconnect": "ProConnect (démonstration)",
}

_READY_WITHIN = 120.0
_APPLICATION_WITHIN = 120.0
_DRAIN_WITHIN = 40.0
_STOP_WITHIN = 5.0
_PAUSE = 0.1
# Seconds, after which a person who waits is told for what.
_SAY_AFTER = 15.0


_HERE = Site()


class DemoFailed(Exception):
    """It cannot start; the text is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the gateway starts without: wrong files of applications, whose `hosts` are closed, and why (`detail`)."""

    hosts: tuple[str, ...]
    detail: str


def left_out_in(log: Path) -> LeftOut | None:
    """What the last start in the gateway's log says; None where every file is served."""
    # The last line may be half written.
    whole = log.read_text(errors="replace").rpartition("\n")[0]
    events = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    started = max((at for at, event in enumerate(events) if event.get("event") == "gateway.started"), default=0)
    partly = next((event for event in events[started:] if event.get("event") == "config.partly"), None)
    return None if partly is None else LeftOut(tuple(partly["hosts"]), str(partly["detail"]))


def successor_in(log: Path) -> int | None:
    """The process that took over from the gateway, as its log says; None where none did."""
    lines = log.read_text(errors="replace").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return next((int(event["pid"]) for event in reversed(events) if event["event"] == "gateway.succeeded"), None)


class Demo:
    """`folder` holds policies/ (on these ports); certs/ and var/ are made beside it where they are missing. `ldap`:
    whether it has its LDAP server too, where slapd is installed. `site`: where browsers find it, as policies/ say.
    `say`: takes a line for whoever waits."""

    def __init__(
        self,
        folder: Path,
        ports: Ports,
        *,
        ldap: bool = True,
        site: Site = _HERE,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._say = say
        self._has_ldap = ldap and ldap_server.is_installed()
        self.folder = folder
        self.ports = ports
        self.site = site
        self._started = AsyncExitStack()
        self._children: list[Child] = []
        self.gateway: Child
        self.left_out: LeftOut | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._started.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._started.aclose()

    def origin(self, host: str) -> str:
        return self.site.origin(host, self.ports.public)

    def issuer(self, provider: str) -> str:
        return self.site.issuer(getattr(self.ports, provider))

    @property
    def story(self) -> str:
        """The page that everything begins at: its origin."""
        return self.site.origin(LOCAL, self.ports.story)

    async def stop_gateway(self) -> int:
        """Its exit status, once it has finished what was under way."""
        self._children.remove(self.gateway)
        return await self.gateway.stop(_DRAIN_WITHIN)

    async def one_ended(self) -> Child:
        """Returns when a program of the demo has ended by itself. After `ecluse restart`, the gateway goes on as
        another process."""
        while (ended := await self._first_ended()) is self.gateway:
            successor = successor_in(ended.log)
            if successor is None or successor == ended.pid:
                break
            ended.follow(successor)
        return ended

    async def _first_ended(self) -> Child:
        waiting = {asyncio.create_task(child.ended()): child for child in self._children}
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        return waiting[done.pop()]

    async def _start(self) -> None:
        if busy := taken(self.ports):
            listed = ", ".join(f"{port} ({name})" for name, port in busy.items())
            raise DemoFailed(
                f"taken on {LOOPBACK}: {listed}. Stop what listens there, or take free ports:"
                " .venv/bin/python -m deploy.demo --ports-free"
            )
        if shutil.which("php") is None:
            raise DemoFailed("php is missing; tools/install_test_parts.sh php installs it")
        (self.folder / "var").mkdir(mode=0o700, exist_ok=True)
        for old in (self.folder / "var").glob("*.log"):
            old.unlink()
        make_all(self.folder / "certs")
        for name in ACCOUNTS:
            await self._start_provider(name)
        for name in SAML_ACCOUNTS:
            await self._start_saml_provider(name)
        await self._start_applications()
        await self._start_ldap()
        await self._start_story()
        await self.start_gateway()

    async def _start_provider(self, name: str) -> None:
        callback = f"{self.origin(PORTAL_HOST)}/_ecluse/callback/{name}"
        client = Client(CLIENT_ID, read_secret(self.folder / "certs", name), frozenset({callback}))
        provider = Provider(
            self.issuer(name),
            _TITLES[name],
            ACCOUNTS[name],
            client,
            claims_in_id_token=name == "departement",
            like_proconnect=name == "proconnect",
        )
        await self._listen(name, provider.application())

    async def _start_saml_provider(self, name: str) -> None:
        certs, origin = self.folder / "certs", self.issuer(name)
        own = Identity(f"{origin}/metadata", (certs / f"{name}.key").read_bytes(), (certs / f"{name}.crt").read_bytes())
        endpoints = f"{self.origin(PORTAL_HOST)}/_ecluse/saml/"
        provider = SamlProvider(origin, _TITLES[name], SAML_ACCOUNTS[name], own, f"{endpoints}metadata", endpoints)
        await self._listen(name, provider.application())

    async def _listen(self, name: str, application: web.Application) -> None:
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        self._started.push_async_callback(runner.cleanup)
        port, site = getattr(self.ports, name), self.site
        await web.TCPSite(runner, site.address, port, ssl_context=site.tls).start()

    async def _start_story(self) -> None:
        rule = Rule(self.folder)
        rule.put_back()
        self._started.callback(rule.put_back)
        applications = {name: self.origin(f"{name}.{LOCAL}") for name in APPLICATIONS}
        await self._listen("story", Story(Addresses(self.story, applications, self.ports.admin), rule).application())

    async def _start_applications(self) -> None:
        permis = ROOT / "deploy/demo/permis"
        address = f"{LOOPBACK}:{self.ports.permis}"
        await self._run("permis", ["php", "-S", address, "-t", str(permis), str(permis / "index.php")], folder=permis)
        command = [sys.executable, "-m", "deploy.demo.subventions", str(self.ports.subventions)]
        await self._run("subventions", command, folder=ROOT)
        ports = [getattr(self.ports, name) for name in MINISTRIES]
        command = [sys.executable, "-m", "deploy.demo.ministries", *map(str, ports)]
        await self._run("ministries", command, folder=ROOT)
        older = [self.ports.astreinte, self.ports.examens]
        command = [
            sys.executable,
            "-m",
            "deploy.demo.services",
            *map(str, older),
            str(self.folder / "certs" / FORM_SECRET),
        ]
        await self._run("services", command, folder=ROOT)
        listens = {
            "permis": [self.ports.permis],
            "subventions": [self.ports.subventions],
            "ministries": ports,
            "services": older,
        }
        for child in self._children:
            for port in listens[child.name]:
                await _until(child, _APPLICATION_WITHIN, partial(_listens, port), self._say)

    async def _start_ldap(self) -> None:
        ldap_server.take_policies(self.folder)
        if not self._has_ldap:
            return
        self._started.callback(ldap_server.take_policies, self.folder)
        password = read_secret(self.folder / "certs", ldap_server.ACCOUNTS)
        command = ldap_server.made(self.folder, self.ports, password)
        child = await self._run("ldap", command, folder=self.folder)
        await _until(child, _APPLICATION_WITHIN, partial(_listens, self.ports.ldap), self._say)
        ldap_server.put_policies(self.folder, self.ports)

    async def start_gateway(self) -> None:
        """Once in the beginning; again after `stop_gateway`."""
        command = [sys.executable, "-m", "gateway", "serve", "policies"]
        self.gateway = await self._run("gateway", command, folder=self.folder, stop_within=_DRAIN_WITHIN)
        await _until(self.gateway, _READY_WITHIN, partial(_is_ready, self.ports.admin), self._say)
        self.left_out = left_out_in(self.gateway.log)

    async def _run(self, name: str, command: list[str], *, folder: Path, stop_within: float = _STOP_WITHIN) -> Child:
        child = await Child.start(name, command, folder=folder, log=self.folder / "var" / f"{name}.log")
        self._children.append(child)
        self._started.push_async_callback(child.stop, stop_within)
        return child


async def _until(
    child: Child, within: float, answers: Callable[[], Awaitable[bool]], say: Callable[[str], None]
) -> None:
    began = said = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(within):
            while not await answers():
                if child.status is not None:
                    raise DemoFailed(f"{child.name} ended with status {child.status}:\n{child.tail()}")
                now = asyncio.get_running_loop().time()
                if now - said >= _SAY_AFTER:
                    said = now
                    say(f"{child.name} is starting, for {now - began:.0f} s now.")
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise DemoFailed(f"{child.name} is not ready after {within:.0f} s:\n{child.tail()}") from None


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


async def _is_ready(admin: int) -> bool:
    try:
        async with aiohttp.request("GET", f"http://{LOOPBACK}:{admin}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
