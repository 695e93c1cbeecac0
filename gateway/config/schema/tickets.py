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
    """One text for all people."""

    @model_validator(mode="after")
    def _one_source(self) -> "TicketValueSection":
        if (self.source is None) == (self.value is None):
            raise wrong("this comes from one place", "write {from: attribute} or {value: text}")
        return self


class TicketSection(Strict):
    """The keys of every kind of ticket."""

    account: TicketValueSection
    """The name by which the application knows the person. A person without a value is refused."""
    life: Annotated[WholeSeconds, AfterValidator(life_of_token)] = 300
    """From the issue of the ticket to its expiry. A new ticket is issued after half of this time."""


class AspNetTicketSection(TicketSection):
    """A ticket of ASP.NET Forms Authentication in a cookie, under the keys of the application's `<machineKey>`: whoever
    has these keys is anybody to the application. Tickets of the .NET Framework (System.Web) with AES; Mono has a layout
    of its own."""

    cookie: ByCookies[Word] = ".ASPXAUTH"
    """The cookie's name, as in `<forms name>`."""
    user_data: Maybe[TicketValueSection] = None
    """The UserData of the ticket. Default, also for a person without a value: empty."""
    path: Text = "/"
    """The CookiePath of the ticket, as in `<forms path>`."""
    compatibility: Literal["Framework20SP1", "Framework20SP2", "Framework45"]
    """As in `<machineKey compatibilityMode>`. If the attribute is missing there: Framework45 if `<httpRuntime
    targetFramework>` is 4.5 or later, Framework20SP1 otherwise."""
    validation: Literal["SHA1", "HMACSHA256", "HMACSHA384", "HMACSHA512"] = "HMACSHA256"
    """As in `<machineKey validation>`. .NET before 4.0 uses SHA1 if the attribute is missing."""
    validation_key: BySecrets[PublicReference]
    """The `validationKey`: 40 to 128 hexadecimal digits, as `{file: path}`, `{env: NAME}` or `{credential: name}`. A
    team's file may use only `{file: ...}`, below its `secrets`."""
    decryption_key: BySecrets[PublicReference]
    """Likewise the `decryptionKey`: 32, 48 or 64 hexadecimal digits, for AES."""


class Ltpa2Section(TicketSection):
    """An LTPA2 token of WebSphere, Open Liberty or Domino in a cookie, under the servers' exported keys. The signature
    is RSA with SHA-1 and 1024 bits, and the cipher's vector never changes: weaker than ANSSI recommends, as `ecluse
    lint` reports (EC357). If the application accepts another way, use that."""

    cookie: ByCookies[Word] = "LtpaToken2"
    """The cookie's name, as in the single sign-on settings of the cell."""
    realm: Maybe[Text] = None
    """The realm of the application's user registry. Default: the realm in the exported file."""
    keys: BySecrets[PublicReference]
    """The exported file (`ltpa.keys`), as `{file: path}`, `{env: NAME}` or `{credential: name}`. A team's file may use
    only `{file: ...}`, below its `secrets`."""
    password: BySecrets[PublicReference]
    """Likewise the password of the export."""
