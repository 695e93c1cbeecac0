"""Programs that call an application with an access token."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema_types import Maybe, Name, PathPattern, Strict, Text, checked, wrong
from gateway.config.schema_values import sent_header


class OpaqueTokens(Strict):
    """Which tokens are one provider's: by where they are brought, or by a header beside them."""

    paths: Maybe[list[PathPattern]] = Field(default=None, min_length=1, max_length=50)
    header: Maybe[Annotated[str, AfterValidator(checked(sent_header))]] = None
    value: Maybe[Text] = None

    @model_validator(mode="after")
    def _tells(self) -> "OpaqueTokens":
        if (self.header is None) != (self.value is None):
            raise wrong("a header tells by its value", "write header: X-Organisation, value: name")
        if self.paths is None and self.header is None:
            raise wrong("this tells nothing", "write paths: [/api/name/**], or header: X-Organisation, value: name")
        return self


class AppApi(Strict):
    """Callers that are programs: they bring an access token, and no session."""

    providers: list[Name] = Field(min_length=1, max_length=100)
    """Whose tokens are taken; each of them says in its file what these have to be."""
    paths: list[PathPattern] = Field(min_length=1, max_length=50)
    """Where; elsewhere an Authorization header is the application's own affair, as ever."""
    forward: bool = False
    """Whether the application is given the token too."""
    opaque: dict[Name, OpaqueTokens] = Field(default={}, max_length=100)
    """By provider: which tokens that are no JWT are its own. Needed where several are asked about tokens, unless
    `prefix` in the provider's file tells them apart: a token that could be two's is shown to none."""
