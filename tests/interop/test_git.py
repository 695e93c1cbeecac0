"""`git clone` and `git push` over HTTP, to git's own server: by who is signed in, and by nobody else."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.interop.git_server import git_over_http
from tests.interop.servers import found
from tests.patience import PATIENCE
from tests.proxy.gateways import HOST, Gateway, gateway

pytestmark = pytest.mark.service

APP = """version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole]
translate: {{headers: {{X-Remote-User: {{from: uid}}}}}}
access:
  - {{path: /**, allow: signed_in}}
"""
# No pipe of git's holds as much: it sends a body in chunks.
LARGE = os.urandom(3 << 20)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    repositories, (port,) = tmp_path_factory.mktemp("git"), free(1)
    subprocess.run(
        [found("git"), "init", "-q", "--bare", "-b", "main", f"{repositories}/projet.git"], check=True, timeout=PATIENCE
    )
    with git_over_http(repositories, port):
        yield port


class Work:
    """Somebody's machine. `cookie`: the Cookie line of their seat, empty for nobody."""

    def __init__(self, folder: Path, gate: Gateway, cookie: bytes) -> None:
        self.folder, self.gate, self.cookie = folder, gate, cookie
        self.url = f"http://{HOST.decode()}:{gate.port}/projet.git"

    async def git(self, *words: str, fails: bool = False) -> str:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
            "GIT_AUTHOR_NAME": "H", "GIT_AUTHOR_EMAIL": "h@corp.example", "GIT_COMMITTER_NAME": "H",
            "GIT_COMMITTER_EMAIL": "h@corp.example",
        }  # fmt: skip
        own = ["-c", f"http.extraHeader={self.cookie.decode()}"] if self.cookie else []
        ran = await asyncio.create_subprocess_exec(
            found("git"), *own, *words, cwd=self.folder, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(ran.communicate(), PATIENCE)
        assert (ran.returncode != 0) is fails, said.decode()
        return said.decode()


async def test_a_clone_a_large_push_and_a_pull(port: int, tmp_path: Path) -> None:
    async with gateway(0, changes={"apps/permis.yaml": APP.format(port=port)}) as gate:
        one = Work(tmp_path, gate, gate.sign_in(uid="helene"))
        await one.git("clone", one.url, "one")
        (tmp_path / "one/large").write_bytes(LARGE)
        for words in (("add", "large"), ("commit", "-q", "-m", "Large"), ("push", "origin", "HEAD:main")):
            await one.git("-C", "one", *words)
        await one.git("clone", one.url, "two")
        assert (tmp_path / "two/large").read_bytes() == LARGE
        (tmp_path / "two/small").write_text("é")
        for words in (("add", "small"), ("commit", "-q", "-m", "Small"), ("push", "origin", "HEAD:main")):
            await one.git("-C", "two", *words)
        await one.git("-C", "one", "pull", "-q", "origin", "main")
        assert (tmp_path / "one/small").read_text() == "é"

        nobody = Work(tmp_path, gate, b"")
        await nobody.git("clone", one.url, "three", fails=True)
        assert not (tmp_path / "three").exists()
