"""What of a listener's requests is led to https, and not served there."""

from typing import Literal

Redirects = Literal["nothing", "https", "all"]
"""`https`: what is public by https; `all`: whatever comes, and a host that is not public by https is led nowhere."""
