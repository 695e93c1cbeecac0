"""The LDAP server of the demo, where slapd is installed as Debian has it, and the files of policies/ that ask it.

Where it is not installed the example is whole without it, and the demo says what would install it.
"""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from deploy.demo.place import LOOPBACK, ROOT, Ports, with_ports

ACCOUNTS: Final = "comptes"
"""The directory; its password is that of a provider of this name."""
MISSING: Final = "an LDAP server with accounts: left out, tools/install_test_parts.sh ldap installs slapd"

_FILES: Final = ROOT / "deploy/demo/ldap"
# By the file of the example, its place in policies/.
_POLICIES: Final = {f"{ACCOUNTS}.yaml": f"directories/{ACCOUNTS}.yaml", "frais.yaml": "apps/frais.yaml"}
_SCHEMAS: Final = Path("/etc/ldap/schema")
_MODULES: Final = Path("/usr/lib/ldap")
_FILLED_WITHIN: Final = 60.0
_SETTINGS: Final = """\
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
pidfile {folder}/slapd.pid
database mdb
maxsize 16777216
index objectClass,uid eq
suffix dc=metropole,dc=example
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=cn=ecluse,dc=metropole,dc=example read by * none
"""


def is_installed() -> bool:
    return all((_program("slapd"), _program("slapadd"), find_spec("ldap"), (_SCHEMAS / "cosine.schema").exists()))


def made(folder: Path, ports: Ports, password: str) -> list[str]:
    """A new database below `folder`/var; the command that serves it. Raises OSError, subprocess.SubprocessError."""
    place = folder / "var/ldap"
    shutil.rmtree(place, ignore_errors=True)
    (place / "data").mkdir(parents=True, mode=0o700)
    settings = place / "slapd.conf"
    settings.write_text(_SETTINGS.format(schemas=_SCHEMAS, modules=_MODULES, folder=place))
    people = (_FILES / "people.ldif").read_text().replace("PASSWORD", password)
    add = [_program("slapadd"), "-f", str(settings)]
    subprocess.run(add, input=people.encode(), check=True, capture_output=True, timeout=_FILLED_WITHIN)
    return [_program("slapd"), "-f", str(settings), "-h", f"ldap://{LOOPBACK}:{ports.ldap}", "-d", "0"]


def put_policies(folder: Path, ports: Ports) -> None:
    """The directory and the application that lists it, into `folder`/policies."""
    for name, place in _POLICIES.items():
        (folder / "policies" / place).write_text(with_ports((_FILES / name).read_text(), ports))


def take_policies(folder: Path) -> None:
    """Out of there again, also those that a demo left which was killed."""
    for place in _POLICIES.values():
        (folder / "policies" / place).unlink(missing_ok=True)


def _program(name: str) -> str:
    """Empty where it is not installed."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin") or ""
