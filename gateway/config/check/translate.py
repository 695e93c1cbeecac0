"""Checks `translate` of an app file, compiles its values, and recognises the texts that are secrets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar
from urllib.parse import parse_qsl, unquote

from gateway.config.check.tokens import told_attributes
from gateway.config.compile.frozen import frozen
from gateway.config.problems import Path, Problem, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.scalars import Reference, Wrong
from gateway.config.schema.translate import (
    PRESET,
    InjectedAt,
    InjectedHeaderSection,
    InjectedSection,
    TransformSection,
)
from gateway.config.yaml.reader import YamlDocument
from gateway.model.account import ATTRIBUTE
from gateway.model.codes import config_codes
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.translation.charset import LACKING
from gateway.translation.render import KNOWN_OF_ALL, check_cookie, check_header
from gateway.translation.specs import (
    Constant,
    CookieSpec,
    FromAttribute,
    HeaderSpec,
    Source,
    Template,
    parse_template,
)

_Spec = TypeVar("_Spec", HeaderSpec, CookieSpec)

# In the name of a header or cookie, folded; four are French.
_NAMES: Final = (
    b"authorization", b"secret", b"token", b"apikey", b"accesskey", b"authkey", b"sharedkey", b"privatekey",
    b"subscriptionkey", b"functionskey", b"password", b"passwd", b"passphrase", b"credential", b"motdepasse", b"jeton",
    b"cleapi", b"pwd", b"mdp",
)  # fmt: skip
# The whole name, or behind an `X-`: too short, or too usual in other words.
_SHORT_NAMES: Final = frozenset({b"key", b"cle", b"pass", b"bearer", b"psk", b"hmac"})
# These name a flag or a setting too (`X-Otp: required`): the text has to be longer than such a word, and behind names
# that are usual for anything it has to look drawn by lot.
_SIGNED: Final = re.compile(rb".*(?:signature(?:256|sha256)?|otp|sessionid|sessid)|x?sig")
_USUAL: Final = re.compile(rb"(?:x|proxy|my|connect)*(?:auth|sid|session|signed|sso)")
_NO_WORD: Final = re.compile(r"(?=.*[0-9])\S{6,}|\S{10,}", re.DOTALL)
_DRAWN: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[\w.~+/=-]{16,}")
# RFC 9110 11.4, for whatever header: a scheme and what proves it; a JWT; a key; a user and password in a URL; tokens of
# AWS, GitHub, GitLab and Slack, which are known by their beginnings.
_VALUE: Final = re.compile(
    r"(?:basic|bearer|digest|negotiate|ntlm|apikey|token|aws4-hmac-sha256)\s+\S+.*|eyJ[\w-]+\.[\w-]*+\.?[\w-]*"
    r"|-----BEGIN .*|\w+://[^/:@]*:[^/@]*@.*"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-)[\w-]{16,}",
    re.IGNORECASE | re.DOTALL,
)
# A name and its value, as the query of an address, a connection string or JSON has them.
_NAMED_VALUE: Final = re.compile(r"""(?:\A|[?&;,{\s])["']?([\w.-]{2,40})["']?\s*[=:]\s*["']?([^\s"'&;,{}]+)""")

# A name in a template; what is between them is fixed.
_NAMED: Final = re.compile(r"\{[^{}]*\}")

_KNOWN_OF_CLAIMS: Final = frozenset({"subject", "provider", "issuer"})


def is_secret(name: str, value: Reference) -> bool:
    """Whether a fixed text is a secret: it stands outside the file, or its name or its form is that of a secret."""
    if value.kind != "inline":
        return True
    return _is_one_by_name(name, value.name) or _has_the_form_of_one(value.name)


def names_a_secret(name: str) -> bool:
    folded = fold(name.encode())
    return folded.removeprefix(b"x") in _SHORT_NAMES or any(word in folded for word in _NAMES)


def _is_one_by_name(name: str, text: str) -> bool:
    folded = fold(name.encode())
    if names_a_secret(name) or (_SIGNED.fullmatch(folded) and _NO_WORD.fullmatch(text)):
        return True
    return _USUAL.fullmatch(folded) is not None and _DRAWN.fullmatch(text) is not None


def _has_the_form_of_one(text: str) -> bool:
    return _VALUE.fullmatch(text.strip()) is not None or any(
        _is_one_by_name(name, value) for name, value in _NAMED_VALUE.findall(text)
    )


def spec_of(kind: type[_Spec], told: InjectedAt, content: bytes | None) -> _Spec:
    """`content`: the content behind a reference in `value`, else None. Raises GatewayError for a wrong template."""
    injected, value = told.injected, told.injected.value
    source: Source
    if injected.source is not None:
        escape = injected.escape if isinstance(injected, InjectedHeaderSection) else None
        source = frozen(FromAttribute, injected, name=injected.source, escape=escape)
    elif injected.template is not None:
        source = _template(told, injected.template)
    else:
        written = value.name if value is not None and value.kind == "inline" else ""
        text = written if content is None else content.decode()
        source = Constant(text, secret=value is not None and is_secret(told.name, value))
    transforms = injected.compiled_transforms()
    return frozen(kind, injected, name=told.name, source=source, transforms=transforms)


def _template(told: InjectedAt, text: str) -> Template:
    try:
        return parse_template(text)
    except GatewayError as error:
        raise GatewayError(error.code, f"{told.kind.removesuffix('s')} `{told.name}`: {error.detail}") from None


def check_translate(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    seen: dict[tuple[str, bytes], InjectedAt] = {}
    for told in model.translate.told_anywhere:
        value = told.injected.value
        try:
            # What stands elsewhere is looked at where it is read (`references`).
            _check(told, b"x" if value is not None and value.kind != "inline" else None)
        except GatewayError as error:
            yield replace(document.problem(told.at, error.detail, key=True), code=error.code.id)
            continue
        if told.injected.whole and told.injected.encoding in ("utf8", *LACKING):
            message = "whole has an effect with percent-utf8, base64, braced-base64, rfc2047, rfc8187 only"
            yield document.problem((*told.at, "whole"), message, "leave it out")
        if "unencodable" in told.injected.model_fields_set and told.injected.encoding not in LACKING:
            message = f"unencodable has an effect with {', '.join(LACKING)} only"
            yield document.problem(told.at, message, "leave it out")
        first = seen.setdefault((told.kind, fold(told.name.encode())), told)
        if first.name != told.name:
            message, place = f"a server may read this as {first.name}", document.place(first.at, key=True)
            yield document.problem(told.at, message, "keep one of the two", key=True, others=(("and", place),))


def check_secrets(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """Refuses secrets in clear. Every reader of the repository, or of a message with the line, would see the secret."""
    for told in model.translate.told_anywhere:
        value = told.injected.value
        if value is not None and value.kind == "inline" and is_secret(told.name, value):
            message = "this looks like a secret, which is not written into this file"
            yield _in_clear(document, (*told.at, "value"), message, "{file: path}, {env: NAME} or {credential: name}")
        for at, text, whole in _texts_beside(told):
            if _has_the_form_of_one(text) or (whole and _is_one_by_name(told.name, text)):
                message = "this looks like a secret, which is not written into this file"
                yield _in_clear(document, at, message, "`value: {file: path}` is the way to send one")
    for at, name, text, hint in (*_written_for_calls(model), *_claimed(model), *_compared(document.data)):
        if is_secret(name, Reference("inline", text)):
            yield _in_clear(document, at, f"`{name}` looks like a secret, which is not written into this file", hint)


def _in_clear(document: YamlDocument, at: Path, message: str, hint: str) -> Problem:
    return Problem(replace(document.place(at), source=""), key_path(at), message, hint, code=config_codes.SECRET.id)


def _texts_beside(told: InjectedAt) -> Iterator[tuple[Path, str, bool]]:
    """Yields (key path, text, whole) for the fixed texts beside a person's value.

    `whole`: the text is sent by itself."""
    injected = told.injected
    if injected.absent is not None:
        yield (*told.at, "absent"), injected.absent, True
    if isinstance(injected, InjectedHeaderSection) and injected.nobody is not None:
        yield (*told.at, "nobody"), injected.nobody, True
    for part in _NAMED.split(injected.template or ""):
        yield (*told.at, "template"), part, False
    for number, one in enumerate(injected.transforms):
        if isinstance(one, TransformSection):
            for key, text in (one.table or {}).items():
                yield (*told.at, "transforms", number, "table", key), text, True
            yield (*told.at, "transforms", number, "prefix"), one.prefix or "", False


def _written_for_calls(model: AppFile) -> Iterator[tuple[Path, str, str, str]]:
    """Yields (key path, name, text, hint) for the texts in the gateway's own calls to the application."""
    hint = "let the call carry it in a header: translate.headers.NAME.value: {file: path}"
    for name, text in _in_address(model.logout.url):
        yield ("logout", "url"), name, text, hint
    for name, text in model.logout.form.items():
        yield ("logout", "form", name), name, text, hint
    for name, text in model.logout.headers.items():
        yield ("logout", "headers", name), name, text, hint
    if model.upstream.health is not None:
        for name, text in _in_address(model.upstream.health.path):
            yield ("upstream", "health", "path"), name, text, "let a page without one say that the application is well"
    if model.form_login is not None:
        for name, text in _in_address(model.form_login.check):
            yield ("form_login", "check"), name, text, "let the session alone show this page"
    for number, step in enumerate(() if model.form_login is None else model.form_login.steps):
        at: Path = ("form_login", "steps", number)
        hint = "form_login.trusted.secret: {file: path}, sent by `fields: {NAME: secret}`"
        for name, text in step.values.items():
            yield (*at, "values", name), name, text, hint
        for key, address in (("page", step.page), ("action", step.action)):
            for name, text in _in_address(address):
                yield (*at, key), name, text, hint


def _claimed(model: AppFile) -> Iterator[tuple[Path, str, str, str]]:
    """Yields the fixed texts of tokens, which `ecluse explain` prints."""
    hint = "whoever has the token reads it: let translate.headers.NAME.value: {file: path} carry it"
    for kind, section in (("jwt", model.translate.jwt), ("sealed", model.translate.sealed)):
        for name, claim in {} if section is None else section.claims.items():
            if claim.value is not None:
                yield ("translate", kind, "claims", name, "value"), name, claim.value, hint


def _compared(data: object, at: Path = ()) -> Iterator[tuple[Path, str, str, str]]:
    """Yields the texts that conditions of rules compare with a header or a query parameter."""
    hint = "write sha256: and what `printf %s SECRET | sha256sum` prints, or let programs bring tokens (api)"
    if isinstance(data, list):
        for number, one in enumerate(data):
            yield from _compared(one, (*at, number))
    if not isinstance(data, dict):
        return
    for key, inside in data.items():
        if key in ("header", "query") and at[:1] == ("access",) and isinstance(inside, dict):
            for how in ("equals", "in"):
                texts = inside.get(how, [])
                for text in texts if isinstance(texts, list) else [texts]:
                    yield (*at, key, how), str(inside.get("name", "")), str(text), hint
        elif at or key == "access":
            yield from _compared(inside, (*at, key))


def _in_address(address: str | None) -> Iterator[tuple[str, str]]:
    """Yields the query parameters and the path segments of an address. Its path has no parameters."""
    path, _, query = (address or "").partition("?")
    yield from parse_qsl(query, keep_blank_values=True)
    for segment in path.split("/"):
        yield "a part of its path", unquote(segment)


def values_elsewhere(model: AppFile) -> Iterator[tuple[Path, Reference, Callable[[bytes], None]]]:
    """Yields the key path, the reference and the check of each text that stands outside the file."""
    for told in model.translate.told_anywhere:
        value = told.injected.value
        if value is not None and value.kind != "inline":
            yield (*told.at, "value"), value, partial(_check_content, told)


def attributes_used(model: AppFile, *, needed: bool = False) -> Iterator[tuple[Path, str]]:
    """Yields the attributes of a person that the application receives, each with its key path, except the login of the
    account.

    `needed`: leaves out attributes that a preset sends only if a provider maps them."""
    known = KNOWN_OF_ALL if model.account is None else KNOWN_OF_ALL | {ATTRIBUTE}
    for told in model.translate.told_anywhere:
        if needed and told.optional:
            continue
        for name in names_used(told.injected):
            if name not in known:
                key = () if told.at == PRESET else ("template" if told.injected.source is None else "from",)
                yield (*told.at, *key), name
    for path, source in told_attributes(model.translate) if model.translate.has_tokens else ():
        if source not in _KNOWN_OF_CLAIMS and not (source == ATTRIBUTE and model.account is not None):
            yield path, source
    trusted = None if model.form_login is None else model.form_login.trusted
    account = None if trusted is None else trusted.source
    if account is not None and account not in (_KNOWN_OF_CLAIMS if model.account is None else known):
        yield ("form_login", "trusted", "from"), account


def secrets_used(model: AppFile) -> Iterator[tuple[Path, str]]:
    """Yields the secrets of people that the application receives, each with its key path."""
    basic, form = model.translate.basic, model.form_login
    if basic is not None and basic.password_from is not None:
        yield ("translate", "basic", "password_from"), basic.password_from
    if form is not None and form.trusted is not None and form.trusted.secret_from is not None:
        yield ("form_login", "trusted", "secret_from"), form.trusted.secret_from


def names_used(injected: InjectedSection) -> tuple[str, ...]:
    """The attribute names in a value, including names that are known of every person. Empty for a wrong template, which
    another check reports."""
    if injected.source is not None:
        return (injected.source,)
    try:
        return () if injected.template is None else parse_template(injected.template).names
    except GatewayError:
        return ()


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
