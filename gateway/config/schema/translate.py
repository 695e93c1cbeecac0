"""`translate:` of an application's file: what it is told about a person, in headers and cookies."""

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
    """What the group of an expression (RE2) meets, or the whole where it has none. A value that it misses goes."""
    split: Maybe[_Part] = None
    """One value to several, at this text."""
    table: Maybe[dict[str, str]] = Field(default=None, min_length=1, max_length=10000)
    """A value to what stands beside it."""
    otherwise: Literal["refuse", "keep", "omit"] = "refuse"
    """Of a value that the table lacks: the person is refused, it is sent as it is, or left out."""
    prefix: Maybe[_Part] = None
    date: Maybe[_Part] = None
    """ISO 8601, a directory's time or Unix seconds to this form: `%d/%m/%Y`, `%Y%m%d%H%M%S`."""
    hash: Maybe[Literal["sha256", "sha512"]] = None
    """To hexadecimal."""

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
    """An attribute of the person, or subject, provider, issuer, acr, authenticated_at (Unix seconds). Where there is
    none, nothing is sent."""
    template: ByAttributes[Maybe[_Fixed]] = None
    """Of several: `{given_name} {family_name}`. Where one of them has no value, nothing is sent. A brace is `{{`."""
    value: BySecrets[Maybe[FixedText]] = None
    """A fixed text, sent for everyone who is signed in. A secret stands elsewhere, but in development: `{file: path}`,
    `{env: NAME}` or `{credential: name}`, of which a team's file may write `{file: ...}` alone, below its `secrets`."""
    only: ByAttributes[Maybe[list[_Fixed]]] = Field(default=None, min_length=1, max_length=1000)
    """Of the attribute's values, those that are sent."""
    transforms: Own[list[_TransformItem]] = Field(default=[], max_length=20)
    """One after the other: `lower`, `upper`, `strip`, `first`, and those with a text."""
    join: Own[Maybe[str]] = Field(default=None, min_length=1, max_length=8)
    """Put between several values; without it, several values are refused."""
    whole: Own[bool] = False
    """With `join`: the values are joined first and encoded then, where usually each is encoded by itself."""
    encoding: Own[Encoding] = "utf8"
    """Of each value by itself; `percent-utf8`, `base64`, `braced-base64`, `rfc2047` and `rfc8187` are ASCII and lose
    nothing. A header without it has `translate.encoding`."""
    unencodable: Own[Unencodable] = "refuse"
    """What becomes of a letter that `latin1`, `latin9`, `cp1252` or `ascii` lacks: the person is refused, the nearest
    letters are sent (`oe`), or its UTF-8 percent-encoded, with `%` as `%25`; or the header or cookie is not sent. A
    header without it has `translate.unencodable`."""
    length: Own[Maybe[int]] = Field(default=None, ge=1, le=8192)
    """Bytes that the application takes. A longer value is refused, never cut."""
    absent: Own[Maybe[_Fixed]] = None
    """Sent of a person who has no value."""

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
    """Of a value that holds the separator: `backslash` writes one before it, `quotes` puts each value in quotation
    marks. Without it, the person is refused."""
    nobody: Own[Maybe[_Fixed]] = None
    """Sent where nobody is signed in, on paths that let everybody in."""

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
    """Headers of some paths. Those of the most specific block alone are added to the application's, or stand in the
    place of its own."""

    path: ByHosts[PathPattern]
    """As a rule of `access` names it."""
    headers: ByHeaders[dict[str, InjectedHeaderSection]] = Field(default={}, max_length=200)
    omit: list[Text] = Field(default=[], max_length=200)
    """Headers of the application that are not sent on these paths."""

    @model_validator(mode="after")
    def _says_something(self) -> "PathHeadersSection":
        if not self.headers and not self.omit:
            raise wrong("this block changes nothing", "add headers: or omit:")
        return self


class TranslateSection(Strict):
    preset: ByHeaders[Maybe[HeaderPreset]] = None
    """The headers by which another product tells who is calling. Those under `headers` are added, or stand in the place
    of its own."""
    encoding: Encoding = "utf8"
    """Of the headers that name none."""
    unencodable: Unencodable = "refuse"
    """Of the headers that say nothing of it."""
    budget: Annotated[Size, Field(le=65536)] = 8192
    """What headers, cookies and tokens may take together, at most 64KB. A person of whom there is more to tell is
    refused: nothing is cut."""
    headers: ByHeaders[dict[str, InjectedHeaderSection]] = Field(default={}, max_length=200)
    cookies: ByCookies[dict[str, InjectedSection]] = Field(default={}, max_length=50)
    paths: list[PathHeadersSection] = Field(default=[], max_length=200)
    """Paths where it is told otherwise."""
    jwt: Maybe[JwtSection] = None
    """A signed token, which it can verify by itself."""

    sealed: Maybe[SealedSection] = None
    """A token that only it can read, or verify."""
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
        """What the file does not say itself. The first header says who it is."""
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
