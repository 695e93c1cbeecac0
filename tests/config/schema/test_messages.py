import json
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pydantic import BaseModel, ValidationError

from gateway.config.problems import did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.messages import _nodes, known_keys, problem_of
from gateway.config.schema.provider import ProviderFile
from gateway.config.yaml.reader import read_document
from tests.config.samples import BASE, PERMIS, problems

LISTEN = "listen:\n  - {address: 127.0.0.1:8080}"
GATEWAY_FILE, METROPOLE_FILE, PERMIS_FILE = "gateway.yaml", "providers/metropole.yaml", "apps/permis.yaml"


def test_the_known_keys_of_a_place_come_from_the_model() -> None:
    assert {"app", "hosts", "access"} < known_keys(AppFile, ())
    assert known_keys(AppFile, ("access", 3)) == {"path", "methods", "allow", "deny", "refusal", "shadow"}
    assert known_keys(AppFile, ("translate", "headers", "X-Any")) == {
        "absent",
        "encoding",
        "escape",
        "from",
        "join",
        "length",
        "nobody",
        "only",
        "template",
        "transforms",
        "unencodable",
        "value",
        "whole",
    }
    assert known_keys(AppFile, ("access", 0, "allow", "any", 1, "claim")) == {
        "name",
        "equals",
        "in",
        "suffix",
        "matches",
        "exists",
    }
    assert known_keys(GatewayFile, ("listen", 0, "tls")) == {"certificate", "key", "others"}
    assert known_keys(ProviderFile, ("attributes", "uid")) == set()
    assert known_keys(AppFile, ("none", 7)) == set()


def test_a_suggestion_is_made_where_something_is_near() -> None:
    assert did_you_mean("alow", ["allow", "deny"]) == "did you mean allow?"
    assert did_you_mean("zzz", ["allow", "deny"]) == ""
    assert did_you_mean(7, []) == ""


@pytest.mark.parametrize("key", ["=group", "[key]", "=", "a.b", "é"])
def test_a_key_that_looks_like_what_pydantic_adds_is_found(key: str) -> None:
    document, _ = read_document("x.yaml", f'version: 1\n"{key}": 2\n'.encode())
    with pytest.raises(ValidationError) as error:
        AppFile.model_validate(document.data)
    found = [problem_of(document, AppFile, detail) for detail in error.value.errors()]
    unknown = [problem for problem in found if problem.message == "unknown key"]
    assert [(str(problem.place), problem.key) for problem in unknown] == [("x.yaml:2:1", key)]


@pytest.mark.parametrize(
    ("file", "old", "key", "wrong", "hint"),
    [
        (
            GATEWAY_FILE,
            LISTEN,
            "listen: ",
            "127.0.0.1:8080",
            "[{address: 127.0.0.1:8080}]",
        ),
        (GATEWAY_FILE, "admin: 127.0.0.1:8081", "admin: ", "8081", "127.0.0.1:8081"),
        (GATEWAY_FILE, "workers: 2", "trusted_proxies: ", "10.0.0.0/8, 192.0.2.1", "[10.0.0.0/8, 192.0.2.1]"),
        (
            METROPOLE_FILE,
            "scopes: [openid, profile, email]",
            "scopes: ",
            "openid profile email",
            "[openid, profile, email]",
        ),
        (METROPOLE_FILE, "client_id: ecluse", "client_id: ", "8081", '"8081"'),
        (PERMIS_FILE, "hosts: [permis.localhost]", "hosts: ", "permis.localhost", "[permis.localhost]"),
        (
            PERMIS_FILE,
            "upstream: {url: http://127.0.0.1:9001}",
            "upstream: ",
            "http://127.0.0.1:9001",
            "{url: http://127.0.0.1:9001}",
        ),
    ],
)
def test_a_hint_that_is_followed_leads_to_a_good_file(file: str, old: str, key: str, wrong: str, hint: str) -> None:
    text = BASE[file]
    assert old in text
    (said,) = problems({file: text.replace(old, key + wrong)})
    assert said.endswith("(put it in quotes)" if hint[0] == '"' else f"(write {hint})")
    assert problems({file: text.replace(old, key + hint)}) == []


# --- true, where a mapping is wanted

MODELS: tuple[tuple[type[BaseModel], str], ...] = (
    (AppFile, PERMIS_FILE),
    (GatewayFile, GATEWAY_FILE),
    (ProviderFile, METROPOLE_FILE),
)


def mappings(model: type[BaseModel]) -> Iterator[str]:
    """Each key of the first level that takes a mapping and nothing else."""
    schema = model.model_json_schema()
    for key in schema["properties"]:
        nodes = [node for node in _nodes(model, (key,)) if "type" in node]
        if {node["type"] for node in nodes} <= {"object", "null"} and nodes:
            yield key


SWITCHES = [(model, file, key) for model, file in MODELS for key in mappings(model)]


@pytest.mark.parametrize(
    ("model", "file", "key"), SWITCHES, ids=[f"{model.__name__}-{key}" for model, _, key in SWITCHES]
)
@pytest.mark.parametrize("written", [True, "yes", "oui"])
def test_who_writes_true_for_a_mapping_is_shown_the_line_to_write(
    model: type[BaseModel], file: str, key: str, written: object
) -> None:
    data = read_document(file, BASE[file].encode())[0].data
    assert isinstance(data, dict)
    text = json.dumps({**data, key: written}, default=str)
    (said,) = [one for one in problems({file: text}) if f": {key}: " in one]
    hint = re.search(rf"\(write ({key}: \{{.*\}})(, with [a-z0-9_, ]+)?\)$", said)
    assert hint, said
    if "..." not in hint[1] and "name: value" not in hint[1]:
        line = read_document(file, hint[1].encode())[0].data
        assert isinstance(line, dict)
        with suppress(ValidationError):
            model.model_validate({**data, **line})
            return
        raise AssertionError(f"{hint[1]} is no good line")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("keep_posts: true", "write keep_posts: {}"),
        ("keep_posts: yes", "write keep_posts: {}"),
        ("keep_posts: false", "leave keep_posts out"),
        ("tunnel: true", "write tunnel: {protocols: [websocket]}"),
        ("tunnel: non", "leave tunnel out"),
        ("rewrite: true", "write rewrite: {headers: true}"),
        ("form_login: true", "write form_login: {steps: ..., signed_in: ..., cookies: ...}"),
        ("session: true", "write session: {...}, with idle, absolute, then, streams, grace"),
    ],
)
def test_the_line_is_the_one_that_the_reference_shows(line: str, hint: str) -> None:
    (said,) = problems({PERMIS_FILE: f"{PERMIS}\n{line}\n"})
    assert said.endswith(f"this must be a mapping of keys to values ({hint})")


def test_a_text_that_is_too_long_has_no_entries() -> None:
    (said,) = problems({"apps/permis.yaml": PERMIS.replace("Réservé aux administrateurs.", "x" * 2001)})
    assert said.endswith("access[1].refusal: this text has 2001 characters, and 2000 are the most")


def test_an_issuer_is_not_the_address_of_its_configuration() -> None:
    text = BASE["providers/metropole.yaml"]
    issuer = re.search(r"issuer: (\S+)", text)
    assert issuer
    (said,) = problems(
        {"providers/metropole.yaml": text.replace(issuer[1], f"{issuer[1]}/.well-known/openid-configuration")}
    )
    assert said.endswith(f"this is where the provider's configuration is, not its issuer (write {issuer[1]})")
