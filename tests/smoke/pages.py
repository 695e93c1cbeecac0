"""Reading the pages of the demo's applications."""

import re

from tests.browser_like import Response

_ROW = re.compile(r'<tr><th scope="row">([^<]*)</th><td>[^<]*</td><td>([0-9a-f]*)</td></tr>')


def received(page: Response) -> dict[str, bytes]:
    """What the application says it received: name to bytes (PHP and WSGI names: HTTP_X_REMOTE_USER)."""
    return {name: bytes.fromhex(value) for name, value in _ROW.findall(page.text)}
