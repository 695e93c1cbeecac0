"""Encodes and decodes the contents of sealed records as JSON. A field that an older record lacks has its default.

Raises GatewayError(store_codes.UNREADABLE) for a record of another release that this release cannot read: the person
signs in again. `sealing.VERSION` covers these forms too.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from sys import intern
from typing import Any, Generic, ParamSpec, TypeVar, cast, get_args

from gateway.formlogin.spec import ApplicationSession
from gateway.model.codec import codec_of
from gateway.model.codes import store_codes
from gateway.model.directory import DirectoryFinding
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.kept_post import KeptPost
from gateway.model.levels import Need, StepUpRequest
from gateway.model.mandate import TermOfOffice
from gateway.model.ports import Page
from gateway.model.session import NameIdFields, Session, SignOutNote, Tokens
from gateway.model.transaction import (
    HandOver,
    OidcLogin,
    ParkedAssertion,
    ParkedResponse,
    ParkedSignIn,
    SamlLogin,
    SamlLogout,
    Served,
    SignOut,
    Transaction,
    WaitedPage,
)

# `json.dumps` makes one for each call.
_ENCODER = json.JSONEncoder(separators=(",", ":"))
# An empty set is 216 bytes, each time.
_NO_NAMES: frozenset[str] = frozenset()


Kept = TypeVar("Kept")
Arguments = ParamSpec("Arguments")


@dataclass(frozen=True, slots=True)
class Form(Generic[Kept]):
    """Encodes and decodes the records of one kind. `read` raises GatewayError(store_codes.UNREADABLE)."""

    kind: str
    write: Callable[[Kept], bytes]
    read: Callable[[bytes], Kept]


def understood(read: Callable[Arguments, Kept]) -> Callable[Arguments, Kept]:
    """Wraps a reader, so that an unreadable form raises one kind of error."""

    @wraps(read)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Kept:
        try:
            return read(*args, **kwargs)
        except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as error:
            # Only the error's kind, because the text of some errors repeats the record's contents.
            detail = f"a record in a form of another release that this one does not read ({type(error).__name__})"
            raise GatewayError(store_codes.UNREADABLE, detail) from None

    return checked


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session with the hash (hex) of its browser."""

    session: Session
    browser: str


# A session is `1 | length of what is deflated (4) | deflated JSON | JSON of its secrets`; version 1 of records had one
# JSON alone, which begins with a brace. Deflated with what most sessions have in common, the latter parts the nearest:
# 20 attributes take half the room, for some 30 us when they are written and 10 us when they are read.
#
# The deflated length reveals some of the contents to an attacker who reads the store or its network. So secrets are not
# deflated beside values that others choose (people write some attributes of a provider's directory themselves): the ID
# token, the refresh token and the hash of the browser's binding are not deflated at all.
_DEFLATED = b"\1"
_SECRETS = ("id_token", "tokens", "browser")
# What is known of a person stays far below this, even where several directories answer with a megabyte each. JSON
# writes an accent in six characters.
_LONGEST = 1 << 24
_IN_COMMON = b"".join(
    (
        b"eduPersonPrincipalName eduPersonAffiliation supannEtablissement preferredLanguage postalAddress ",
        b"employeeNumber ",
        b"departmentNumber telephoneNumber displayName organizational_unit organization title phone_number ",
        b"siren siret ",
        b'groups roles given_name family_name usual_name email mail uid cn fr @ .fr","left_out":["',
        b'"findings":[{"directory":"","values":{},"unknown":[],"asked_at":17,"found":true}],"name_id":["',
        b'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent","urn:oasis:names:tc:SAML:2.0:nameid-format:transient"',
        b'"]},"left_out":[],"acr":"eidas1","amr":["pwd","otp"],"authenticated_at":17',
        b'"]},"left_out":[],"acr":null,"amr":[],"authenticated_at":17,"findings":[]},"tenant":"2","created_at":17',
        b',"expires_at":17,"idle":3600,"sid":"","name_id":null}',
        b'{"id":"","identity":{"provider":"","issuer":"https://","subject":"","attributes":{"":["',
    )
)


def session_to_bytes(stored: StoredSession) -> bytes:
    session = stored.session
    values = {**_fields(session), "identity": _identity_fields(session.identity), "browser": stored.browser}
    values["tokens"] = None if session.tokens is None else _fields(session.tokens)
    secrets = {name: values.pop(name) for name in _SECRETS}
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS, zdict=_IN_COMMON)
    deflated = deflating.compress(_dump(values)) + deflating.flush()
    return _DEFLATED + len(deflated).to_bytes(4, "big") + deflated + _dump(secrets)


