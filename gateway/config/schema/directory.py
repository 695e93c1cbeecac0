"""policies/directories/*.yaml: one shared directory, its key for a person and the attributes that it may add."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from gateway.config.schema import scalars
from gateway.config.schema.directory_servers import (
    ATTRIBUTE_DESCRIPTION,
    HttpSection,
    LdapSection,
    PostgresqlSection,
    SqliteSection,
)
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.sql_select import is_placeholder, pieces
from gateway.config.schema.types import (
    AttributeName,
    Maybe,
    Name,
    Seconds,
    Strict,
    Text,
    Version,
    WholeSeconds,
    checked,
    wrong,
)
from gateway.config.schema.values import TimeZone
from gateway.identity.mapping import RESERVED_ATTRIBUTES
from gateway.identity.perimeter import is_siren, is_siret
from gateway.model.account import ATTRIBUTE
from gateway.model.directory import ISSUER, TENANT, KeyTransform, ValueType, Winner
from gateway.model.mandate import MANDATES

_LONGEST_TIMEOUT = 10.0
_LONGEST_LAST = 90 * 86400
_SHORTEST_LIFETIME = 30
_MOST_ORGANISATIONS = 1000
_KINDS = ("csv", "ldap", "http", "postgresql", "sqlite")


def _delimiter(text: str) -> str:
    if len(text) != 1 or text.isalnum() or text in '"\r\n' or not text.isascii():
        raise wrong("cells are separated by one character", 'such as "," or ";"; a tab is "\\t"')
    return text


def _named(name: str) -> str:
    if name in RESERVED_ATTRIBUTES or name == ATTRIBUTE:
        raise wrong(f"{name} is the gateway's own name", "choose another name for this attribute")
    return name


def _acts_for(value: object) -> tuple[str, ...]:
    """Empty for any organisation."""
    if value == "any":
        return ()
    numbers = value if isinstance(value, list) else [value]
    if not numbers or len(numbers) > _MOST_ORGANISATIONS:
        raise Wrong(f"this is any, or a list of 1 to {_MOST_ORGANISATIONS} SIRETs and SIRENs")
    for number in numbers:
        if not isinstance(number, str) or not (is_siret(number) or is_siren(number)):
            raise Wrong(f"{number} is neither a SIRET nor a SIREN", "14 or 9 digits in quotes, or the word any")
    return tuple(numbers)


_ACTS_FOR: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "enum": ["any"]},
        {"type": "string", "pattern": "^[0-9]{9}([0-9]{5})?$"},
        {"type": "array", "items": {"type": "string", "pattern": "^[0-9]{9}([0-9]{5})?$"}, "minItems": 1},
    ]
}


def _in_time(seconds: float) -> float:
    if seconds > _LONGEST_TIMEOUT:
        raise wrong(f"this is at most {_LONGEST_TIMEOUT:g}s: a person waits for it")
    return seconds


def _asked_again(seconds: int) -> int:
    if seconds < _SHORTEST_LIFETIME:
        raise wrong(f"this is at least {_SHORTEST_LIFETIME}s: each person who is here is looked up so often")
    return seconds


Column = Annotated[str, Field(min_length=1, max_length=200)]
GivenName = Annotated[AttributeName, AfterValidator(_named)]


class CsvSection(Strict):
    path: Text
    """The file; a relative path starts from the policy folder. The first line names the columns."""
    delimiter: Annotated[str, AfterValidator(_delimiter)] = ","
    """The delimiter between two cells."""
    encoding: Literal["utf-8", "cp1252"] = "utf-8"
    """`cp1252` is what older spreadsheets write."""


class JsonSection(Strict):
    path: Text
    """The file: a JSON array of objects, at most 64 MB. A relative path starts from the policy folder."""


class KeyPartSection(Strict):
    from_: AttributeName = Field(alias="from")
    """The value that is compared with this column: an attribute of the person, `subject`, `issuer`, or `tenant`, the
    organisation for which the person acts."""
    providers: Maybe[list[Name]] = Field(default=None, min_length=1, max_length=1000)
    """The providers whose value counts. Required unless the key contains `issuer`: otherwise a person could get another
    person's row by asserting the same value at a second provider."""
    transform: list[KeyTransform] = Field(default=[], max_length=4)
    """Transforms of the value before the comparison: `lower` and `upper` (ASCII letters), `siren` (of a SIRET),
    `mail_domain`."""


