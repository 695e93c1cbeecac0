"""What a provider can say of a sign-in's strength, and what a rule asks of it. The same for every protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

Can = Literal["fresh_login", "acr", "amr"]


@dataclass(frozen=True, slots=True)
class ProviderLevels:
    """`can`: what it does and may be believed in: signs people in anew when asked, says `acr`, says `amr`.

    `acr`: its own words (acr, or AuthnContextClassRef of SAML) to levels of the ladder; None where it uses the
    ladder's. `amr`: methods that tell a level by themselves. `ask`: in which way an OpenID Provider is asked for one.
    """

    can: frozenset[Can] = frozenset()
    acr: Mapping[str, str] | None = None
    amr: Mapping[str, str] = field(default_factory=dict)
    ask: Literal["acr_values", "claims"] = "acr_values"


NO_LEVELS = ProviderLevels()


@dataclass(frozen=True, slots=True)
class Need:
    """What a session lacks for what was asked: a level of the ladder, an age (s) of the sign-in, one of these methods.

    NO_NEED where nothing is lacking. All three have to be met by one sign-in.
    """

    level: str = ""
    max_age: int | None = None
    amr: tuple[str, ...] = ()


NO_NEED = Need()


@dataclass(frozen=True, slots=True)
class StepUpRequest:
    """A need in the words of one provider: values of acr (AuthnContextClassRef of SAML), the weakest that does first;
    the age (s) that its own authentication may have, 0 for one made now; its methods."""

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    amr: tuple[str, ...] = ()


NO_STEP_UP = StepUpRequest()


def need_query(need: Need) -> str:
    """For the end of a sign-in address; empty where nothing is needed."""
    fields = {"level": need.level, "max_age": need.max_age, "amr": " ".join(need.amr)}
    return "".join(f"&{name}={quote(str(value), safe='')}" for name, value in fields.items() if value not in ("", None))
