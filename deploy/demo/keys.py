"""The keys of the demo, made at the first start and never written over."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def make_keys(folder: Path, providers: Iterable[str]) -> None:
    """store.key, and NAME.secret for each provider: one line each, mode 0600. Raises OSError."""
    folder.mkdir(exist_ok=True)
    for name in ("store.key", *(secret_name(provider) for provider in providers)):
        try:
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")


def read_secret(folder: Path, provider: str) -> str:
    return (folder / secret_name(provider)).read_text().rstrip("\n")


def secret_name(provider: str) -> str:
    return f"{provider}.secret"
