"""The form of a stable code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """The stable id of an error, a refusal, a decision or a log event.

    `id`: never renamed nor reused once released, for alerts are built on it.
    `status`: the HTTP status of the answer; 0 where no browser sees the code.
    `title`, `advice`: the texts of the error page, as English message ids.
    """

    id: str
    status: int
    title: str = ""
    advice: str = ""
