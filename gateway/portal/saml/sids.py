"""What a session of a SAML provider is found by. An index alone need not be unique among people (Core 2.7.2)."""

import json


def sid_of(subject: str, index: str) -> str:
    return json.dumps([index, subject])


def index_of(sid: str) -> str:
    """The SessionIndex, as the provider gave it."""
    index: str = json.loads(sid)[0]
    return index
