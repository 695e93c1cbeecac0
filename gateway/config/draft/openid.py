"""The settings of an OpenID provider, proposed from the discovery document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast, get_args

from gateway.config.presets import Data, PresetName, preset
from gateway.config.presets.products import openid_preset
from gateway.config.schema.oidc import AlgorithmName
from gateway.model.provider import ClientAuthentication
from gateway.oidc.announcement import Announcement
from gateway.oidc.discovery import ProviderMetadata

_USUAL_AUTHENTICATION: Final = "client_secret_basic"
_USUAL_SCOPES: Final = ("openid", "profile", "email")
_USUAL_ALGORITHM: Final = "RS256"
# Our attribute names, each with the claims that mean the attribute, the likeliest first.
_CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "uid": ("preferred_username", "upn", "uid", "username"),
    "mail": ("email", "mail"),
    "given_name": ("given_name",),
    "family_name": ("family_name", "usual_name"),
    "groups": ("groups", "group"),
    "siret": ("siret",),
}
# OIDC Core 5.4: what the scopes `profile` and `email` bring where no claim is announced.
_STANDARD: Final = ("preferred_username", "email", "given_name", "family_name")
# Claims of the protocol itself, which no attribute is made of.
_PROTOCOL: Final = frozenset(
    ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash",
     "c_hash", "s_hash", "email_verified", "updated_at")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenidProposal:
    """None: the file needs no such key, since the preset or the default has the value.

    `authentication`, `signed_with`: the client authentication and the signatures of ID tokens in effect.
    `attributes`: our names and the claims; empty if the preset maps the attributes.
    `tenant`: the attribute with the organisation; may be empty.
    `others`: announced claims without an attribute.
    `doubts`: likely obstacles to a sign-in, for the operator.
    """

    preset: PresetName | None
    issuer: str
    authentication: ClientAuthentication
    signed_with: tuple[str, ...]
    client_authentication: ClientAuthentication | None
    scopes: tuple[str, ...] | None
    algorithms: tuple[str, ...] | None
    userinfo: bool | None
    attributes: Mapping[str, str]
    tenant: str
    others: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def has_issuer(self) -> bool:
        """Whether the preset names the same issuer, so that the file need not."""
        return _section(self.preset, "oidc").get("issuer") == self.issuer


def propose_openid(
    metadata: ProviderMetadata,
    announced: Announcement,
    named: PresetName | None = None,
    attributes: Mapping[str, str] | None = None,
) -> OpenidProposal:
    """`named`: the operator's preset, in place of the recognised preset.
    `attributes`: the operator's own mapping, in addition to the proposed mapping."""
    name = named or openid_preset(metadata)
    oidc = _section(name, "oidc")
    authentication = _authentication(announced, str(oidc.get("client_authentication", _USUAL_AUTHENTICATION)))
    usual = tuple(map(str, cast(list[str], oidc.get("algorithms", [_USUAL_ALGORITHM]))))
    signed_with = _algorithms(announced, usual)
    mapped = _section(name, "attributes")
    attributes = {**({} if mapped else _attributes(announced)), **(attributes or {})}
    of_preset = oidc.get("client_authentication", _USUAL_AUTHENTICATION)
    claims = {*map(str, mapped.values()), *attributes.values(), *_PROTOCOL}
    return OpenidProposal(
        preset=name,
        issuer=metadata.issuer,
        authentication=authentication,
        signed_with=signed_with,
        client_authentication=None if authentication == of_preset else authentication,
        scopes=None if "scopes" in oidc else _scopes(announced),
        algorithms=None if signed_with == usual else signed_with,
        userinfo=False if metadata.userinfo_endpoint is None and oidc.get("userinfo", True) else None,
        attributes=attributes,
        tenant="siret" if "siret" in attributes else "",
        others=tuple(claim for claim in announced.claims if claim not in claims),
        doubts=tuple(_doubts(announced, signed_with)),
    )


def _section(name: PresetName | None, key: str) -> Data:
    found = preset(name) if name else None
    section = found.under({}).get(key) if found is not None else None
    return section if isinstance(section, dict) else {}


def _authentication(announced: Announcement, usual: str) -> ClientAuthentication:
    known = get_args(ClientAuthentication)
    offered = [method for method in announced.client_authentication if method in known]
    # Discovery 3: where the member is missing, client_secret_basic is offered. Not every provider lists all.
    preferred = ("client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt", "none")
    found = usual if usual in offered or not offered else next((one for one in preferred if one in offered), usual)
    return cast(ClientAuthentication, found)


def _algorithms(announced: Announcement, usual: tuple[str, ...]) -> tuple[str, ...]:
    """The usual algorithms if the provider offers any, else the offered algorithms that the gateway accepts."""
    if not announced.algorithms or set(usual) & set(announced.algorithms):
        return usual
    accepted = [one for one in announced.algorithms if one in get_args(AlgorithmName)]
    # The client secret signs nothing where a key of the provider does.
    by_keys = tuple(one for one in accepted if one != "HS256")
    return by_keys or tuple(accepted) or usual


def _attributes(announced: Announcement) -> dict[str, str]:
    claims = announced.claims if set(announced.claims) - _PROTOCOL else _STANDARD
    found = {}
    for name, names in _CLAIMS.items():
        if claim := next((one for one in names if one in claims), ""):
            found[name] = claim
    return found


def _scopes(announced: Announcement) -> tuple[str, ...] | None:
    if not announced.scopes:
        return None
    more = tuple(scope for scope in ("groups", "siret") if scope in announced.scopes)
    wanted = ("openid", *(scope for scope in _USUAL_SCOPES[1:] if scope in announced.scopes), *more)
    return None if wanted == _USUAL_SCOPES else wanted


def _doubts(announced: Announcement, signed_with: tuple[str, ...]) -> list[str]:
    found = []
    if announced.algorithms and not set(signed_with) & set(announced.algorithms):
        offered = ", ".join(announced.algorithms)
        found.append(f"it announces no signature that the gateway accepts ({offered}): have it sign with RS256")
    if announced.challenges and "S256" not in announced.challenges:
        found.append("it does not announce PKCE with S256, which the gateway always uses")
    return found
