"""The real servers in front, each with its configuration of deploy/fronts, its addresses replaced."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.servers import READY_WITHIN, found, running

ROOT = Path(__file__).parents[2]
CONFIGURATIONS = ROOT / "deploy/fronts"
SECRET = b"0123456789abcdef0123456789abcdef"
GATEWAY = "trusted_proxies: [127.0.0.1/32]\nforward_auth: {secret: {env: FRONT}, host: 127.0.0.1}\n"
SECRETS = {"env:FRONT": SECRET}

_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.errors; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {folder}/nginx.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    front: int
    gateway: int
    application: int


def configuration(name: str, ports: Ports, host: str, changes: Mapping[str, str]) -> str:
    """A file of deploy/fronts, its addresses, name and secret replaced. `changes`: more of that."""
    told = {
        "127.0.0.1:8080": f"127.0.0.1:{ports.gateway}",
        "127.0.0.1:9001": f"127.0.0.1:{ports.application}",
        "127.0.0.1:8000": f"127.0.0.1:{ports.front}",
        "port_value: 8080": f"port_value: {ports.gateway}",
        "port_value: 9001": f"port_value: {ports.application}",
        "port_value: 8000": f"port_value: {ports.front}",
        "permis.example.org:8000": f"{host}:{ports.front}",
        "permis.example.org": host,
        "WRITE-THE-SECRET-HERE": SECRET.decode(),
        **changes,
    }
    text = (CONFIGURATIONS / name).read_text()
    for before, after in told.items():
        text = text.replace(before, after)
    return text


@contextmanager
def running_front(
    kind: str,
    folder: Path,
    ports: Ports,
    host: str,
    changes: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[None]:
    """`kind`: as an application's file names it. `tls`: a client's, where `changes` make it speak that."""
    folder.mkdir(exist_ok=True)
    for name in FILES[kind]:
        (folder / WRITTEN.get(name, name)).write_text(configuration(name, ports, host, changes or {}))
    with running(COMMANDS.get(kind, _nginx)(folder), folder / f"{kind}.log", ports.front):
        if kind == "traefik":
            _wait_for_routes(ports.front, host, tls)
        yield


def _wait_for_routes(port: int, host: str, tls: ssl.SSLContext | None) -> None:
    """It listens before it has read where anything goes."""
    asked = b"GET /_ecluse/authz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        try:
            plain = socket.create_connection(("127.0.0.1", port), timeout=READY_WITHIN)
            with tls.wrap_socket(plain, server_hostname=host) if tls else plain as client:
                client.sendall(asked)
                if client.recv(1024).startswith(b"HTTP/1.1 403 "):
                    return
        except ssl.SSLError:
            pass  # its certificate it has not read either
        time.sleep(0.05)
    raise AssertionError("Traefik has no routes")


def _nginx(folder: Path) -> list[str]:
    settings = folder / "whole.conf"
    settings.write_text(_NGINX.format(folder=folder))
    return [found("nginx"), "-p", str(folder), "-c", str(settings), "-e", str(folder / "nginx.errors")]


def _of_pypi(name: str) -> str:
    path = ROOT / ".venv-fronts/bin" / name
    assert path.exists(), f"{name} is not installed: run `make test` once"
    return str(path)


FILES = {"nginx": ("nginx.conf",), "haproxy": ("haproxy.cfg", "ecluse.lua"), "caddy": ("Caddyfile",),
         "traefik": ("traefik.yaml", "traefik-ecluse.yaml"), "envoy": ("envoy.yaml",),
         "oauth2-proxy": ("nginx-oauth2-proxy.conf",)}  # fmt: skip
WRITTEN = {"nginx-oauth2-proxy.conf": "nginx.conf"}
COMMANDS: Mapping[str, Callable[[Path], list[str]]] = {
    "nginx": _nginx,
    "haproxy": lambda folder: [found("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")],
    "caddy": lambda folder: [_of_pypi("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
    "traefik": lambda folder: [_of_pypi("traefik"), f"--configFile={folder / 'traefik.yaml'}"],
    "envoy": lambda folder: [
        _of_pypi("envoy"),
        "-c",
        str(folder / "envoy.yaml"),
        "--use-dynamic-base-id",
        "--concurrency",
        "1",
    ],
}
