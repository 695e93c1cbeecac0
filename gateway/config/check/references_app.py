"""What an application's file refers to, and what each of it has to be; which of its texts are secrets."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from gateway.config.check.pem import check_certificates
from gateway.config.problems import Path
from gateway.config.schema.app import AppFile, InjectedSection
from gateway.config.schema.scalars import Reference, Wrong
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.translation.render import Constant, CookieSpec, HeaderSpec, check_cookie, check_header

_Check = Callable[[bytes], None]

# In the name of a header or cookie, folded; the last three are French.
_NAMES: Final = (
    b"authorization", b"secret", b"token", b"apikey", b"accesskey", b"authkey", b"sharedkey", b"privatekey",
    b"subscriptionkey", b"functionskey", b"password", b"passwd", b"passphrase", b"credential", b"motdepasse", b"jeton",
    b"cleapi",
)  # fmt: skip
# RFC 9110 11.4, for whatever header: a scheme and what proves it; a JWT; a key; a user and password in a URL.
_VALUE: Final = re.compile(
    r"(?:basic|bearer|digest|negotiate|ntlm|apikey|token)\s+\S+.*|eyJ[\w-]+\.[\w-]*\.?[\w-]*|-----BEGIN .*|\w+://[^/@]*:[^/@]*@.*",
    re.IGNORECASE | re.DOTALL,
)


def app_references(model: AppFile) -> Iterator[tuple[Path, Reference, _Check]]:
    if model.upstream.ca is not None:
        yield ("upstream", "ca"), model.upstream.ca, check_certificates
    for section, entries in (("headers", model.translate.headers), ("cookies", model.translate.cookies)):
        for name, injected in entries.items():
            if injected.value is not None and injected.value.kind != "inline":
                check = partial(_check, section, name, injected)
                yield ("translate", section, name, "value"), injected.value, check


def is_secret(name: str, value: Reference) -> bool:
    """Of a fixed text: it stands elsewhere, so that it is kept apart, or it looks like one."""
    if value.kind != "inline":
        return True
    return names_a_secret(name) or _VALUE.fullmatch(value.name.strip()) is not None


def names_a_secret(name: str) -> bool:
    folded = fold(name.encode())
    return any(word in folded for word in _NAMES)


def _check(section: str, name: str, injected: InjectedSection, content: bytes) -> None:
    """Raises Wrong, without the value."""
    try:
        text = Constant(content.decode("utf-8"))
        if section == "headers":
            check_header(HeaderSpec(name, text, injected.encoding, injected.unencodable))
        else:
            check_cookie(CookieSpec(name, text, injected.encoding, injected.unencodable))
    except UnicodeDecodeError:
        raise Wrong("this is not UTF-8") from None
    except GatewayError:
        raise Wrong(
            f"what stands there cannot be sent in {name}", "one line, in letters that its encoding has"
        ) from None
