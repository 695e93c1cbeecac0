"""A plugin of pytest for `make quick`: the machine as `make env` leaves it, whatever else is installed there.

So a test that needs a part of tools/install_test_parts.sh and does not say so (`service`) fails for everybody.
"""

import shutil
import sys
from pathlib import Path

# The commands of the parts. python-ldap is built where libldap is.
PARTS = frozenset({
    "chromium", "curl", "haproxy", "initdb", "java", "javac", "mcs", "mono", "nginx", "node", "npm", "php", "postgres",
    "redis-cli", "redis-sentinel", "redis-server", "slapadd", "slapd", "systemd-analyze", "testssl", "valkey-cli",
    "valkey-sentinel", "valkey-server", "wrk", "xmlsec1",
})  # fmt: skip
_which = shutil.which


def without_parts(cmd: str, mode: int = 1, path: str | None = None) -> str | None:
    return None if Path(cmd).name in PARTS else _which(cmd, mode, path)


def pytest_configure() -> None:
    shutil.which = without_parts  # type: ignore[assignment]
    sys.modules["ldap"] = None  # type: ignore[assignment]
