# ruff: noqa: E501 - a case is a line
import json

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.schema_conditions import Condition
from tests.config.samples import PERMIS, problems

CONDITIONS: TypeAdapter[object] = TypeAdapter(Condition)


@pytest.mark.parametrize(
    "written",
    [
        "anyone",
        "signed_in",
        {"group": "ONDE"},
        {"claim": {"name": "mail", "equals": "a@b.example"}},
        {"claim": {"name": "siret", "in": ["1", "2"]}},
        {"claim": {"name": "mail", "suffix": "@b.example"}},
        {"claim": {"name": "uai", "exists": True}},
        {"any": ["signed_in", {"group": "a"}]},
        {"all": [{"any": [{"not": {"group": "a"}}]}]},
        {"not": {"not": "anyone"}},
    ],
)
def test_the_grammar(written: object) -> None:
    CONDITIONS.validate_python(written)


ONE_OF = "a condition is anyone, signed_in, or a mapping with one of group, claim, any, all, not"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("signedin", "allow: this must be one of anyone, signed_in (did you mean signed_in?)"),
        ("all", "allow: this must be one of anyone, signed_in"),
        ({}, f"allow: this is not a condition ({ONE_OF})"),
        (7, f"allow: this is not a condition ({ONE_OF})"),
        (True, f"allow: this is not a condition ({ONE_OF})"),
        ({"grop": "a"}, "allow: grop is not a condition (did you mean group?)"),
        ({"signed_in": True}, "allow: signed_in is not a condition (did you mean signed_in?)"),
        ({"network": "10.0.0.0/8"}, f"allow: network is not a condition ({ONE_OF})"),
        ({"group": "a", "claim": {}}, "allow: a condition has one key (write {all: [...]} where each is needed, {any: [...]} where one is enough)"),
        (["signed_in"], "allow: a list is not a condition (write {any: [...]} or {all: [...]})"),
        ({"any": []}, "allow.any: this is empty (name at least one)"),
        ({"all": []}, "allow.all: this is empty (name at least one)"),
        ({"any": "signed_in"}, "allow.any: this must be a list (write [signed_in])"),
        ({"any": {"group": "a"}}, "allow.any: this must be a list"),
        ({"not": ["signed_in"]}, "allow.not: a list is not a condition (write {any: [...]} or {all: [...]})"),
        ({"group": 42}, "allow.group: this must be a text (put it in quotes)"),
        ({"group": ""}, "allow.group: an empty text is equal to nothing"),
        ({"group": "e\u0301lus"}, "allow.group: `e\u0301lus` has accents apart from their letters: write it in NFC"),
        ({"group": ["a", "b"]}, "allow.group: this must be a text"),
        ({"claim": {"name": "mail"}}, "allow.claim: a claim is asked one thing (write one of equals, in, suffix or exists)"),
        ({"claim": {"equals": "a"}}, "allow.claim.name: this key is missing"),
        ({"claim": {"name": "mail", "equals": "a", "in": ["b"]}}, "allow.claim: a claim is asked one thing (write one of equals, in, suffix or exists)"),
        ({"claim": {"name": "mail", "in": []}}, "allow.claim.in: an empty list says nothing: name at least one"),
        ({"claim": {"name": "mail", "in": ["a", 1]}}, "allow.claim.in[1]: this must be a text (put it in quotes)"),
        ({"claim": {"name": "mail", "exists": False}}, "allow.claim.exists: this can only be true"),
        ({"claim": {"name": "mail", "exists": 1}}, "allow.claim.exists: this can only be true"),
        ({"claim": {"name": "mail", "sufix": "@a"}}, "allow.claim.sufix: unknown key (did you mean suffix?)"),
        ({"claim": {"name": "mail", "suffix": "metropole.example"}}, "allow.claim.suffix: suffix `metropole.example` begins with a letter or a digit, so that `evilmetropole.example` would end with it: begin it with the separator, such as `@` or `.`"),
        ({"claim": {"name": "Mail", "equals": "a"}}, "allow.claim.name: an attribute's name begins with a-z and goes on with a-z, 0-9 and _, at most 64"),
        ({"any": [{"all": [{"not": {"grop": "a"}}]}]}, "allow.any[0].all[0].not: grop is not a condition (did you mean group?)"),
        ({"any": ["anyone", {"group": 1}, "x"]}, "allow.any[1].group: this must be a text (put it in quotes)"),
    ],
)  # fmt: skip
def test_what_is_no_condition_says_so_at_its_place(written: object, said: str) -> None:
    rule = PERMIS.replace("allow: signed_in", f"allow: {json.dumps(written, ensure_ascii=False)}")
    found = [line.partition(": access[2].")[2] for line in problems({"apps/permis.yaml": rule})]
    assert said in found


def test_the_tags_of_the_union_never_show() -> None:
    with pytest.raises(ValidationError) as error:
        CONDITIONS.validate_python({"any": [{"group": 1}]})
    assert "=group" in error.value.errors()[0]["loc"]
    rule = PERMIS.replace("allow: signed_in", "allow: {any: [{group: 1}, {group: 2}]}")
    assert not [line for line in problems({"apps/permis.yaml": rule}) if "=" in line]


def test_what_is_as_deep_as_a_file_may_be_is_built() -> None:
    from tests.config.samples import sample_snapshot

    deepest = "{not: " * 29 + "anyone" + "}" * 29
    sample_snapshot({"apps/permis.yaml": PERMIS.replace("allow: signed_in", f"allow: {deepest}")})
    (found,) = problems({"apps/permis.yaml": PERMIS.replace("allow: signed_in", f"allow: {{not: {deepest}}}")})
    assert found.endswith(": more than 32 levels deep")
