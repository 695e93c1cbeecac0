"""`translate:` of an application's file: the headers and cookies about a person that the application receives."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import Discriminator, Field, Tag, model_validator

from gateway.config.problems import Path
from gateway.config.schema.app_tokens import BasicSection, JwtSection, SealedSection
from gateway.config.schema.conditions import TAG
from gateway.config.schema.fence import ByAttributes, ByCookies, ByHeaders, ByHosts, BySecrets, Own
from gateway.config.schema.header_presets import COOKIES, HEADERS, HeaderPreset
from gateway.config.schema.tickets import AspNetTicketSection, Ltpa2Section
from gateway.config.schema.types import AttributeName, FixedText, Maybe, PathPattern, Size, Strict, Text, wrong
from gateway.model.names import fold
from gateway.translation.charset import LACKING, Encoding, Unencodable
from gateway.translation.specs import DateForm, Digest, Extract, Lookup, Prefix, Simple, Split, Transform

_Part = Annotated[str, Field(min_length=1, max_length=200)]
_Fixed = Annotated[str, Field(min_length=1, max_length=2000)]


class TransformSection(Strict):
    """A single transform."""

    extract: Maybe[str] = None
    """Extracts the group of an RE2 expression, or the whole match if it has no group. A value that does not match is
    dropped."""
    split: Maybe[_Part] = None
    """Splits a value at this text."""
    table: Maybe[dict[str, str]] = Field(default=None, min_length=1, max_length=10000)
    """Replaces a value with the text beside it."""
    otherwise: Literal["refuse", "keep", "omit"] = "refuse"
    """What happens to a value that the table lacks: the person is refused, the value is sent unchanged, or the value is
    omitted."""
    prefix: Maybe[_Part] = None
    date: Maybe[_Part] = None
    """Converts ISO 8601, an LDAP time or Unix seconds to this format: `%d/%m/%Y`, `%Y%m%d%H%M%S`."""
    hash: Maybe[Literal["sha256", "sha512"]] = None
    """Hashes the value, in hexadecimal."""

    @model_validator(mode="after")
    def _one(self) -> "TransformSection":
        said = self.model_fields_set - {"otherwise"}
        if len(said) != 1:
            raise wrong("a transform is one thing", "write a list: [lower, {prefix: u-}]")
        if "otherwise" in self.model_fields_set and self.table is None:
            raise wrong("otherwise goes with a table")
        return self

    def compiled(self) -> Transform:
        if self.extract is not None:
            return Extract(self.extract)
        if self.split is not None:
            return Split(self.split)
        if self.table is not None:
            return Lookup(self.table, self.otherwise)
        if self.prefix is not None:
            return Prefix(self.prefix)
        if self.date is not None:
            return DateForm(self.date)
        assert self.hash is not None
        return Digest(self.hash)


_Word = Literal["lower", "upper", "strip", "first"]
_TransformItem = Annotated[
    Annotated[_Word, Tag(TAG + "word")] | Annotated[TransformSection, Tag(TAG + "section")],
    Discriminator(lambda value: TAG + ("word" if isinstance(value, str) else "section")),
]


class InjectedSection(Strict):
    source: ByAttributes[Maybe[AttributeName]] = Field(default=None, alias="from")
    """An attribute of the person, or subject, provider, issuer, acr, authenticated_at (Unix seconds). Nothing is
    sent for a person without a value."""
    template: ByAttributes[Maybe[_Fixed]] = None
    """A text with several attributes: `{given_name} {family_name}`. Nothing is sent if one of them has no value. A
    brace is written `{{`."""
    value: BySecrets[Maybe[FixedText]] = None
    """A fixed text, sent for every signed-in person. Outside development, a secret is a reference: `{file: path}`,
    `{env: NAME}` or `{credential: name}`. A team's file may use only `{file: ...}`, below its `secrets`."""
    only: ByAttributes[Maybe[list[_Fixed]]] = Field(default=None, min_length=1, max_length=1000)
    """The only values of the attribute that are sent."""
    transforms: Own[list[_TransformItem]] = Field(default=[], max_length=20)
    """Transforms in order: `lower`, `upper`, `strip`, `first`, and the transforms with a text."""
    join: Own[Maybe[str]] = Field(default=None, min_length=1, max_length=8)
    """The separator between several values. By default several values are refused."""
    whole: Own[bool] = False
    """With `join`: joins the values before encoding. By default each value is encoded first."""
    encoding: Own[Encoding] = "utf8"
    """The encoding of each value. `percent-utf8`, `base64`, `braced-base64`, `rfc2047` and `rfc8187` are ASCII and
    lossless. Default for headers: `translate.encoding`."""
    unencodable: Own[Unencodable] = "refuse"
    """What happens to a letter that `latin1`, `latin9`, `cp1252` or `ascii` lacks: the person is refused; the nearest
    letters are sent (`oe`); its UTF-8 is sent percent-encoded, with `%` as `%25`; or the header or cookie is omitted.
    Default for headers: `translate.unencodable`."""
    length: Own[Maybe[int]] = Field(default=None, ge=1, le=8192)
    """The most bytes that the application accepts. A person with a longer value is refused; values are never cut."""
    absent: Own[Maybe[_Fixed]] = None
    """The text that is sent for a person without a value."""

    def compiled_transforms(self) -> tuple[Transform, ...]:
        return tuple(Simple(one) if isinstance(one, str) else one.compiled() for one in self.transforms)

    @model_validator(mode="after")
    def _one_source(self) -> "InjectedSection":
        if sum(one is not None for one in (self.source, self.template, self.value)) != 1:
            raise wrong("a value has one source", "write {from: attribute}, {template: text} or {value: text}")
        for key in _OF_AN_ATTRIBUTE:
            if key in self.model_fields_set and self.source is None:
                raise wrong(f"{key} has no effect on a {'fixed value' if self.value is not None else 'template'}")
        if self.value is not None and (self.transforms or self.absent is not None):
            raise wrong("a fixed value is sent as it is", "write it as it has to be")
        if self.join is None and self.whole:
            raise wrong("whole goes with join")
        return self


