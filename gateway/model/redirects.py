"""The requests of a listener that are redirected to https instead of served."""

from typing import Literal

Redirects = Literal["nothing", "https", "all"]
"""`https`: what is public by https; `all`: whatever comes, and a host that is not public by https is led nowhere."""
