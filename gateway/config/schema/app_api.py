"""`api` of an app file: programs that bring an access token."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.fence import ByHosts, ByUpstreams
from gateway.config.schema.types import Maybe, Name, PathPattern, Strict, Text, checked, wrong
from gateway.config.schema.values import sent_header


class OpaqueTokensSection(Strict):
    """How the tokens of a provider are recognised: by the paths of their requests, or by a header beside the token."""

    paths: Maybe[list[PathPattern]] = Field(default=None, min_length=1, max_length=50)
    header: Maybe[Annotated[str, AfterValidator(checked(sent_header))]] = None
    value: Maybe[Text] = None

    @model_validator(mode="after")
    def _tells(self) -> "OpaqueTokensSection":
        if (self.header is None) != (self.value is None):
            raise wrong("a header tells tokens apart by its value", "write header: X-Organisation, value: name")
        if self.paths is None and self.header is None:
            raise wrong("this tells nothing", "write paths: [/api/name/**], or header: X-Organisation, value: name")
        return self


class AppApiSection(Strict):
    """Programs as callers, with an access token instead of a session."""

    providers: list[Name] = Field(min_length=1, max_length=100)
    """The providers whose tokens are accepted. Each provider's file says what a valid token is."""
    paths: ByHosts[list[PathPattern]] = Field(min_length=1, max_length=50)
    """The paths where tokens are accepted. On other paths an Authorization header passes to the application
    unchanged."""
    forward: ByUpstreams[bool] = False
    """Whether the application receives the token too."""
    opaque: dict[Name, OpaqueTokensSection] = Field(default={}, max_length=100)
    """By provider: which opaque tokens (not JWTs) belong to this provider. Required if several providers introspect
    tokens, unless `prefix` in their files tells the tokens apart: a token that could belong to two providers is sent to
    neither."""
