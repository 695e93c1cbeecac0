"""Words at the keys of an application's file: the bound of the key in a file that a team owns (`teams` of
gateway.yaml).

A word at a section applies to every key below the section without a word of its own. Each key of `AppFile` needs a
word: the tests fail for a new key without a word.
"""

from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

from pydantic import Field

ValueT = TypeVar("ValueT")

FENCE: Final = "fence"
"""The word's key in the JSON Schema that pydantic makes. The published schemas omit it."""

ByHosts = Annotated[ValueT, Field(json_schema_extra={FENCE: "hosts"})]
ByProviders = Annotated[ValueT, Field(json_schema_extra={FENCE: "providers"})]
ByUpstreams = Annotated[ValueT, Field(json_schema_extra={FENCE: "upstreams"})]
BySockets = Annotated[ValueT, Field(json_schema_extra={FENCE: "sockets"})]
BySecrets = Annotated[ValueT, Field(json_schema_extra={FENCE: "secrets"})]
ByHeaders = Annotated[ValueT, Field(json_schema_extra={FENCE: "headers"})]
ByCookies = Annotated[ValueT, Field(json_schema_extra={FENCE: "cookies"})]
ByAttributes = Annotated[ValueT, Field(json_schema_extra={FENCE: "attributes"})]
ByDirectories = Annotated[ValueT, Field(json_schema_extra={FENCE: "directories"})]
Own = Annotated[ValueT, Field(json_schema_extra={FENCE: "own"})]

BOUNDS: Final[Mapping[str, str]] = {
    "hosts": "The key acts on requests to the team's own hosts and on answers from them, on no other host.",
    "providers": "Only the team's providers, the people who sign in there and the tokens that they issue.",
    "upstreams": "The key acts on connections to the team's upstreams, which are checked by address at every connect.",
    "sockets": "Only below these folders. No link is followed there.",
    "secrets": "A fixed text, or a file below these folders. No link is followed there.",
    "headers": "Only these headers, whatever the spelling; their values go to the team's own upstream.",
    "cookies": "Only these cookies; their values go to the team's own upstream.",
    "attributes": "Only these attributes of people. Without the list: all that the team's providers assert and its "
    "directories give.",
    "directories": "Only the team's directories.",
    "own": "Nothing outside the team's own applications changes. Numbers and times stay within the limits of "
    "gateway.yaml.",
}
