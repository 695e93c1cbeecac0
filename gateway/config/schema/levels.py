"""How strongly people sign in: the ladder, what a provider says of it, and what a rule asks."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.config.schema.types import Maybe, Strict, Word, wrong
from gateway.model.levels import Can


def _level(text: str) -> str:
    if not text[0].isalnum() or not all(letter.isalnum() or letter in "-._" for letter in text) or len(text) > 64:
        raise wrong("a level's name is made of letters, digits, -, . and _, at most 64")
    return text


def _each_once(levels: list[str]) -> list[str]:
    if len(set(levels)) != len(levels):
        raise wrong("a level is here twice: nobody could say which of its places counts")
    return levels


LevelName = Annotated[Word, AfterValidator(_level)]
LadderNames = Annotated[list[LevelName], Field(min_length=1, max_length=50), AfterValidator(_each_once)]
CanList = Annotated[list[Can], Field(max_length=3)]
ProviderWord = Annotated[str, Field(min_length=1, max_length=500)]


class LevelsSection(Strict):
    """The provider's own words for the levels of the ladder."""

    acr: Maybe[dict[ProviderWord, LevelName]] = None
    """Its values of `acr` (of SAML, AuthnContextClassRef), and the level of each. Where this is left out, it uses the
    names of the ladder itself."""
    amr: dict[ProviderWord, LevelName] = Field(default={}, max_length=50)
    """Methods that tell a level by themselves, such as `hwk: eidas2`."""
    ask: Literal["acr_values", "claims"] = "acr_values"
    """How it is asked for a level: by `acr_values`, or by an essential claim `acr` (ProConnect)."""
