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
    """The organisations that this provider may speak for; a SIREN has to be that of one of them."""
    email_domains: Maybe[list[MailDomain]] = None
    """The domains of the e-mail addresses that it may assert, under any attribute name, and in the identifier as
    well."""
    scopes: Maybe[list[MailDomain]] = None
    """The scopes that may stand after the @ of scoped attributes (eppn, scoped_affiliation, subject_id, pairwise_id),
    and of values that only look like an address; `email_domains` where this is left out. The scopes that the metadata
    state (shibmd:Scope) narrow it further, and never widen it."""
    attributes: Maybe[dict[AttributeName, list[Text]]] = None
    """For an attribute, the only values that this provider may give it."""


class ProviderSessionSection(Strict):
    idle: WholeSeconds = 1800
    """The session ends after so long without a request."""
    absolute: WholeSeconds = 43200
    """The session ends after so long in any case."""


class LevelsSection(Strict):
    """The provider's own words for the levels of the ladder."""

    acr: Maybe[dict[ProviderWord, LevelName]] = None
    """The provider's values of `acr` (of SAML, AuthnContextClassRef), and the level of each. Where this is left out,
    the provider uses the names of the ladder itself."""
    amr: dict[ProviderWord, LevelName] = Field(default={}, max_length=50)
    """Methods that tell a level by themselves, such as `hwk: eidas2`."""
    ask: Literal["acr_values", "claims"] = "acr_values"
    """How the provider is asked for a level: by `acr_values`, or by an essential claim `acr` (ProConnect)."""


class ProviderBase(Strict):
    """An identity provider of any protocol, and the attributes that it may assert."""

    version: Version
    provider: Name
    """Its name in the other files, in addresses and in logs."""
    label: Maybe[Label] = None
    """The name by which people choose it: a text, or one for each language."""
    tenant: Maybe[AttributeName] = None
    """The attribute that names the organisation in whose name the person acts."""
    tenants: Literal["one", "choose"] = "one"
    """What becomes of people for whom it names several organisations. `one`: they are refused. `choose`: they choose
    one on a page; their session has this one alone, and no number of the others among its attributes."""
    asserts: AssertsSection = AssertsSection()
    """What this provider may assert; a sign-in that asserts anything else is refused. What is not listed is not
    bounded."""
    serves: ServesSection = ServesSection()
    """The organisations whose people it signs in: where people search for theirs, this provider is offered for them.
    With nothing here it is offered beside the search, to everybody."""
    session: ProviderSessionSection = ProviderSessionSection()
    can: CanList = Field(default=[])
    """What the provider does, and what it is believed in: `fresh_login`, it asks people anew when it is told to and
    says when they last proved who they are; `acr`, `amr`, it says how strongly and by what."""
    levels: LevelsSection = LevelsSection()

    @model_validator(mode="after")
    def _chosen_among(self) -> "ProviderBase":
        if self.tenants == "choose" and self.tenant is None:
            raise wrong("tenants: nothing is chosen among where no tenant is named", "tenant: siret")
        return self


class ProviderLogoutSection(Strict):
    method: Literal["auto", "get", "post"] = "auto"
    """How people are sent to the provider to be signed out there, with their ID token: by an address (`get`), which
    brings the provider's cookie along; by a form (`post`), which keeps the token out of addresses, for a provider that
    finds its session by the token alone. `auto`: by an address of up to 4000 characters, else by a form."""
    client_id: bool = False
    """Sent beside the ID token too, for a provider that does not send people back otherwise."""
    front_channel: bool = False
    """Whether the provider may end a session by a frame in its own page. Prefer the back-channel."""
    revoke: bool = True
    """Whether the refresh token of a session that ends here is revoked at a provider that has an endpoint for it."""


class ProviderFile(ProviderBase):
    """policies/providers/*.yaml with `oidc`: a provider that speaks OpenID Connect."""

    preset: Maybe[PresetName] = None
    """The preset of a common provider. Whatever this file says takes precedence: `ecluse provider show`."""
    oidc: OidcSection
    logout: ProviderLogoutSection = ProviderLogoutSection()
    attributes: dict[MappedName, ClaimPath] = Field(default={}, max_length=200)
    """Our name for an attribute, and the provider's claim that it comes from; `null` removes an attribute of the
    preset."""
    skew: Annotated[WholeSeconds, AfterValidator(_ten_minutes)] = 60
    """How far its clock may be from ours."""

    def sources(self) -> dict[str, tuple[str, ...]]:
        """Each mapped attribute with the names of its claims."""
        return {name: claim[-1:] for name, claim in self.attributes.items()}


class SamlProviderFile(ProviderBase):
    """policies/providers/*.yaml with `saml`: a provider that speaks SAML 2.0."""

    saml: SamlSection
    attributes: dict[MappedName, SamlNames] = Field(default={}, max_length=200)
    """Our name for an attribute, and the names that the provider may give it; `NameID` is the subject's own."""
    skew: Annotated[WholeSeconds, AfterValidator(_ten_minutes)] = 180
    """How far its clock may be from ours."""

    def sources(self) -> dict[str, tuple[str, ...]]:
        """Each mapped attribute with the names that it may have. A mapping of the file replaces the common names."""
        return {name: COMMON[name] for name in self.saml.common} | self.attributes
