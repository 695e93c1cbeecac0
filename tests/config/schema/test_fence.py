"""Each key of an application's file, and each condition, says what bounds it in a team's file."""

from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import KEYS
from gateway.config.schema.fence import BOUNDS, FENCE
from gateway.config.schema.gateway import TeamSection
from gateway.config.schema.json_schema import fenced_schema, schemas
from tools.reference import fenced_conditions, fenced_keys

BOUND = dict(fenced_keys(fenced_schema()))


def test_every_key_of_an_application_has_its_word() -> None:
    own = fenced_schema()["properties"]
    assert {key for key, section in own.items() if FENCE not in section} == set()
    assert own.keys() == {field.alias or name for name, field in AppFile.model_fields.items()}


def test_every_condition_has_its_word() -> None:
    assert {key for key, word in fenced_conditions(fenced_schema()) if word in BOUNDS} == set(KEYS)


def test_a_word_is_a_key_of_the_fence_and_each_key_of_the_fence_bounds_something() -> None:
    assert BOUNDS.keys() == {"own", *TeamSection.model_fields}
    assert set(BOUND.values()) == BOUNDS.keys()


def test_what_reaches_beyond_an_application_is_never_its_own() -> None:
    """The keys that name something that others have, or that a file of a team could take from them."""
    assert {key for key, word in BOUND.items() if word != "own"} >= {
        "hosts[]", "upstream.url", "upstream.others[]", "upstream.socket", "upstream.ca", "upstream.host",
        "upstream.tls.client_certificate.key", "providers[]", "directories[]", "client_headers[]", "api.providers[]",
        "translate.headers.*.from", "translate.headers.*.value", "translate.paths[].headers.*.from",
        "translate.cookies.*.template", "translate.jwt.header", "translate.jwt.audience", "translate.sealed.key",
        "translate.basic.password", "translate.ltpa2.keys", "account.from", "form_login.trusted.secret",
        "logout.headers.*", "responses.add.*", "embedded_by[]",
    }  # fmt: skip


def test_a_published_schema_has_no_such_word() -> None:
    assert f'"{FENCE}": "' not in schemas()["app.schema.json"]
