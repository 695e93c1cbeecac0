"""The types of the file models. A type accepts exactly one spelling, and its error explains the spelling."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gateway.config.schema import scalars
from gateway.config.schema.scalars import Reference, Url, Wrong
from gateway.identity.mapping import RESERVED_ATTRIBUTES
from gateway.model.errors import GatewayError
from gateway.model.levels import Can
from gateway.model.mail import mail_domain
from gateway.policy.links import SignOutLink, parse_link
from gateway.policy.patterns import Pattern, parse_pattern
from gateway.wire.addresses import IpNetwork
from gateway.wire.framing import METHODS, NAMED_METHODS

Given = TypeVar("Given")
Taken = TypeVar("Taken")

WRONG = "wrong"
"""The error type of values that this module refuses. The context of the error contains `message` and `hint`."""


def wrong(message: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError(WRONG, "{message}", {"message": message, "hint": hint})


def _given(value: object) -> object:
    if value is None:
        raise wrong("nothing is written here", "write a value, or leave the key out")
    return value


Maybe = Annotated[Given | None, BeforeValidator(_given)]
"""An optional key. A key without a value is refused: it would be a restriction without an effect."""


class Strict(BaseModel):
    """Refuses unknown keys, converts no value, and is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def checked(function: Callable[[Given], Taken]) -> Callable[[Given], Taken]:
    """Wraps `function`: pydantic collects Wrong, and GatewayError of the pure cores, as errors of the value."""

    def check(value: Given) -> Taken:
        try:
            return function(value)
        except Wrong as error:
            raise wrong(error.message, error.hint) from None
        except GatewayError as error:
            raise wrong(error.detail) from None

    return check


def _matching(pattern: str, message: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def match(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise wrong(message)
        return text

    return AfterValidator(match)


def text_schema(pattern: str, *examples: str) -> WithJsonSchema:
    """The description of a text for editors."""
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ATTRIBUTE = r"[a-z][a-z0-9_]{0,63}"


def _exactly(wanted: object) -> BeforeValidator:
    """Python holds 1, 1.0 and true for equal; the files do not."""

    def check(value: object) -> object:
        if type(value) is not type(wanted) or value != wanted:
            raise wrong(f"this can only be {str(wanted).lower()}", "without quotes" if str(wanted) == value else "")
        return value

    return BeforeValidator(check)


Version = Annotated[Literal[1], _exactly(1)]
Yes = Annotated[Literal[True], _exactly(True)]
Name = Annotated[
    str,
    _matching(NAME, "a name is made of a-z, 0-9 and -, at most 63"),
    text_schema(f"^{NAME}$", "permis"),
]
AttributeName = Annotated[
    str,
    _matching(_ATTRIBUTE, "an attribute's name begins with a-z and goes on with a-z, 0-9 and _, at most 64"),
    text_schema(f"^{_ATTRIBUTE}$", "family_name"),
]


def _not_reserved(name: str) -> str:
    # CVE-2024-29892 in another product: a mapping overwrote the product's own facts about a person.
    if name in RESERVED_ATTRIBUTES:
        raise wrong(f"{name} is the gateway's own name", "choose another name for this attribute")
    return name


MappedName = Annotated[AttributeName, AfterValidator(_not_reserved)]
Text = Annotated[str, _matching(r"(?s).*\S.*", "this is empty"), Field(max_length=2000)]
ParameterName = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9._-]{1,64}", "a path parameter is written by its name: letters, digits and . _ -, no pattern"
    ),
    text_schema("^[A-Za-z0-9._-]{1,64}$", "jsessionid"),
]
Word = Annotated[str, _matching(r"[!-~]{1,200}", "this is empty, or not ASCII, or has a blank in it")]
_METHODS = sorted(map(bytes.decode, METHODS))
_NAMED_METHODS = sorted(map(bytes.decode, NAMED_METHODS))


def known_method(text: str) -> str:
    # A rule for a method that never reaches an application would look like a protection.
    if text not in _METHODS and text not in _NAMED_METHODS:
        raise Wrong(f"no {text} request ever reaches an application", f"in capitals: {', '.join(_METHODS)}")
    return text


def _named_method(text: str) -> str:
    if text in _METHODS:
        raise Wrong(f"{text} reaches every application", "leave it out")
    if text not in _NAMED_METHODS:
        raise Wrong(f"{text} is carried to no application", f"in capitals: {', '.join(_NAMED_METHODS)}")
    return text