def _session_values(data: bytes) -> dict[str, Any]:
    if data[:1] != _DEFLATED:
        return dict(json.loads(data))
    end = 5 + int.from_bytes(data[1:5], "big")
    inflating = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_IN_COMMON)
    inflated = inflating.decompress(data[5:end], _LONGEST)
    if not inflating.eof or inflating.unused_data:
        raise ValueError("a session that does not end where it should")
    return {**json.loads(inflated), **json.loads(data[end:])}


@understood
def session_from_bytes(data: bytes) -> StoredSession:
    values = _session_values(data)
    identity, browser = _identity(values.pop("identity")), values.pop("browser")
    name_id = _name_id(values.pop("name_id", None))
    told = values.pop("tokens", None)
    tokens = None if told is None else Tokens(**told)
    return StoredSession(Session(identity=identity, name_id=name_id, tokens=tokens, **values), browser)


def _name_id(value: list[str | None] | None) -> NameIdFields | None:
    return None if value is None else cast(NameIdFields, tuple(value))


def _identity_fields(identity: Identity) -> dict[str, Any]:
    attributes, left_out = dict(identity.attributes), sorted(identity.left_out)
    findings = [_finding_fields(finding) for finding in identity.findings]
    # The terms in office depend on the hour and are worked out at each reading.
    kept = {**_fields(identity), "attributes": attributes, "left_out": left_out, "findings": findings}
    del kept["terms"]
    return kept


def _finding_fields(finding: DirectoryFinding) -> dict[str, Any]:
    kept = {**_fields(finding), "unknown": sorted(finding.unknown)}
    terms, was_found = kept.pop("terms"), kept.pop("was_found")
    kept |= {"terms": [_fields(term) for term in terms]} if terms else {}
    return kept | ({"was_found": True} if was_found else {})


def _identity(values: dict[str, Any]) -> Identity:
    attributes = {intern(name): tuple(each) for name, each in values.pop("attributes").items()}
    left_out, amr = _names(values.pop("left_out")), tuple(values.pop("amr"))
    findings = tuple(map(_finding, values.pop("findings", ())))
    values["provider"], values["issuer"] = intern(values["provider"]), intern(values["issuer"])
    return Identity(attributes=attributes, left_out=left_out, amr=amr, findings=findings, **values)


def _names(given: list[str]) -> frozenset[str]:
    """Attribute names. Interned, because a worker holds tens of thousands of people, who share the names of our files.
    Values are not interned: they go with the person."""
    return frozenset(map(intern, given)) if given else _NO_NAMES


def _finding(values: dict[str, Any]) -> DirectoryFinding:
    found = {intern(name): tuple(each) for name, each in values.pop("values").items()}
    terms = tuple(TermOfOffice(**term) for term in values.pop("terms", ()))
    return DirectoryFinding(values=found, unknown=_names(values.pop("unknown")), terms=terms, **values)


def transaction_to_bytes(transaction: Transaction) -> bytes:
    return _dump(_transaction_fields(transaction))


@understood
def transaction_from_bytes(data: bytes) -> Transaction:
    return _transaction(json.loads(data))


def _transaction_fields(transaction: Transaction) -> dict[str, Any]:
    return {**_fields(transaction), "need": _fields(transaction.need)}


def _transaction(values: dict[str, Any]) -> Transaction:
    need, hints = values.pop("need", {}), values.pop("hints", ())
    told = tuple((name, value) for name, value in hints)
    return Transaction(**values, hints=told, need=Need(**{**need, "amr": tuple(need.get("amr", ()))}))


def login_to_bytes(login: OidcLogin) -> bytes:
    return _dump({**_fields(login), "serves": _served_fields(login.serves), "asking": _fields(login.asking)})


@understood
def login_from_bytes(data: bytes) -> OidcLogin:
    values = json.loads(data)
    asking, serves = values.pop("asking", {}), _served(values.pop("serves"))
    acr_values, amr = (tuple(asking.get(name, ())) for name in ("acr_values", "amr"))
    return OidcLogin(**values, serves=serves, asking=StepUpRequest(acr_values, asking.get("max_age"), amr))


def _served_fields(serves: Served | None) -> tuple[str, dict[str, Any]] | None:
    return None if serves is None else (serves.id, _transaction_fields(serves.transaction))


def _served(values: tuple[str, dict[str, Any]] | None) -> Served | None:
    return None if values is None else Served(values[0], _transaction(values[1]))


def parameters_to_bytes(response: ParkedResponse) -> bytes:
    return _ENCODER.encode(response.parameters).encode()


@understood
def parameters_from_bytes(data: bytes) -> ParkedResponse:
    return ParkedResponse(tuple((name, value) for name, value in json.loads(data)))


def saml_login_to_bytes(login: SamlLogin) -> bytes:
    return _dump(_saml_login_fields(login))


@understood
def saml_login_from_bytes(data: bytes) -> SamlLogin:
    return _saml_login(json.loads(data))


def _saml_login_fields(login: SamlLogin) -> dict[str, Any]:
    return {**_fields(login), "serves": _served_fields(login.serves)}


