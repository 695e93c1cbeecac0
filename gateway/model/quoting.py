"""A stranger's text made fit for a log line."""

QUOTED_LIMIT = 200


def quoted(value: object, limit: int = QUOTED_LIMIT) -> str:
    """A stranger's value for an operator's eyes: bounded, and every character that does not print replaced."""
    text = value if isinstance(value, str) else type(value).__name__
    shown = "".join(character if character.isprintable() else "?" for character in text[:limit])
    return f'"{shown}"' if len(text) <= limit else f'"{shown}..." ({len(text)} characters)'
