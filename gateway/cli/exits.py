"""The exit statuses of every command; docs/reference/exit-codes.md is written from here."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FOUND = 1
    USAGE = 2
    PARTLY = 3


MEANINGS: dict[str, tuple[str, ...]] = {
    "serve": ("drained after SIGTERM", "the folder is refused, or an address or the state folder cannot be had"),
    "check": ("the folder can be served", "it has problems, or a test of its own fails"),
    "test": ("every test passes", "a test fails, or the folder has problems"),
    "diff": ("no decision changes", "something else would come of some request"),
    "fmt": (
        "every file is laid out",
        "a file was left alone (unreadable, no YAML, or it would read otherwise); with --check, one has another layout",
    ),
    "lint": ("nothing is found", "something is found, or the folder has problems"),
    "reload": (
        "the folder is live in every worker",
        "the folder is refused, or takes most hosts away without --yes; the one before it stays",
        "it is live, but for the files of teams that were kept as they were",
    ),
    "restart": ("another process serves", "it could not, or a reload would be refused: the gateway goes on as it was"),
    "session list": ("listed", "the gateway or its store cannot say"),
    "session show": ("shown", "there is no such session, or the gateway or its store cannot say"),
    "session revoke": (
        "ended, and in force everywhere",
        "there is no such session, or not all that are meant are known to have ended",
    ),
    "key new": ("made", "nothing is written: the file is there already, or cannot be written"),
    "key list": ("listed", "it is no keyring"),
    "key rotate": (
        "the key that follows is in the file",
        "nothing is written: it is no keyring, or a time cannot be",
    ),
    "key retire": ("the key has an end", "nothing is written: there is no such key, or it is the one in use"),
    "directory test": (
        "the directory answered",
        "it is away, a value is not as its file says, or the folder has problems",
    ),
    "directory refresh": (
        "ordered: these people are looked up again at their next request",
        "there is no such session, or the gateway or its store cannot say",
    ),
    "directory import-elus": (
        "the table and the report are written",
        "nothing is written: a file is not as it has to be",
    ),
    "organisations import": (
        "the table of organisations is written",
        "nothing is written: the archive is not as it has to be, or the folder has problems",
    ),
    "provider show": ("shown", "its file has problems"),
    "account list": ("listed", "the folder has problems, or its account links cannot be read"),
    "account link": ("linked, or it was so", "the folder has problems, or the link is refused"),
    "account unlink": ("taken back", "there is no such link, or the folder has problems"),
    "account refuse": (
        "refused, or forgotten",
        "a text is too long, or the folder has problems",
    ),
    "account export": ("written", "the folder has problems, or its account links cannot be read"),
    "account import": ("every line is kept", "nothing is kept: a line is refused, or the folder has problems"),
    "doctor app": (
        "the application answers, and its login form is as the file says",
        "one of its addresses does not answer, or fails, or the form is another; or the folder has problems",
    ),
    "front lines": ("printed", "the folder has problems"),
    "front check": ("every header is written", "one is forgotten or written again, or the folder has problems"),
    "metadata": ("printed", "the folder has problems, or no keys for SAML"),
    "explain": ("explained, whatever the decision", "the folder has problems"),
}
"""By command: the meaning of 0, 1 and 3. 2 is wrong usage everywhere, or something named that cannot be reached or
read."""
