import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import scim_codes
from gateway.scim.document import LARGEST, read_object, require_schema
from tests.scim.samples import outcome, refused


def test_names_are_read_without_their_case() -> None:
    text = b'{"userName": "Anne", "NAME": {"givenName": "Anne"}, "urn:X:User": {"A": [{"B": 1}]}}'
    assert read_object(text) == {"username": "Anne", "name": {"givenname": "Anne"}, "urn:x:user": {"a": [{"b": 1}]}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"a"', "not a JSON object"),
        (b'{"active": false, "active": true}', "one member twice"),
        (b'{"active": false, "Active": true}', "one member twice"),
        (b'{"name": {"a": 1, "A": 2}}', "one member twice"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": "\\ud800"}', "not JSON in UTF-8"),
        (b'{"a": "\xff"}', "not JSON in UTF-8"),
        ("﻿{}".encode(), "not JSON in UTF-8"),
        (b"{} {}", "not JSON in UTF-8"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "bytes, at most"),
        (b"[" * 60_000 + b"]", "nested too deeply"),
        (b'{"a": "' + b"x" * LARGEST + b'"}', "bytes, at most"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text: bytes, why: str) -> None:
    code, detail = refused(lambda: read_object(text))
    assert code is scim_codes.SYNTAX
    assert why in detail


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    assert "s3cret" not in refused(lambda: read_object(b'{"password": "s3cret'))[1]


def test_a_message_says_what_it_is() -> None:
    require_schema(read_object(b'{"schemas": ["URN:A", "urn:b"]}'), "urn:a")
    for text in (b"{}", b'{"schemas": "urn:a"}', b'{"schemas": [1, "urn:b"]}', b'{"schemas": ["urn:a"], "schemaS": 1}'):
        assert refused(lambda text=text: require_schema(read_object(text), "urn:a"))[0] is scim_codes.SYNTAX  # type: ignore[misc]


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_an_object_or_refused(text: bytes) -> None:
    found = outcome(lambda: read_object(text))
    assert found is scim_codes.SYNTAX or {name.lower() for name in json.loads(text)} == set(found)  # type: ignore[arg-type]