class MandateSection(Strict):
    """For a directory with one mandate in each row."""

    office: Column
    """The column of the office, such as maire."""
    siren: Maybe[Column] = None
    """The column with the organisation's SIREN. Write `siren`, `siret` or `insee`."""
    siret: Maybe[Column] = None
    """The column with the organisation's SIRET, which `acts_for` needs."""
    insee: Maybe[Column] = None
    """The column with the INSEE code of the organisation, a commune. The code also gives the time zone."""
    start: Column
    """The column with the first day, written 2026-03-29."""
    end: Column
    """The column with the last day. The mandate ends at the following midnight in the organisation's time zone."""
    open_end: bool = False
    """Whether an empty last day means a mandate without an end. By default the row is invalid and gives no mandate."""
    zone: Maybe[TimeZone] = None
    """The time zone of all organisations, such as Europe/Paris."""
    zone_column: Maybe[Column] = None
    """The column with each organisation's time zone, instead of `zone`."""

    @model_validator(mode="after")
    def _organisation(self) -> "MandateSection":
        if [self.siren, self.siret, self.insee].count(None) != 2:
            raise wrong("an organisation is named in one way", "write siren: COLUMN, siret: COLUMN or insee: COLUMN")
        if self.zone is not None and self.zone_column is not None:
            raise wrong("its time zone is said twice", "write zone or zone_column")
        if self.insee is None and self.zone is None and self.zone_column is None:
            raise wrong(
                "no SIREN or SIRET says where midnight is",
                "write zone: Europe/Paris where all are there, or zone_column: COLUMN",
            )
        return self


class GivenSection(Strict):
    column: Maybe[Column] = None
    """The column, or the name in a JSON object. Default: the name of the attribute."""
    type: ValueType = "text"
    """The type of the value: `number` is a whole number, `date` is written 2026-03-29, `boolean` is true or false,
    `mandates` needs `mandate`. A value of another type makes the attribute unknown."""
    mandate: Maybe[MandateSection] = None
    """For the attribute `mandates` with the type `mandates`: the columns of a mandate."""
    many: bool = False
    """Whether a person may have several values. By default a second value makes the attribute unknown."""
    split: Maybe[Annotated[str, Field(min_length=1, max_length=8)]] = None
    """The separator between several values in one cell."""
    secret: bool = False
    """Whether the value is a person's secret for an application, on one line. Only `password_from` of `translate.basic`
    and `secret_from` of `form_login.trusted` send it; no rule reads it and no page or log shows it. Never use a
    password with which the person signs in."""
    wins: Maybe[Winner] = None
    """Which value counts if a provider asserts an attribute of the same name. A folder with such an attribute and
    without this key is refused. With `directory`, a value from a provider that the key does not list is unknown."""

    acts_for: Maybe[Annotated[tuple[str, ...], PlainValidator(checked(_acts_for)), WithJsonSchema(_ACTS_FOR)]] = None
    """The person may act for the organisations in this attribute, beside those of the provider: an attribute of the
    type `siret`, or mandates with a column `siret`. With several organisations the person chooses on a page. This key
    lists the SIRETs and SIRENs that the attribute may contain, or `any`; any other value makes the attribute
    unknown."""

    @model_validator(mode="after")
    def _organisations(self) -> "GivenSection":
        if self.acts_for is None:
            return self
        if self.secret or not (self.type == "siret" or (self.mandate is not None and self.mandate.siret is not None)):
            raise wrong(
                "people act for an organisation by its SIRET",
                "write type: siret, or a mandate with siret: COLUMN",
            )
        return self

    @model_validator(mode="after")
    def _several(self) -> "GivenSection":
        if self.split is not None and not self.many:
            raise wrong("a cell is split into several values, and one is meant", "add many: true")
        return self

    @model_validator(mode="after")
    def _one_secret(self) -> "GivenSection":
        if self.secret and (self.many or self.type != "text" or self.wins is not None):
            raise wrong("a secret is one text, and no provider's word is beside it", "leave out type, many and wins")
        return self

    @model_validator(mode="after")
    def _mandates(self) -> "GivenSection":
        if (self.type == "mandates") != (self.mandate is not None):
            raise wrong(
                "the type mandates and the columns of a mandate go together", "write {type: mandates, mandate: {...}}"
            )
        if self.mandate is not None and (self.column is not None or self.many):
            raise wrong(
                "a mandate has the columns that `mandate` names, and a person may have several",
                "leave out column, many and split",
            )
        return self


def _away(value: object) -> tuple[str, int]:
    """The word, and the seconds of `last`."""
    if value in ("refuse", "without"):
        return str(value), 0
    if not isinstance(value, dict) or list(value) != ["last"]:
        raise Wrong("this is refuse, without, or {last: 24h}")
    seconds = scalars.whole_seconds(value["last"])
    if seconds > _LONGEST_LAST:
        raise Wrong("this is at most 90d")
    return "last", seconds


_AWAY_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "enum": ["refuse", "without"]},
        {
            "type": "object",
            "properties": {"last": {"type": "string", "pattern": "^[1-9][0-9]{0,8}(s|m|h|d)$", "examples": ["24h"]}},
            "required": ["last"],
            "additionalProperties": False,
        },
    ]
}