MethodName = Annotated[
    str,
    AfterValidator(checked(known_method)),
    text_schema(f"^({'|'.join(_METHODS + _NAMED_METHODS)})$", "GET"),
]
NamedMethod = Annotated[
    str,
    AfterValidator(checked(_named_method)),
    text_schema(f"^({'|'.join(_NAMED_METHODS)})$", "PROPFIND"),
]
Seconds = Annotated[
    float, PlainValidator(checked(scalars.seconds)), text_schema("^[1-9][0-9]{0,8}(ms|s|m|h|d)$", "300ms", "15s", "5m")
]
Grace = Annotated[
    float,
    PlainValidator(checked(scalars.grace)),
    text_schema("^(0s|[1-9][0-9]{0,8}(ms|s|m|h|d))$", "0s", "10s", "1m"),
]
WholeSeconds = Annotated[
    int, PlainValidator(checked(scalars.whole_seconds)), text_schema("^[1-9][0-9]{0,8}(s|m|h|d)$", "30m", "12h")
]
WholeSecondsOrNone = Annotated[
    int,
    PlainValidator(checked(scalars.whole_seconds_or_none)),
    text_schema("^(0s|[1-9][0-9]{0,8}(s|m|h|d))$", "0s", "1d", "180d"),
]
Size = Annotated[
    int, PlainValidator(checked(scalars.size)), text_schema("^[1-9][0-9]{0,8}(B|KB|MB|GB)$", "8KB", "100MB")
]
SizeOrUnlimited = Annotated[
    int,
    PlainValidator(checked(scalars.size_or_unlimited)),
    text_schema("^([1-9][0-9]{0,8}(B|KB|MB|GB)|unlimited)$", "100MB", "unlimited"),
]
Count = Annotated[int, Field(ge=1, le=10_000_000)]


def _from_text(function: Callable[[str], Taken]) -> PlainValidator:
    """For a text in the file that becomes a value of another type."""

    def parse(value: object) -> Taken:
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "not text")
        return checked(function)(value)

    return PlainValidator(parse)


def _path_pattern(text: str) -> Pattern:
    return parse_pattern(text, named=True)


PathPattern = Annotated[Pattern, _from_text(_path_pattern), text_schema("^/", "/admin/**")]
LogoutLink = Annotated[SignOutLink, _from_text(parse_link), text_schema("^/", "/doku.php?do=logout")]
HostPattern = Annotated[
    str, _from_text(scalars.host_pattern), text_schema("^[^:/]+$", "permis.example.org", "*.example.org")
]
HostName = Annotated[str, _from_text(scalars.host_name), text_schema("^[^:/]+$", "example.org")]
QuestionHost = Annotated[str, _from_text(scalars.host_name), text_schema("^[^:/]+$", "127.0.0.1", "ecluse.internal")]
ApplicationUrl = Annotated[
    Url, _from_text(scalars.application_url), text_schema("^https?://[^?#]+$", "http://127.0.0.1:9001")
]
ApplicationOrigin = Annotated[
    Url, _from_text(scalars.application_origin), text_schema("^https?://[^/?#]+/?$", "http://127.0.0.1:9001")
]
Origin = Annotated[Url, _from_text(scalars.origin), text_schema("^https?://[^/?#]+/?$", "http://127.0.0.1:9001")]
PortalUrl = Annotated[
    Url, _from_text(scalars.named_origin), text_schema("^https?://[^/?#]+/?$", "https://portail.example.org")
]
Issuer = Annotated[str, _from_text(scalars.issuer), text_schema("^https?://[^?#]+$", "https://op.example.org")]
SocketAddress = Annotated[
    tuple[str, int], _from_text(scalars.socket_address), text_schema("^.+:[0-9]+$", "127.0.0.1:8080", "[::1]:8080")
]
ServerAddress = Annotated[
    tuple[str, int],
    _from_text(scalars.server_address),
    text_schema("^.+:[0-9]+$", "valkey.example.org:6379", "10.0.0.1:6379"),
]
AdminAddress = Annotated[
    str, _from_text(scalars.admin_address), text_schema("^(unix:.+|.+:[0-9]+)$", "127.0.0.1:8081", "unix:admin.sock")
]
NetworkText = Annotated[IpNetwork, _from_text(scalars.network), text_schema("^[0-9a-fA-F.:/]+$", "10.0.0.0/8")]

