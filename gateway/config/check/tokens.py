"""Checks the tokens of an app file against the rest of the file, gateway.yaml and the other applications."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from gateway.config.folder.files import team_of
from gateway.config.problems import Path, Place, Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.app_tokens import BasicSection, JwtSection, TokenSection
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import Folder
from gateway.config.schema.scalars import Reference, Wrong
from gateway.config.schema.tickets import AspNetTicketSection, Ltpa2Section
from gateway.config.schema.translate import TranslateSection
from gateway.config.yaml.reader import YamlDocument
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.tokens.aspnet import DECRYPTION_KEY_BYTES, VALIDATION_KEY_BYTES, machine_key
from gateway.tokens.basic import HEADER
from gateway.tokens.ltpa import ltpa_keys
from gateway.tokens.sealed import shared_key
from gateway.translation.render import check_cookie, check_header
from gateway.translation.specs import Constant, CookieSpec, HeaderSpec

JWT: Final[Path] = ("translate", "jwt")
SEALED: Final[Path] = ("translate", "sealed")
BASIC: Final[Path] = ("translate", "basic")
ASPNET: Final[Path] = ("translate", "aspnet_ticket")
LTPA2: Final[Path] = ("translate", "ltpa2")

# Of a connection to the application that is still to be opened, and of what waits before it.
SPARE_BESIDE_CONNECT: Final = 10


def spare_of(gateway: GatewayFile) -> int:
    """The seconds within which a token has to arrive. A token that ends within this time is not sent."""
    return int(gateway.timeouts.connect) + SPARE_BESIDE_CONNECT


def carriers(translate: TranslateSection) -> Iterator[tuple[Path, str, str]]:
    """Yields the key path, the section (headers or cookies) and the name of each generated header or cookie."""
    for path, token in token_sections(translate):
        if token.header is not None:
            yield (*path, "header"), "headers", token.header
        if token.cookie is not None:
            yield (*path, "cookie"), "cookies", token.cookie

    for path, ticket in ticket_sections(translate):
        yield (*path, "cookie"), "cookies", ticket.cookie
    if translate.basic is not None:
        yield BASIC, "headers", HEADER


def references(translate: TranslateSection) -> Iterator[tuple[Path, Reference, Callable[[bytes], None]]]:
    """Yields the key path, the reference and the check of each secret."""
    if translate.sealed is not None:
        yield (*SEALED, "key"), translate.sealed.key, _check_shared_key
    if translate.basic is not None and translate.basic.password is not None:
        yield (*BASIC, "password"), translate.basic.password, partial(_check_password, translate.basic)
    if (ticket := translate.aspnet_ticket) is not None:
        yield (*ASPNET, "validation_key"), ticket.validation_key, partial(_check_machine_key, VALIDATION_KEY_BYTES)
        yield (*ASPNET, "decryption_key"), ticket.decryption_key, partial(_check_machine_key, DECRYPTION_KEY_BYTES)
    if translate.ltpa2 is not None:
        # The keys and the password can only be checked together: check_ltpa_keys.
        yield (*LTPA2, "keys"), translate.ltpa2.keys, lambda _: None
        yield (*LTPA2, "password"), translate.ltpa2.password, lambda _: None


def check_ltpa_keys(section: Ltpa2Section, exported: bytes, password: bytes) -> None:
    """Checks the keys that WebSphere exports. Raises Wrong, without any content of the file."""
    try:
        keys = ltpa_keys(exported, password)
    except ValueError as error:
        raise Wrong(f"these are not the keys that WebSphere exports: {error}", "the file and its password") from None
    if not (section.realm or keys.realm):
        raise Wrong("this file names no realm", "write realm: defaultRealm, as the application's registry has it")


def _check_machine_key(lengths: range | tuple[int, ...], content: bytes) -> None:
    """Raises Wrong, without the key."""
    try:
        machine_key(content, lengths)
    except ValueError as error:
        digits = "40 to 128" if isinstance(lengths, range) else "32, 48 or 64"
        hint = "as web.config has it, without AutoGenerate and IsolateApps"
        raise Wrong(f"a key of {digits} hexadecimal digits is needed, and these are {error}", hint) from None


def _check_shared_key(content: bytes) -> None:
    """Raises Wrong, without the key."""
    try:
        shared_key(content)
    except ValueError:
        raise Wrong("this is not a key of 32 bytes in base64", "openssl rand -base64 32") from None


def _check_password(basic: BasicSection, content: bytes) -> None:
    """Raises Wrong, without the value."""
    try:
        text = content.decode()
        text.encode("latin-1" if basic.encoding == "latin1" else "utf-8")
    except UnicodeError:
        raise Wrong(f"this password is not in letters that {basic.encoding} has") from None
    if not text.isprintable():
        # RFC 7617 2
        raise Wrong("a password is one line, without control characters")


def token_sections(translate: TranslateSection) -> Iterator[tuple[Path, TokenSection]]:
    if translate.jwt is not None:
        yield JWT, translate.jwt
    if translate.sealed is not None:
        yield SEALED, translate.sealed


def ticket_sections(translate: TranslateSection) -> Iterator[tuple[Path, AspNetTicketSection | Ltpa2Section]]:
    if translate.aspnet_ticket is not None:
        yield ASPNET, translate.aspnet_ticket
    if translate.ltpa2 is not None:
        yield LTPA2, translate.ltpa2


def told_attributes(translate: TranslateSection) -> Iterator[tuple[Path, str]]:
    """The attributes of people in claims, and where they are written."""
    for path, token in token_sections(translate):
        for name, claim in token.claims.items():
            if claim.source is not None:
                yield (*path, "claims", name, "from"), claim.source
    if translate.basic is not None and translate.basic.account.source is not None:
        yield (*BASIC, "account", "from"), translate.basic.account.source
    for path, ticket in ticket_sections(translate):
        user_data = ticket.user_data if isinstance(ticket, AspNetTicketSection) else None
        for key, told in (("account", ticket.account), ("user_data", user_data)):
            if told is not None and told.source is not None:
                yield (*path, key, "from"), told.source


def check_header_of_programs(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """Refuses an injected Authorization header for an application with `api`."""
    written = [(told.at, told.kind, told.name) for told in model.translate.told_anywhere]
    for path, section, name in (*written, *carriers(model.translate)):
        if section == "headers" and fold(name.encode()) == b"authorization":
            # Invariant 3: what a client sends under an injected name is dropped before it is read.
            message = "no program's token would arrive (api), for it comes in this header"
            yield document.problem(path, message, "choose another header, or leave api out", key=True)


def check_tokens(document: YamlDocument, model: AppFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    yield from _names(document, model)
    basic = model.translate.basic
    if basic is not None and ":" in (basic.account.value or ""):
        yield document.problem((*BASIC, "account", "value"), "the password would begin behind the colon")
    if gateway is not None:
        for path, ticket in ticket_sections(model.translate):
            yield from _lives(document, (*path, "life"), ticket.life, gateway)
    for path, token in token_sections(model.translate):
        if gateway is not None:
            yield from _lives(document, (*path, "life"), token.life, gateway)
            if isinstance(token, JwtSection):
                yield from _has_key(document, (*path, "algorithm"), token, gateway)


def _names(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    translate = model.translate
    taken: dict[tuple[str, bytes], tuple[str, Place]] = {
        (told.kind, fold(told.name.encode())): (told.name, document.place(told.at, key=True))
        for told in translate.told_anywhere
    }
    for path, section, name in carriers(translate):
        place = document.place(path)
        try:
            if section == "headers":
                check_header(HeaderSpec(name, Constant("x")))
            else:
                check_cookie(CookieSpec(name, Constant("x")))
        except GatewayError as error:
            yield document.problem(path, error.detail)
            continue
        other, first = taken.setdefault((section, fold(name.encode())), (name, place))
        if first is not place:
            message = f"a server may read this as {other}"
            yield document.problem(path, message, "keep one of the two", others=(("and", first),))


def _lives(document: YamlDocument, path: Path, life: int, gateway: GatewayFile) -> Iterator[Problem]:
    least = 2 * spare_of(gateway)
    if life < least:
        message = f"{life} s are too short where connecting may take {gateway.timeouts.connect:g} s"
        yield document.problem(path, message, f"write life: {least}s at least")


def _has_key(document: YamlDocument, path: Path, token: JwtSection, gateway: GatewayFile) -> Iterator[Problem]:
    keys = () if gateway.tokens is None else gateway.tokens.keys
    # Without keys in the file, the gateway makes them.
    if keys and token.algorithm not in {key.algorithm for key in keys}:
        message = f"gateway.yaml has no key that signs {token.algorithm} tokens"
        hint = f"tokens: {{keys: [{{algorithm: {token.algorithm}, key: {{file: ...}}}}]}}"
        yield document.problem(path, message, hint)


def check_audiences(folder: Folder) -> Iterator[Problem]:
    """Refuses an audience that two applications share, and the name of another application. A token that two
    applications accept does not prove that a request came through the gateway."""
    names = {name for app in folder.apps if (name := app.written("app")) is not None}
    first: dict[str, tuple[str, Place]] = {}
    for app in sorted(folder.apps, key=lambda one: bool(team_of(one.path))):
        for section, token in () if app.model is None else token_sections(app.model.translate):
            assert app.model is not None
            path = (*section, "audience")
            audience = token.audience or app.model.app
            place = app.document.place(path)
            other, there = first.setdefault(audience, (app.model.app, place))
            if other != app.model.app:
                message = f"{other} has this audience: a token of one would be good for the other"
                yield app.document.problem(path, message, others=(("and", there),))
            elif audience != app.model.app and audience in names:
                message = f"this is the name of another application: a token of {app.model.app} would be good there"
                yield app.document.problem(path, message, "leave it out, or write an address of this application")


def audiences_beyond(model: AppFile) -> Iterator[Path]:
    """Yields the key paths of audiences in a team's file that could belong to another application, behind the gateway
    or elsewhere."""
    for section, token in token_sections(model.translate):
        if token.audience in (None, model.app):
            continue
        url = urlsplit(str(token.audience))
        if url.scheme not in ("http", "https") or url.netloc.partition(":")[0] not in model.hosts:
            yield (*section, "audience")
