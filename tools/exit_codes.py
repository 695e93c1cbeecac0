"""What the exit statuses of each command mean: 0, 1 and, where a command has it, 3."""

MEANINGS: dict[str, tuple[str, ...]] = {
    "serve": ("stopped after SIGTERM", "the folder is refused, or an address or the state folder cannot be used"),
    "check": ("the folder can be served", "the folder has problems, or one of its tests fails"),
    "test": ("every test passes", "a test fails, or the folder has problems"),
    "diff": ("no decision changes", "a decision changes"),
    "fmt": (
        "every file has the layout",
        "a file was not rewritten (unreadable, not YAML, or its meaning would change); --check: one has another layout",
    ),
    "lint": ("no finding", "findings, or the folder has problems"),
    "reload": (
        "the folder is live in every worker",
        "the folder is refused, or removes most hosts without --yes; the previous one stays live",
        "the folder is live, except the files of teams that are wrong",
    ),
    "restart": (
        "another process serves",
        "the new process failed, or a reload would be refused; the running gateway goes on",
    ),
    "session list": ("listed", "the gateway or its store does not answer"),
    "session show": ("shown", "there is no such session, or the gateway or its store does not answer"),
    "session revoke": (
        "ended everywhere",
        "there is no such session, or a session may not have ended",
    ),
    "key new": ("made", "nothing is written: the file exists, or cannot be written"),
    "key list": ("listed", "the file is not a keyring"),
    "key rotate": (
        "the next key is in the file",
        "nothing is written: the file is not a keyring, or a time is wrong",
    ),
    "key retire": ("the key has an end date", "nothing is written: the key does not exist, or is in use"),
    "directory test": (
        "the directory answered",
        "the directory does not answer, a value does not match its file, or the folder has problems",
    ),
    "directory refresh": (
        "these people will be looked up again at their next request",
        "there is no such session, or the gateway or its store does not answer",
    ),
    "directory import-elus": (
        "the table and the report are written",
        "nothing is written: a file has the wrong form",
    ),
    "organisations import": (
        "the table of organisations is written",
        "nothing is written: the archive has the wrong form, or the folder has problems",
    ),
    "provider add": (
        "the provider's file is written",
        "nothing is written: the provider fails a check, a fingerprint is wrong, or the folder refuses the file",
    ),
    "provider show": ("shown", "the provider's file has problems"),
    "account list": ("listed", "the folder has problems, or its account links cannot be read"),
    "account link": ("linked, or already linked", "the folder has problems, or the link is refused"),
    "account unlink": ("removed", "there is no such link, or the folder has problems"),
    "account refuse": (
        "refused, or deleted",
        "a text is too long, or the folder has problems",
    ),
    "account export": ("written", "the folder has problems, or its account links cannot be read"),
    "account import": ("every line is imported", "nothing is imported: a line is refused, or the folder has problems"),
    "doctor app": (
        "the application answers, and its login form matches its file",
        "an address does not answer or fails, the form does not match, or the folder has problems",
    ),
    "front lines": ("printed", "the folder has problems"),
    "front check": ("every header is set", "a header is missing or overridden, or the folder has problems"),
    "metadata": ("printed", "the folder has problems, or no keys for SAML"),
    "explain": ("explained, whatever the decision", "the folder has problems"),
}
"""By command: the meaning of 0, 1 and 3. 2 is wrong usage everywhere, or something named that cannot be reached or
read."""