class InjectedHeaderSection(InjectedSection):
    escape: Own[Maybe[Literal["backslash", "quotes"]]] = None
    """How a separator inside a value is escaped: `backslash` writes a backslash before it, `quotes` puts each value in
    quotation marks. By default the person is refused."""
    nobody: Own[Maybe[_Fixed]] = None
    """The text that is sent without a signed-in person, on paths that are open to everybody."""

    @model_validator(mode="after")
    def _escaped(self) -> "InjectedHeaderSection":
        if self.escape is not None and self.join is None:
            raise wrong("escape goes with join")
        return self


PRESET: Path = ("translate", "preset")
_OF_AN_ATTRIBUTE = ("join", "whole", "only")


class InjectedAt(NamedTuple):
    """A header or cookie, with defaults filled in.

    `at`: its place in the file.
    `optional`: from a preset, and left out if no provider maps its attribute.
    """

    at: Path
    kind: Literal["headers", "cookies"]
    name: str
    injected: InjectedSection
    optional: bool = False


class PathHeadersSection(Strict):
    """Headers of some paths. Only the headers of the most specific block apply. A header is added to the application's
    headers, or replaces the application's header of the same name."""

    path: ByHosts[PathPattern]
    """A path pattern, as in a rule of `access`."""
    headers: ByHeaders[dict[str, InjectedHeaderSection]] = Field(default={}, max_length=200)
    omit: list[Text] = Field(default=[], max_length=200)
    """Headers of the application that are omitted on these paths."""

    @model_validator(mode="after")
    def _says_something(self) -> "PathHeadersSection":
        if not self.headers and not self.omit:
            raise wrong("this block changes nothing", "add headers: or omit:")
        return self


