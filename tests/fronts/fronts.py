"""The real servers in front, each with its configuration of deploy/fronts, its addresses replaced."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.servers import found, running

CONFIGURATIONS = Path(__file__).parents[2] / "deploy/fronts"
SECRET = b"0123456789abcdef0123456789abcdef"
GATEWAY = "trusted_proxies: [127.0.0.1/32]\nforward_auth: {secret: {env: FRONT}}\n"
SECRETS = {"env:FRONT": SECRET}

_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.errors; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {folder}/fronted.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    front: int
    gateway: int
    application: int


def configuration(name: str, ports: Ports, host: str, changes: Mapping[str, str]) -> str:
    """A file of deploy/fronts, which has each of these in it."""
    told = {
        "127.0.0.1:8080": f"127.0.0.1:{ports.gateway}",
        "127.0.0.1:9001": f"127.0.0.1:{ports.application}",
        "127.0.0.1:8000": f"127.0.0.1:{ports.front}",
        "permis.example.org": host,
        "WRITE-THE-SECRET-HERE": SECRET.decode(),
        **changes,
    }
    text = (CONFIGURATIONS / name).read_text()
    for before, after in told.items():
        assert before in text, f"{name} has no {before}"
        text = text.replace(before, after)
    return text


@contextmanager
def nginx(folder: Path, ports: Ports, host: str, changes: Mapping[str, str] | None = None) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    (folder / "fronted.conf").write_text(configuration("nginx.conf", ports, host, changes or {}))
    settings = folder / "nginx.conf"
    settings.write_text(_NGINX.format(folder=folder))
    command = [found("nginx"), "-p", str(folder), "-c", str(settings), "-e", str(folder / "nginx.errors")]
    with running(command, folder / "nginx.log", ports.front):
        yield
