"""`translate:` of an application's file: what it is told about a person, in headers and cookies."""

from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from gateway.config.problems import Path
from gateway.config.schema.app_tokens import BasicSection, JwtSection, SealedSection
from gateway.config.schema.types import AttributeName, FixedText, Maybe, Strict, wrong
from gateway.translation.charset import LACKING, Encoding, Unencodable


class InjectedSection(Strict):
    source: Maybe[AttributeName] = Field(default=None, alias="from")
    """An attribute of the person, or subject, provider, issuer. Where there is none, nothing is sent."""
    value: Maybe[FixedText] = None
    """A fixed text, sent for everyone who is signed in. A secret stands elsewhere, but in development: `{file: path}`,
    `{env: NAME}` or `{credential: name}`, of which a team's file may write `{file: ...}` alone, below its `secrets`."""
    join: Maybe[str] = Field(default=None, min_length=1, max_length=8)
    """Put between several values; without it, several values are refused."""
    encoding: Encoding = "utf8"
    """Of each value by itself; `percent-utf8`, `base64`, `rfc2047` and `rfc8187` are ASCII and lose nothing. A header
    without it has `translate.encoding`."""
    unencodable: Unencodable = "refuse"
    """What becomes of a letter that `latin1`, `latin9`, `cp1252` or `ascii` lacks: the person is refused, the nearest
    letters are sent (`oe`), or its UTF-8 percent-encoded, with `%` as `%25`; or the header or cookie is not sent. A
    header without it has `translate.unencodable`."""

    @model_validator(mode="after")
    def _one_source(self) -> "InjectedSection":
        if (self.source is None) == (self.value is None):
            raise wrong("a value has one source", "write {from: attribute} or {value: text}")
        if self.join is not None and self.source is None:
            raise wrong("join has no effect on a fixed value")
        return self


class InjectedAt(NamedTuple):
    """One header or cookie, with what its own lines leave out. `at`: where the file says it."""

    at: Path
    kind: Literal["headers", "cookies"]
    name: str
    injected: InjectedSection


class TranslateSection(Strict):
    encoding: Encoding = "utf8"
    """Of the headers that name none."""
    unencodable: Unencodable = "refuse"
    """Of the headers that say nothing of it."""
    headers: dict[str, InjectedSection] = Field(default={}, max_length=200)
    cookies: dict[str, InjectedSection] = Field(default={}, max_length=50)
    jwt: Maybe[JwtSection] = None
    """A signed token, which it can verify by itself."""

    sealed: Maybe[SealedSection] = None
    """A token that only it can read, or verify."""
    basic: Maybe[BasicSection] = None
    """HTTP Basic, with an account of the application and a secret."""

    @cached_property
    def has_tokens(self) -> bool:
        """Or something else that is made of several parts."""
        return not (self.jwt is None and self.sealed is None and self.basic is None)

    @cached_property
    def told(self) -> tuple[InjectedAt, ...]:
        filled = self.headers
        if self.model_fields_set & {"encoding", "unencodable"}:
            filled = {name: self._filled(injected) for name, injected in self.headers.items()}
        headers = [InjectedAt(("translate", "headers", name), "headers", name, one) for name, one in filled.items()]
        cookies = [
            InjectedAt(("translate", "cookies", name), "cookies", name, one) for name, one in self.cookies.items()
        ]
        return (*headers, *cookies)

    def _filled(self, injected: InjectedSection) -> InjectedSection:
        written, said = injected.model_fields_set, self.model_fields_set
        usual: dict[str, object] = {}
        if "encoding" in said - written:
            usual["encoding"] = self.encoding
        if "unencodable" in said - written and usual.get("encoding", injected.encoding) in LACKING:
            usual["unencodable"] = self.unencodable
        return injected.model_copy(update=usual) if usual else injected