class DirectoryFile(Strict):
    """policies/directories/*.yaml: a source of attributes that the person's provider does not send."""

    version: Version
    directory: Name
    """The name of the directory in other files, messages and logs."""
    csv: Maybe[CsvSection] = None
    json_: Maybe[JsonSection] = Field(default=None, alias="json")
    ldap: Maybe[LdapSection] = None
    """An LDAP server, which is queried at each sign-in. The columns of `key` and `gives` are attributes of its
    entries."""
    http: Maybe[HttpSection] = None
    """An HTTP server, which is queried at each sign-in and answers with JSON."""
    postgresql: Maybe[PostgresqlSection] = None
    """A PostgreSQL server, which is queried at each sign-in."""
    sqlite: Maybe[SqliteSection] = None
    """A SQLite file, which is queried at each sign-in."""
    key: dict[Column, KeyPartSection] = Field(min_length=1, max_length=8)
    """By column, the value of the person that finds the rows. A row matches if all columns are equal. A person without
    one of the values, or with several, is not looked up: the attributes are unknown."""
    gives: dict[GivenName, GivenSection] = Field(min_length=1, max_length=100)
    """The attributes that the directory may add. No other column is read: `{uai: {}}` is the column `uai`."""
    rows: Literal["one", "many"] = "one"
    """The number of rows that one person may have. With `one`, a second row makes all attributes of the directory
    unknown."""
    away: Annotated[tuple[str, int], PlainValidator(checked(_away)), WithJsonSchema(_AWAY_SCHEMA)] = ("refuse", 0)
    """What happens if the directory cannot be reached or read. `refuse`: applications that list it refuse the people
    (503) until it is back. `without`: people go on with unknown attributes, so rules that need an attribute let nobody
    in. `{last: 24h}`: the last known values count for this time, then as `refuse`. The last values from a server are
    kept, encrypted, in the session store."""
    timeout: Annotated[Seconds, AfterValidator(_in_time)] = 2.0
    """How long a sign-in waits for the directory, at most 10s. All directories are queried at the same time."""
    lifetime: Annotated[WholeSeconds, AfterValidator(_asked_again)] = 3600
    """How long a person's values count in the session, at least 30s. The gateway refreshes them before the end, outside
    requests and only while the person is active. The first request after a longer pause waits for the refresh."""
    gone: Literal["keep", "end"] = "keep"
    """What happens to the session of a person who is no longer in the directory. `end`: the next refresh ends it, at
    every application."""

    @model_validator(mode="after")
    def _one_name(self) -> "DirectoryFile":
        for name, given in self.gives.items():
            if given.type == "mandates" and name != MANDATES:
                raise wrong(f"gives.{name}: rules look for mandates under the name {MANDATES}", f"call it {MANDATES}")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> "DirectoryFile":
        if sum(getattr(self, name) is not None for name in (*_KINDS, "json_")) != 1:
            raise wrong("a directory is one source", "write one of csv, json, ldap, http, postgresql, sqlite")
        for column in (*self.key, *(given.column or name for name, given in self.gives.items())):
            if self.ldap is not None and ATTRIBUTE_DESCRIPTION.fullmatch(column) is None:
                raise wrong(f"{column} is no name of an attribute in LDAP", "uid, mail, departmentNumber")
        return self

    @model_validator(mode="after")
    def _key_in_its_place(self) -> "DirectoryFile":
        if self.http is not None:
            named = set(re.findall(r"\{([^{}]*)\}", self.http.url))
            wanted = set() if self.http.method == "POST" else set(self.key)
            if named != wanted:
                signs = " ".join(f"{{{column}}}" for column in self.key)
                what = "the body, and no part of the address" if self.http.method == "POST" else f"its address: {signs}"
                raise wrong(f"with {self.http.method}, the key is in {what}", "each part once, by its name")
        if self.select is not None:
            for column in self.key:
                if not is_placeholder(column):
                    raise wrong(f"no placeholder can be called :{column}", "SELECT ... AS uid, with the key uid")
            if set(pieces(self.select)[1::2]) != set(self.key):
                signs = " ".join(f":{column}" for column in self.key)
                raise wrong(f"the SELECT asks by {signs}, and by nothing else", "each part of the key, by its name")
        return self

    @model_validator(mode="after")
    def _found_before_a_choice(self) -> "DirectoryFile":
        if any(given.acts_for is not None for given in self.gives.values()):
            for column, part in self.key.items():
                if part.from_ == TENANT:
                    raise wrong(
                        f"key.{column} is the organisation for which people act, and `acts_for` says which these are",
                        "find people by who they are",
                    )
        return self

    @model_validator(mode="after")
    def _no_secret_is_kept(self) -> "DirectoryFile":
        if self.kind not in ("csv", "json") and self.away[0] == "last":
            for name, given in self.gives.items():
                if given.secret:
                    raise wrong(
                        f"what it said last would be kept for everybody, and {name} is a secret of each person",
                        "away: refuse, or away: without",
                    )
        return self

    @property
    def kind(self) -> str:
        """The key of its source."""
        return next((name for name in _KINDS if getattr(self, name) is not None), "json")

    @property
    def select(self) -> str | None:
        section = self.postgresql or self.sqlite
        return None if section is None else section.select

    @model_validator(mode="after")
    def _whose_word(self) -> "DirectoryFile":
        if all(part.from_ != ISSUER for part in self.key.values()):
            for column, part in self.key.items():
                if part.providers is None:
                    raise wrong(
                        f"key.{column} does not say whose word is taken for {part.from_}: a second provider could"
                        " assert the same value",
                        f"add providers: [...] to it, or a column for `from: {ISSUER}`",
                    )
        return self
