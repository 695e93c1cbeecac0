"""What an application is sent to verify, or is signed in with."""

from collections.abc import Iterator
from typing import Final

from gateway.config.check.form_login import SECRET
from gateway.config.check.tokens import ASPNET, BASIC, LTPA2, SEALED, ticket_sections, token_sections
from gateway.config.problems import Problem
from gateway.lint.subject import Subject
from gateway.tokens.aspnet import VALIDATION_KEY_BYTES, machine_key
from gateway.tokens.sealed import shared_key

_LONG: Final = 900
_SHORTEST_SECRET: Final = 24


def long_lived(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        translate = app.model.translate
        lives = [(path, token.life) for path, token in token_sections(translate)]
        for path, life in (*lives, *((path, ticket.life) for path, ticket in ticket_sections(translate))):
            if life > _LONG:
                say = f"for up to {life // 60} minutes after a sign-out, a copied token is accepted"
                yield app.at(*path, "life", say=say, write="life: 5m")


def short_secret(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        for path in ((*BASIC, "password"), SECRET):
            secret = subject.material.get((app.path, path))
            if secret is not None and len(secret) < _SHORTEST_SECRET:
                say = f"this secret has {len(secret)} characters: it can be guessed, and opens every account"
                yield app.at(*path, say=say, write="openssl rand -base64 32")


def shared_by_two(subject: Subject) -> Iterator[Problem]:
    """Keys for sealing or signing that two applications share: the holder of a key can make every token of the other
    application."""
    first: dict[bytes, str] = {}
    for app in subject.apps:
        for path, key_of in (((*SEALED, "key"), shared_key), ((*ASPNET, "validation_key"), _of_machine)):
            written = subject.material.get((app.path, path))
            if written is None:
                continue
            # Compares decoded keys: a key may be written with a line break or in capitals.
            other = first.setdefault(key_of(written), app.model.app)
            if other != app.model.app:
                say = f"{other} has the same key: each of the two can make tokens for the other"
                yield app.at(*path, say=say, write="another key: openssl rand -base64 32")


def _of_machine(content: bytes) -> bytes:
    return machine_key(content, VALIDATION_KEY_BYTES)


def ltpa2(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        if app.model.translate.ltpa2 is not None:
            say = "RSA with SHA-1 and 1024 bits, and a cipher whose vector never changes: below what ANSSI asks for"
            yield app.at(*LTPA2, key=True, say=say, write="jwt: or sealed:, if the application can read it")