class TranslateSection(Strict):
    preset: ByHeaders[Maybe[HeaderPreset]] = None
    """The identity headers of another product. `headers` adds headers or replaces those of the preset."""
    encoding: Encoding = "utf8"
    """The encoding of headers without their own."""
    unencodable: Unencodable = "refuse"
    """The `unencodable` of headers without their own."""
    budget: Annotated[Size, Field(le=65536)] = 8192
    """The most bytes of headers, cookies and tokens together, at most 64KB. A person who needs more is refused; values
    are never cut."""
    headers: ByHeaders[dict[str, InjectedHeaderSection]] = Field(default={}, max_length=200)
    cookies: ByCookies[dict[str, InjectedSection]] = Field(default={}, max_length=50)
    paths: list[PathHeadersSection] = Field(default=[], max_length=200)
    """Paths that receive other headers."""
    jwt: Maybe[JwtSection] = None
    """A signed token, which the application verifies itself."""

    sealed: Maybe[SealedSection] = None
    """A token under a shared key, which only the application can decrypt or verify."""
    basic: ByHeaders[Maybe[BasicSection]] = None
    """HTTP Basic, with an account of the application and a secret."""
    aspnet_ticket: Maybe[AspNetTicketSection] = None
    """A ticket of ASP.NET Forms Authentication."""
    ltpa2: Maybe[Ltpa2Section] = None
    """An LTPA2 token of WebSphere."""

    @cached_property
    def has_tokens(self) -> bool:
        """Whether the application gets a token or another compound value."""
        return any(one is not None for one in (self.jwt, self.sealed, self.basic, self.aspnet_ticket, self.ltpa2))

    @cached_property
    def told(self) -> tuple[InjectedAt, ...]:
        filled = self.headers
        if self.model_fields_set & {"encoding", "unencodable"}:
            filled = {name: self._filled(injected) for name, injected in self.headers.items()}
        headers = [InjectedAt(("translate", "headers", name), "headers", name, one) for name, one in filled.items()]
        cookies = [
            InjectedAt(("translate", "cookies", name), "cookies", name, one) for name, one in self.cookies.items()
        ]
        return (*headers, *cookies) if self.preset is None else (*self._of_preset(self.preset), *headers, *cookies)

    @cached_property
    def told_anywhere(self) -> tuple[InjectedAt, ...]:
        """The injected values of all paths, the `paths` blocks included."""
        if not self.paths:
            return self.told
        return (*self.told, *(one for place in range(len(self.paths)) for one in self._own_of(place)))

    @cached_property
    def by_path(self) -> tuple[tuple[InjectedAt, ...], ...]:
        """The injected values of most paths, then of each `paths` block."""
        return (self.told, *(self.told_at(place) for place in range(len(self.paths))))

    def told_at(self, place: int) -> tuple[InjectedAt, ...]:
        """The injected values on the paths of this block."""
        own = self._own_of(place)
        less = {fold(name.encode()) for name in (*self.paths[place].omit, *(one.name for one in own))}
        left = [one for one in self.told if one.kind == "cookies" or fold(one.name.encode()) not in less]
        return (*left, *own)

    def _own_of(self, place: int) -> list[InjectedAt]:
        at: Path = ("translate", "paths", place, "headers")
        written = self.paths[place].headers.items()
        return [InjectedAt((*at, name), "headers", name, self._filled(injected)) for name, injected in written]

    def _of_preset(self, preset: HeaderPreset) -> Iterator[InjectedAt]:
        """The headers and cookies of the preset that the file omits. The first header identifies the person."""
        own = {fold(name.encode()) for name in self.headers}
        for place, (name, written) in enumerate(HEADERS[preset].items()):
            if fold(name.encode()) not in own:
                injected = self._filled(InjectedHeaderSection.model_validate(written))
                yield InjectedAt(PRESET, "headers", name, injected, optional=place > 0)
        for name, written in COOKIES.get(preset, {}).items():
            if name not in self.cookies:
                yield InjectedAt(PRESET, "cookies", name, InjectedSection.model_validate(written), optional=True)

    def _filled(self, injected: InjectedHeaderSection) -> InjectedHeaderSection:
        written, said = injected.model_fields_set, self.model_fields_set
        usual: dict[str, object] = {}
        if "encoding" in said - written:
            usual["encoding"] = self.encoding
        if "unencodable" in said - written and usual.get("encoding", injected.encoding) in LACKING:
            usual["unencodable"] = self.unencodable
        return injected.model_copy(update=usual) if usual else injected