PlainPath = Annotated[str, _from_text(scalars.plain_path), text_schema("^/[^/].*$", "/run/apps/rh.sock")]

UpstreamPlace = Annotated[
    str,
    _from_text(scalars.upstream_place),
    text_schema(r"^[^/?#\s]+(/[0-9]{1,3})?$", "10.1.0.0/16", "app.example.org:8080"),
]

_PLACES: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {kind: {"type": "string", "minLength": 1}},
        "required": [kind],
        "additionalProperties": False,
    }
    for kind in scalars.REFERENCE_KINDS
]
PublicReference = Annotated[Reference, PlainValidator(checked(scalars.reference)), WithJsonSchema({"anyOf": _PLACES})]
"""A reference to public data, such as a certificate, in a file, an environment variable or a systemd credential."""

Secret = Annotated[
    Reference,
    PlainValidator(checked(scalars.reference)),
    WithJsonSchema({"anyOf": [*_PLACES, {"type": "string", "description": "Only with development: true."}]}),
]
"""A secret: a reference as above, or inline if the gateway file says `development: true`."""


FixedText = Annotated[
    Reference,
    PlainValidator(checked(scalars.reference)),
    WithJsonSchema({"anyOf": [{"type": "string"}, *_PLACES]}),
]
"""A text, or a reference to it."""


class ClientCertificateSection(Strict):
    certificate: PublicReference
    """PEM: the certificate by which the provider recognises us."""
    key: Secret
    """PEM: the private key of the certificate, without a passphrase."""


ClaimPath = Annotated[
    tuple[str, ...],
    PlainValidator(checked(scalars.claim_path)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["email", "address.country"]},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 8},
            ]
        }
    ),
]


_LANGUAGE = re.compile("[a-z]{2,3}")
_LONGEST_WORDS = 2000


def _texts(value: object) -> dict[str, str]:
    texts = {"": value} if isinstance(value, str) else value
    if not isinstance(texts, dict) or not texts:
        raise Wrong("this is a text, or a text by language", "write {fr: ..., en: ...}")
    for language, text in texts.items():
        if language and _LANGUAGE.fullmatch(str(language)) is None:
            raise Wrong(f"{str(language)[:40]} is not a language", "fr or en")
        if not isinstance(text, str) or not text.strip():
            raise Wrong("this is empty")
        if len(text) > _LONGEST_WORDS:
            raise Wrong(f"this text has {len(text)} characters, and {_LONGEST_WORDS} are the most")
    return dict(texts)


TextByLanguage = Annotated[
    dict[str, str],
    PlainValidator(checked(_texts)),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}),
]
"""A text by language; the empty language stands for all."""


def _label(value: object) -> dict[str, str]:
    labels = {"": value} if isinstance(value, str) else value
    if not isinstance(labels, dict) or not labels:
        raise Wrong("a label is a text, or a text by language", "write {fr: ..., en: ...}")
    for language, text in labels.items():
        if language and re.fullmatch("[a-z]{2,3}", language) is None:
            raise Wrong(f"{language} is not a language", "fr or en")
        if not isinstance(text, str) or not text.strip() or len(text) > 200:
            raise Wrong("a label is a text of 1 to 200 characters")
    return dict(labels)


Label = Annotated[
    dict[str, str],
    PlainValidator(checked(_label)),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}),
]
"""A label by language; the empty language stands for all."""


# --- levels of sign-in


def _mail_domain(text: str) -> str:
    if mail_domain(f"a@{text}") != text:
        raise wrong("this is not the domain of an e-mail address", "write it as example.org, in lower case")
    return text


MailDomain = Annotated[str, AfterValidator(_mail_domain)]


def _level(text: str) -> str:
    if not text[0].isalnum() or not all(letter.isalnum() or letter in "-._" for letter in text) or len(text) > 64:
        raise wrong("a level's name is made of letters, digits, -, . and _, at most 64")
    return text


def _each_once(levels: list[str]) -> list[str]:
    if len(set(levels)) != len(levels):
        raise wrong("a level is listed twice, so its place on the ladder is not clear")
    return levels


LevelName = Annotated[Word, AfterValidator(_level)]
LadderNames = Annotated[list[LevelName], Field(min_length=1, max_length=50), AfterValidator(_each_once)]
CanList = Annotated[list[Can], Field(max_length=3)]
ProviderWord = Annotated[str, Field(min_length=1, max_length=500)]
