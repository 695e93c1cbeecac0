"""The requests of a listener that are redirected to https instead of served."""

from typing import Literal

Redirects = Literal["nothing", "https", "all"]
"""`https`: redirects the hosts that are public by https. `all`: redirects these hosts, and refuses other hosts."""
