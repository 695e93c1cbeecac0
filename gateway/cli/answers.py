"""The answers of a running gateway over the control socket, a type for each question. A gateway of another release may
answer differently, so the command validates the whole answer before reading a part."""

from typing import NotRequired, TypedDict

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from gateway import __version__


@with_config(ConfigDict(strict=True))
class ReloadAnswer(TypedDict):
    """As server.control.ReloadVerdict."""

    verdict: str
    revision: str
    detail: str
    code: NotRequired[str]
    kept: NotRequired[list[str]]
    closed: NotRequired[list[str]]


@with_config(ConfigDict(strict=True))
class Restarted(TypedDict):
    process: int


@with_config(ConfigDict(strict=True))
class ListedSession(TypedDict):
    """A session, as stores.sessions.oversight lists it. Times are Unix seconds.

    `tenant`: the number of the organisation; None without an organisation.
    `organisation`: the name of `tenant` in the gateway's tables of organisations; empty if no table lists the number,
    absent if the gateway has no table."""

    id: str
    person: str
    provider: str
    tenant: str | None
    organisation: NotRequired[str]
    applications: list[str]
    created: int
    expires: int
    ends: int


@with_config(ConfigDict(strict=True))
class SessionsAnswer(TypedDict):
    sessions: list[ListedSession]
    after: str


@with_config(ConfigDict(strict=True))
class Revoked(TypedDict):
    revoked: list[str]
    unwritten: list[str]


@with_config(ConfigDict(strict=True))
class Ordered(TypedDict):
    """`ordered`: the number of people, or "all"."""

    ordered: int | str


# The answer of a gateway for an unknown question.
_UNKNOWN = "not a question"
OTHER_RELEASE = (
    f"the running gateway has another release than this command ({__version__}), and its answer cannot be read: the "
    "result is unknown. Use the command of its release, or stop the gateway and start it again"
)


class OtherRelease(Exception):
    """The gateway answered in a form that is unknown to this release."""


def checked(answer: object, kind: type) -> None:
    """Raises OtherRelease unless the answer is of this `kind`, or an `error` in words."""
    match answer:
        case {"error": str(words)} if not words.startswith(_UNKNOWN):
            return
    try:
        TypeAdapter(kind).validate_python(answer)
    except ValidationError:
        raise OtherRelease(OTHER_RELEASE) from None
