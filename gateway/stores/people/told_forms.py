"""Encodes and decodes the records of stores.people.told_people."""

import json
from dataclasses import dataclass

from gateway.stores.codec import Form, understood


@dataclass(frozen=True, slots=True)
class KeptUser:
    """A user of one directory. Whether the user is active stands in a mark. Times: Unix seconds."""

    id: str
    user_name: str
    external_id: str | None
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """A person who has signed in, by the keys under which sessions are found."""

    issuer: str
    subject: str


def _user_to_bytes(user: KeptUser) -> bytes:
    return _dump([user.id, user.user_name, user.external_id, user.created, user.modified])


@understood
def _user_from_bytes(data: bytes) -> KeptUser:
    id, user_name, external_id, created, modified = json.loads(data)
    return KeptUser(id, user_name, external_id, created, modified)


def _person_to_bytes(person: SeenPerson) -> bytes:
    return _dump([person.issuer, person.subject])


@understood
def _person_from_bytes(data: bytes) -> SeenPerson:
    issuer, subject = json.loads(data)
    return SeenPerson(issuer, subject)


def _names_to_bytes(names: tuple[str, ...]) -> bytes:
    return _dump([*names])


@understood
def _names_from_bytes(data: bytes) -> tuple[str, ...]:
    names: list[str] = json.loads(data)
    return tuple(names)


@understood
def _text_from_bytes(data: bytes) -> str:
    return data.decode("ascii")


def _text_to_bytes(text: str) -> bytes:
    return text.encode("ascii")


def _dump(values: list[object]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


TOLD_USER = Form("told_user", _user_to_bytes, _user_from_bytes)
TOLD_NAME = Form("told_name", _text_to_bytes, _text_from_bytes)
SEEN_PERSON = Form("seen_person", _person_to_bytes, _person_from_bytes)
SEEN_AS = Form("seen_as", _names_to_bytes, _names_from_bytes)
