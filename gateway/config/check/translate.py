"""What `translate:` of an application's file says against itself, and how it is compiled; which of its texts are
secrets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from gateway.config.check.tokens import told_attributes
from gateway.config.compile.served import served
from gateway.config.problems import Path, Place, Problem, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.scalars import Reference, Wrong
from gateway.config.schema.translate import InjectedAt
from gateway.config.yaml.reader import YamlDocument
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.translation.charset import LACKING
from gateway.translation.render import Constant, CookieSpec, FromAttribute, HeaderSpec, check_cookie, check_header

_Spec = TypeVar("_Spec", HeaderSpec, CookieSpec)

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
_ALWAYS_KNOWN: Final = frozenset({"subject", "provider", "issuer"})


def is_secret(name: str, value: Reference) -> bool:
    """Of a fixed text: it stands elsewhere, so that it is kept apart, or it looks like one."""
    if value.kind != "inline":
        return True
    return names_a_secret(name) or _VALUE.fullmatch(value.name.strip()) is not None


def names_a_secret(name: str) -> bool:
    folded = fold(name.encode())
    return any(word in folded for word in _NAMES)


def spec_of(kind: type[_Spec], told: InjectedAt, content: bytes | None) -> _Spec:
    """`content`: what stands where its value refers to."""
    injected, value = told.injected, told.injected.value
    source: FromAttribute | Constant
    if injected.source is not None:
        source = FromAttribute(injected.source, injected.join)
    else:
        written = value.name if value is not None and value.kind == "inline" else ""
        text = written if content is None else content.decode()
        source = Constant(text, secret=value is not None and is_secret(told.name, value))
    return served(kind, injected, name=told.name, source=source)


def check_translate(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    seen: dict[tuple[str, bytes], tuple[str, Place]] = {}
    for told in model.translate.told:
        value = told.injected.value
        try:
            # What stands elsewhere is looked at where it is read (`references`).
            _check(told, b"x" if value is not None and value.kind != "inline" else None)
        except GatewayError as error:
            yield document.problem(told.at, error.detail, key=True)
            continue
        if "unencodable" in told.injected.model_fields_set and told.injected.encoding not in LACKING:
            message = f"unencodable has an effect with {', '.join(LACKING)} only"
            yield document.problem(told.at, message, "leave it out")
        place = document.place(told.at, key=True)
        other, first = seen.setdefault((told.kind, fold(told.name.encode())), (told.name, place))
        if other != told.name:
            message = f"a server may read this as {other}"
            yield document.problem(told.at, message, key=True, others=(("and", first),))


def check_secrets(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """A secret in clear is everybody's who reads the repository, or a message that shows its line."""
    for told in model.translate.told:
        value = told.injected.value
        if value is not None and value.kind == "inline" and is_secret(told.name, value):
            path: Path = (*told.at, "value")
            place = replace(document.place(path), source="")
            message = "this looks like a secret, which is not written into this file"
            yield Problem(place, key_path(path), message, "{file: path}, {env: NAME} or {credential: name}")
    for parameter, text in parse_qsl((model.logout.url or "").partition("?")[2], keep_blank_values=True):
        if is_secret(parameter, Reference("inline", text)):
            place = replace(document.place(("logout", "url")), source="")
            message = f"`{parameter}` looks like a secret, which is not written into this file"
            hint = "let the call carry it in a header: translate.headers.NAME.value: {file: path}"
            yield Problem(place, "logout.url", message, hint)


def values_elsewhere(model: AppFile) -> Iterator[tuple[Path, Reference, Callable[[bytes], None]]]:
    """Where the file refers to a text, and what it has to be."""
    for told in model.translate.told:
        value = told.injected.value
        if value is not None and value.kind != "inline":
            yield (*told.at, "value"), value, partial(_check_content, told)


def attributes_used(model: AppFile) -> Iterator[tuple[Path, str]]:
    """What of a person the application is told, and where its file says so."""
    for told in model.translate.told:
        source = told.injected.source
        if source is not None and source not in _ALWAYS_KNOWN:
            yield (*told.at, "from"), source
    for path, source in told_attributes(model.translate) if model.translate.has_tokens else ():
        if source not in _ALWAYS_KNOWN:
            yield path, source


def _check(told: InjectedAt, content: bytes | None) -> None:
    """Raises GatewayError, UnicodeDecodeError."""
    if told.kind == "headers":
        check_header(spec_of(HeaderSpec, told, content))
    else:
        check_cookie(spec_of(CookieSpec, told, content))


def _check_content(told: InjectedAt, content: bytes) -> None:
    """Raises Wrong, without the value."""
    try:
        _check(told, content)
    except UnicodeDecodeError:
        raise Wrong("this is not UTF-8") from None
    except GatewayError:
        raise Wrong(
            f"what stands there cannot be sent in {told.name}", "one line, in letters that its encoding has"
        ) from None
