"""The table of our paths: `/_ecluse/`, and a few that standards or other products fix."""

from collections.abc import Mapping
from typing import Final

from gateway.wire.fronts import OAUTH2_PROXY
from gateway.wire.oauth2_proxy import FIRST

PREFIX: Final = b"/_ecluse"
RESERVED: Final = "_ecluse"
"""The first segment that no application has, in any spelling."""
RESERVED_BEFORE: Final = ("_ecluse;", "_ecluse%")
"""Beginnings of a first segment that no application has: where names may hold `;` or a kept escape, another server that
reads the path may cut there."""

OF_PORTAL: Final = frozenset({b"/", b"/favicon.ico"})
"""Paths of a portal host that serves no application: the home page, and the icon that browsers ask for unprompted."""
OF_FRONTS: Final[Mapping[str, str]] = {OAUTH2_PROXY: FIRST}
"""By the kind of front that an application's file names: the first segment below which every path is ours."""
