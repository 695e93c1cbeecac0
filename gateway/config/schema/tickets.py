"""Sign-in tickets for old stacks: sections of `translate` in policies/apps/*.yaml."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.app_tokens import life_of_token
from gateway.config.schema.fence import ByAttributes, ByCookies, BySecrets
from gateway.config.schema.types import AttributeName, Maybe, PublicReference, Strict, Text, WholeSeconds, Word, wrong


class TicketValueSection(Strict):
    source: ByAttributes[Maybe[AttributeName]] = Field(default=None, alias="from")
    """An attribute of the person, or subject, provider, issuer."""
    value: ByCookies[Maybe[Text]] = None
    """Or one text for everybody."""

    @model_validator(mode="after")
    def _one_source(self) -> "TicketValueSection":
        if (self.source is None) == (self.value is None):
            raise wrong("this comes from one place", "write {from: attribute} or {value: text}")
        return self


class TicketSection(Strict):
    """The keys of every kind of ticket."""

    account: TicketValueSection
    """The name by which the application knows the person. A person without one is refused."""
    life: Annotated[WholeSeconds, AfterValidator(life_of_token)] = 300
    """From its making to its end. A new one is made when half of it has passed."""


class AspNetTicketSection(TicketSection):
    """A ticket of ASP.NET Forms Authentication in a cookie, under the keys of the application's `<machineKey>`: whoever
    has these keys is anybody to the application. Tickets of the .NET Framework (System.Web) with AES; Mono has a layout
    of its own."""

    cookie: ByCookies[Word] = ".ASPXAUTH"
    """As `<forms name>` has it."""
    user_data: Maybe[TicketValueSection] = None
    """The ticket's UserData; empty where this is left out, or where the person has no value."""
    path: Text = "/"
    """The ticket's CookiePath, as `<forms path>` has it."""
    compatibility: Literal["Framework20SP1", "Framework20SP2", "Framework45"]
    """As `<machineKey compatibilityMode>` has it; where it says nothing: Framework45 if `<httpRuntime targetFramework>`
    is 4.5 or later, and Framework20SP1 otherwise."""
    validation: Literal["SHA1", "HMACSHA256", "HMACSHA384", "HMACSHA512"] = "HMACSHA256"
    """As `<machineKey validation>` has it. .NET before 4.0 takes SHA1 where nothing is said."""
    validation_key: BySecrets[PublicReference]
    """Where `validationKey` stands: 40 to 128 hexadecimal digits, as `{file: path}`, `{env: NAME}` or `{credential:
    name}`, of which a team's file may write `{file: ...}` alone, below its `secrets`."""
    decryption_key: BySecrets[PublicReference]
    """Likewise `decryptionKey`: 32, 48 or 64 hexadecimal digits, of AES."""


class Ltpa2Section(TicketSection):
    """An LTPA2 token of WebSphere, Open Liberty or Domino in a cookie, under the servers' exported keys. The signature
    is RSA with SHA-1 and 1024 bits, and the cipher's vector never changes: weaker than ANSSI recommends, as `ecluse
    lint` reports (EC357). If the application accepts another way, use that."""

    cookie: ByCookies[Word] = "LtpaToken2"
    """As the single sign-on settings of the cell have it."""
    realm: Maybe[Text] = None
    """The realm of the application's user registry; the one that the exported file names where this is left out."""
    keys: BySecrets[PublicReference]
    """Where the exported file stands (`ltpa.keys`), as `{file: path}`, `{env: NAME}` or `{credential: name}`, of which
    a team's file may write `{file: ...}` alone, below its `secrets`."""
    password: BySecrets[PublicReference]
    """Likewise the password that it was exported with."""