def _saml_login(values: dict[str, Any]) -> SamlLogin:
    read = {"authn_context": tuple(values["authn_context"]), "serves": _served(values["serves"])}
    return SamlLogin(**{**values, **read})


def parked_to_bytes(answer: ParkedAssertion) -> bytes:
    login = None if answer.login is None else _saml_login_fields(answer.login)
    return _dump({**_fields(answer), "identity": _identity_fields(answer.identity), "login": login})


@understood
def parked_from_bytes(data: bytes) -> ParkedAssertion:
    values = json.loads(data)
    name_id, login = _name_id(values.pop("name_id")), values.pop("login", None)
    return ParkedAssertion(
        identity=_identity(values.pop("identity")),
        name_id=name_id,
        login=None if login is None else _saml_login(login),
        **values,
    )


def parked_sign_in_to_bytes(parked: ParkedSignIn) -> bytes:
    tokens = None if parked.tokens is None else _fields(parked.tokens)
    return _dump({**_fields(parked), "identity": _identity_fields(parked.identity), "tokens": tokens})


@understood
def parked_sign_in_from_bytes(data: bytes) -> ParkedSignIn:
    values = json.loads(data)
    name_id, told = _name_id(values.pop("name_id")), values.pop("tokens")
    tokens = None if told is None else Tokens(**told)
    return ParkedSignIn(identity=_identity(values.pop("identity")), name_id=name_id, tokens=tokens, **values)


def note_to_bytes(note: SignOutNote) -> bytes:
    """Encodes a note, without the fields by which the note is found."""
    login, cookies = (b64encode(value).decode("ascii") for value in (note.login, note.cookies))
    return _dump({"app": note.app, "login": login, "cookies": cookies})


@understood
def note_from_bytes(data: bytes, session_id: str, host: str) -> SignOutNote:
    values = json.loads(data)
    login, cookies = (b64decode(values.pop(name)) for name in ("login", "cookies"))
    return SignOutNote(session_id, host, login=login, cookies=cookies, **values)


def waited_to_bytes(waited: WaitedPage) -> bytes:
    page = waited.page
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in page.headers]
    body = b64encode(page.body).decode("ascii")
    return _dump({"binding": waited.binding, "status": page.status, "headers": headers, "body": body})


@understood
def waited_from_bytes(data: bytes) -> WaitedPage:
    values = json.loads(data)
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in values["headers"])
    return WaitedPage(values["binding"], Page(values["status"], headers, b64decode(values["body"])))


def finding_to_bytes(finding: DirectoryFinding) -> bytes:
    return _dump(_finding_fields(finding))


@understood
def finding_from_bytes(data: bytes) -> DirectoryFinding:
    return _finding(json.loads(data))


def _carried(kind: str, record: type[Kept]) -> Form[Kept]:
    """A form derived from the record's type. A field of another type is unreadable."""
    carrying = codec_of(record)

    @understood
    def read(data: bytes) -> Kept:
        return cast(Kept, carrying.read(json.loads(data)))

    return Form(kind, lambda value: _dump(carrying.write(value)), read)


# The kinds of tickets. A kind is part of what a record is bound to: renamed, those under way would open no more.
SIGN_IN = Form("transaction", transaction_to_bytes, transaction_from_bytes)
OPENID_LOGIN = Form("login", login_to_bytes, login_from_bytes)
OPENID_RESPONSE = Form("response", parameters_to_bytes, parameters_from_bytes)
OPENID_LOGOUT = _carried("sign_out", SignOut)
SAML_LOGIN = Form("saml_login", saml_login_to_bytes, saml_login_from_bytes)
SAML_RESPONSE = Form("saml_parked", parked_to_bytes, parked_from_bytes)
PARKED_SIGN_IN = Form("parked_sign_in", parked_sign_in_to_bytes, parked_sign_in_from_bytes)
SAML_LOGOUT = _carried("saml_logout", SamlLogout)
WAITED = Form("waited", waited_to_bytes, waited_from_bytes)
HAND_OVER = _carried("handover", HandOver)
APPLICATION_SESSION = _carried("application_session", ApplicationSession)
LAST_FINDING = Form("last_finding", finding_to_bytes, finding_from_bytes)
KEPT_POST = _carried("kept_post", KeptPost)


Stored = (
    Session | Tokens | Identity | DirectoryFinding | TermOfOffice | Need | StepUpRequest | Transaction | OidcLogin
    | SamlLogin | ParkedAssertion | ParkedSignIn
)  # fmt: skip


_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in get_args(Stored)}


def _fields(value: Stored) -> dict[str, Any]:
    """Returns the fields of one level, because `asdict` copies all levels (a hundred microseconds a session)."""
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


def _dump(values: dict[str, Any]) -> bytes:
    return _ENCODER.encode(values).encode()
