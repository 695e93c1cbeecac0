"""The strength of a sign-in as a provider states it, and the demands of a rule. The same for every protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

Can = Literal["fresh_login", "acr", "amr"]


@dataclass(frozen=True, slots=True)
class ProviderLevels:
    """`can`: the abilities for which the provider is trusted: signs people in again on demand, states `acr`, states
    `amr`.
    `acr`: the provider's words (acr, or AuthnContextClassRef of SAML) to levels of the ladder; None: the provider uses
    the ladder's words.
    `amr`: methods that imply a level.
    `ask`: the way in which an OpenID Provider is asked for a level.
    """

    can: frozenset[Can] = frozenset()
    acr: Mapping[str, str] | None = None
    amr: Mapping[str, str] = field(default_factory=dict)
    ask: Literal["acr_values", "claims"] = "acr_values"


NO_LEVELS = ProviderLevels()


@dataclass(frozen=True, slots=True)
class Need:
    """The part of a demand that a session does not meet: a level of the ladder, an age (s) of the sign-in, one of the
    methods.

    NO_NEED: the demand is met. One sign-in must meet all three parts.
    """

    level: str = ""
    max_age: int | None = None
    amr: tuple[str, ...] = ()


NO_NEED = Need()


@dataclass(frozen=True, slots=True)
class StepUpRequest:
    """A need in the words of one provider: values of acr (AuthnContextClassRef of SAML), the weakest sufficient value
    first; the greatest age (s) of the authentication, 0 for a new one; the methods.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    amr: tuple[str, ...] = ()


NO_STEP_UP = StepUpRequest()


def need_query(need: Need) -> str:
    """For the end of a sign-in address; empty where nothing is needed."""
    fields = {"level": need.level, "max_age": need.max_age, "amr": " ".join(need.amr)}
    return "".join(f"&{name}={quote(str(value), safe='')}" for name, value in fields.items() if value not in ("", None))
