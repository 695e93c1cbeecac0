"""policies/providers/*.yaml: an identity provider, and the attributes that it may assert."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.presets import PresetName
from gateway.config.schema.oidc import OidcSection
from gateway.config.schema.organisations import ServesSection
from gateway.config.schema.saml import SamlNames, SamlSection
from gateway.config.schema.saml_attributes import COMMON
from gateway.config.schema.types import (
    AttributeName,
    CanList,
    ClaimPath,
    Label,
    LevelName,
    MailDomain,
    MappedName,
    Maybe,
    Name,
    ProviderWord,
    Strict,
    Text,
    Version,
    WholeSeconds,
    wrong,
)
from gateway.config.schema.values import number_hint
from gateway.identity.perimeter import is_siret
from gateway.model.provider import LONGEST_SKEW


def _siret(text: str) -> str:
    if not is_siret(text):
        raise wrong("this is not a SIRET", number_hint(text, is_siret, 14))
    return text


Siret = Annotated[str, AfterValidator(_siret)]


def _ten_minutes(seconds: int) -> int:
    if seconds > LONGEST_SKEW:
        raise wrong("this is at most 10m")
    return seconds


class AssertsSection(Strict):
    siret: Maybe[list[Siret]] = None
    """The organisations for which this provider may speak. A SIREN must belong to one of these SIRETs."""
    email_domains: Maybe[list[MailDomain]] = None
    """The domains of e-mail addresses that the provider may assert, under any attribute name and in the subject."""
    scopes: Maybe[list[MailDomain]] = None
    """The scopes that may follow the @ in scoped attributes (eppn, scoped_affiliation, subject_id, pairwise_id) and in
    values that look like an address. Default: `email_domains`. Scopes in the metadata (shibmd:Scope) restrict this list
    further and never extend it."""
    attributes: Maybe[dict[AttributeName, list[Text]]] = None
    """By attribute, the only values that this provider may assert."""


class ProviderSessionSection(Strict):
    idle: WholeSeconds = 1800
    """The session ends after this time without a request."""
    absolute: WholeSeconds = 43200
    """The session ends after this time even if it is in use."""


class LevelsSection(Strict):
    """The provider's own words for the levels of the ladder."""

    acr: Maybe[dict[ProviderWord, LevelName]] = None
    """The provider's values of `acr` (in SAML, AuthnContextClassRef), each with its level. Default: the provider uses
    the names of the ladder."""
    amr: dict[ProviderWord, LevelName] = Field(default={}, max_length=50)
    """Authentication methods that alone imply a level, such as `hwk: eidas2`."""
    ask: Literal["acr_values", "claims"] = "acr_values"
    """How a level is requested: with `acr_values`, or with an essential claim `acr` (ProConnect)."""


class ProviderBase(Strict):
    """An identity provider of any protocol, and the attributes that it may assert."""

    version: Version
    provider: Name
    """The name of the provider in other files, in addresses and in logs."""
    label: Maybe[Label] = None
    """The name by which people choose the provider: one text, or one for each language."""
    tenant: Maybe[AttributeName] = None
    """The attribute that names the organisation for which the person acts."""
    tenants: Literal["one", "choose"] = "one"
    """What happens to people with several organisations in this attribute. `one`: they are refused. `choose`: they
    choose one on a page; the session then contains only this organisation and no SIRET or SIREN of the others."""
    asserts: AssertsSection = AssertsSection()
    """Limits on what this provider may assert. A sign-in that asserts more is refused. A part that is not listed has no
    limit."""
    serves: ServesSection = ServesSection()
    """The organisations whose people sign in with this provider: the organisation search offers the provider for them.
    Without this key, everybody sees the provider beside the search."""
    session: ProviderSessionSection = ProviderSessionSection()
    can: CanList = Field(default=[])
    """What the provider supports and is trusted for. `fresh_login`: it asks people to authenticate again on demand, and
    reports the time of the authentication. `acr`, `amr`: it reports the level and the methods."""
    levels: LevelsSection = LevelsSection()

    @model_validator(mode="after")
    def _chosen_among(self) -> "ProviderBase":
        if self.tenants == "choose" and self.tenant is None:
            raise wrong("tenants: nothing is chosen among where no tenant is named", "tenant: siret")
        return self


class ProviderLogoutSection(Strict):
    method: Literal["auto", "get", "post"] = "auto"
    """How the browser is sent to the provider to sign out there, with the ID token. `get`: by a URL; the provider's
    cookie is sent along. `post`: by a form, which keeps the token out of URLs, for a provider that finds its session by
    the token alone. `auto`: by a URL of up to 4000 characters, else by a form."""
    client_id: bool = False
    """Sends `client_id` beside the ID token, for a provider that does not redirect people back without it."""
    front_channel: bool = False
    """Whether the provider may end a session through a frame in its own page. Prefer the back-channel."""
    revoke: bool = True
    """Whether the refresh token of a session that ends here is revoked, if the provider has an endpoint for it."""


class ProviderFile(ProviderBase):
    """policies/providers/*.yaml with `oidc`: a provider that speaks OpenID Connect."""

    preset: Maybe[PresetName] = None
    """The preset of a common provider. Keys in this file take precedence: see `ecluse provider show`."""
    oidc: OidcSection
    logout: ProviderLogoutSection = ProviderLogoutSection()
    attributes: dict[MappedName, ClaimPath] = Field(default={}, max_length=200)
    """Our name of an attribute, and the provider's claim for it. `null` removes an attribute of the preset."""
    skew: Annotated[WholeSeconds, AfterValidator(_ten_minutes)] = 60
    """The allowed difference between the provider's clock and ours."""

    def sources(self) -> dict[str, tuple[str, ...]]:
        """The mapped attributes, with the names of their claims."""
        return {name: claim[-1:] for name, claim in self.attributes.items()}


class SamlProviderFile(ProviderBase):
    """policies/providers/*.yaml with `saml`: a provider that speaks SAML 2.0."""

    saml: SamlSection
    attributes: dict[MappedName, SamlNames] = Field(default={}, max_length=200)
    """Our name of an attribute, and the provider's possible names for it. `NameID` stands for the subject's NameID."""
    skew: Annotated[WholeSeconds, AfterValidator(_ten_minutes)] = 180
    """The allowed difference between the provider's clock and ours."""

    def sources(self) -> dict[str, tuple[str, ...]]:
        """The mapped attributes, with the names that providers give them. A mapping of the file replaces the common
        names."""
        return {name: COMMON[name] for name in self.saml.common} | self.attributes
