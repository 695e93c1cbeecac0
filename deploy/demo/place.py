"""Where the demo runs: its ports, and the folder with its policies, keys and state."""

import re
import shutil
import socket
import ssl
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from deploy.demo.ports import LOOPBACK, free

ROOT = Path(__file__).resolve().parents[2]
LOCAL = "localhost"
TLS_PORT = 8443


@dataclass(frozen=True, slots=True)
class Ports:
    """All on 127.0.0.1. `public` is the gateway's, `admin` its admin listener; then applications, of which the last
    five are the ministries', providers, the page that tells the story, and the LDAP server."""

    public: int
    admin: int
    permis: int
    subventions: int
    elections: int
    ecoles: int
    avis: int
    astreinte: int
    examens: int
    metropole: int
    departement: int
    region: int
    syndicat: int
    proconnect: int
    story: int
    ldap: int


# As policies/ has them.
USUAL = Ports(
    public=8080,
    admin=8081,
    permis=9001,
    subventions=9002,
    elections=9011,
    ecoles=9012,
    avis=9013,
    astreinte=9014,
    examens=9015,
    metropole=9400,
    departement=9401,
    region=9402,
    syndicat=9403,
    proconnect=9404,
    story=8082,
    ldap=9389,
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where browsers find the demo: `host` and names below it. With `tls` on every address of this machine, else on
    this machine alone; then `names` are all that the DNS has to know, `host` among them."""

    host: str = LOCAL
    tls: ssl.SSLContext | None = None
    names: tuple[str, ...] = ()

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def address(self) -> str:
        return "0.0.0.0" if self.tls else LOOPBACK  # noqa: S104 - it was asked to be shown to other machines

    def origin(self, host: str, port: int) -> str:
        """Of an application, by its host in policies/, in the copy as in the example."""
        moved = host if host.endswith(f".{self.host}") else f"{host.removesuffix(LOCAL)}{self.host}"
        return f"{self.scheme}://{moved}:{port}"

    def issuer(self, port: int) -> str:
        """Of a provider, which the gateway reaches by it as well."""
        return f"https://{self.host}:{port}" if self.tls else f"http://{LOOPBACK}:{port}"


_AUTHORITY = re.compile(r"(?<=localhost:|127\.0\.0\.1:)\d+\b")


def free_ports() -> Ports:
    """Ports that nothing listens on at this moment, all different."""
    return Ports(*free(len(fields(Ports))))


def taken(ports: Ports) -> dict[str, int]:
    """Those that cannot be listened on, by what they are for."""
    return {field.name: port for field in fields(Ports) if not _is_free(port := getattr(ports, field.name))}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def copy_policies(target: Path, ports: Ports) -> None:
    """`target`/policies: the example's files on these ports. Keys and state, named relative to it, come beside it."""
    policies = target / "policies"
    shutil.copytree(ROOT / "policies", policies)
    for path in policies.rglob("*.yaml"):
        path.write_text(with_ports(path.read_text(), ports))


def with_ports(text: str, ports: Ports) -> str:
    """The usual ports after `127.0.0.1:` or a `localhost:` name replaced, in one pass."""
    moved = {str(old): str(new) for old, new in zip(astuple(USUAL), astuple(ports), strict=True)}
    return _AUTHORITY.sub(lambda found: moved.get(found[0], found[0]), text)
