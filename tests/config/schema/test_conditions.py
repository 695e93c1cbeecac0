# ruff: noqa: E501 - a case is a line
import json

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.schema.conditions import KEYS, WrittenCondition
from tests.config.samples import PERMIS, problems

CONDITIONS: TypeAdapter[object] = TypeAdapter(WrittenCondition)


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
        {"claim": {"name": "mail", "matches": "[a-z]+"}},
        {"user": "metropole/1"},
        {"provider": ["metropole", "departement"]},
        {"tenant": {"siret": ["21590350100017"]}},
        {"tenant": {"insee": "2A004"}},
        {"mandate": ["maire", "adjoint"]},
        {"mandate": {"office": "maire"}},
        {"mandate": {"office": ["maire", "adjoint"], "of": "tenant"}},
        {"network": ["10.0.0.0/8", "2001:db8::/32"]},
        {"method": "GET"},
        {"header": {"name": "X-Requested-With", "equals": "XMLHttpRequest"}},
        {"query": {"name": "mode", "in": ["print"]}},
        {"header": {"name": "X-Api-Key", "sha256": "0" * 64}},
        {"query": {"name": "key", "sha256": ["0" * 64, "f" * 64]}},
        {"time": {"zone": "Europe/Paris", "days": "mon-fri", "hours": ["08:00-12:00"], "dates": "2026-12-24"}},
        {"shared": "agents"},
        {"when": "true"},
    ],
)
def test_the_grammar(written: object) -> None:
    CONDITIONS.validate_python(written)


ONE_OF = "a condition is anyone, signed_in, or a mapping with one of " + ", ".join(KEYS)
ONE_TEST = "one thing is asked (write one of equals, in, suffix, matches or exists)"
ONE_OF_REQUEST = "one thing is asked (write one of equals, in, suffix, matches, exists or sha256)"
A_DIGEST = "a SHA-256 is 64 hexadecimal digits, as sha256sum prints it"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("signedin", "allow: this is not a condition (did you mean signed_in?)"),
        ("all", "allow: this is not a condition (write anyone for everybody, signed_in for those who have signed in)"),
        ("authenticated", "allow: this is not a condition (did you mean signed_in?)"),
        ({}, f"allow: this is not a condition ({ONE_OF})"),
        (7, f"allow: this is not a condition ({ONE_OF})"),
        (True, f"allow: this is not a condition ({ONE_OF})"),
        ({"grop": "a"}, "allow: grop is not a condition (did you mean group?)"),
        ({"signed_in": True}, "allow: signed_in is not a condition (did you mean signed_in?)"),
        ({"weather": "fair"}, f"allow: weather is not a condition ({ONE_OF})"),
        ({"claim": {"name": "mail", "matches": "(?=a)b"}}, "allow.claim.matches: `(?=a)b`: invalid perl operator: (?= (expressions are RE2)"),
        ({"user": "jdupont"}, "allow.user: `jdupont`: a user is PROVIDER/SUBJECT, as the log names people"),
        ({"user": []}, "allow.user: this is empty (name at least one)"),
        ({"user": [1]}, "allow.user: this is a text or a list of texts"),
        ({"provider": "metropol"}, "allow.provider: no file in providers/ has the name metropol (did you mean metropole?)"),
        ({"user": "metropol/1"}, "allow.user: no file in providers/ has the name metropol (did you mean metropole?)"),
        ({"mandate": ""}, "allow.mandate: this is empty (name at least one)"),
        ({"mandate": "maire"}, "allow.mandate: no provider of this application maps an attribute mandates (write mandates: under attributes of a provider's file)"),
        ({"mandate": {}}, "allow.mandate.office: this key is missing"),
        ({"mandate": {"office": []}}, "allow.mandate.office: this is empty (name at least one)"),
        ({"mandate": {"office": "maire", "in": "tenant"}}, "allow.mandate.in: unknown key (known here: of, office)"),
        ({"mandate": {"office": "maire", "of": "commune"}}, "allow.mandate.of: this can only be tenant (write tenant, or leave of out)"),
        ({"mandate": {"office": "maire", "of": "tenant"}}, "allow.mandate.of: no directory of this application says of which organisation a mandate is (list one under directories whose file gives mandates with the type mandates)"),
        ({"tenant": {}}, "allow.tenant: an organisation is named in one way (write one of siret, siren, insee or list)"),
        ({"tenant": {"siret": "21590350100018"}}, "allow.tenant.siret: 21590350100018 is not a SIRET (14 digits, the last of which checks the others)"),
        ({"tenant": {"siret": "215 903 501 00017"}}, "allow.tenant.siret: 215 903 501 00017 is not a SIRET (write 21590350100017)"),
        ({"tenant": {"siren": "215 903 501"}}, "allow.tenant.siren: 215 903 501 is not a SIREN (write 215903501)"),
        ({"tenant": {"siren": ["215903501", "215903502"]}}, "allow.tenant.siren: 215903502 is not a SIREN (9 digits, the last of which checks the others)"),
        ({"tenant": {"insee": "5935"}}, "allow.tenant.insee: 5935 is not the INSEE code of a commune (five characters, such as 59350 or 2A004)"),
        ({"tenant": {"insee": "59350"}}, "allow.tenant.insee: no list in lists/ gives an organisation for the commune 59350 (add {siren: ..., insee: ...} to one)"),
        ({"tenant": {"list": "nord"}}, "allow.tenant.list: no file in lists/ has the name nord (known: none)"),
        ({"network": "10.0.0.1/8"}, "allow.network: this is not a network (write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32)"),
        ({"method": "get"}, "allow.method: no get request ever reaches an application (in capitals: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT)"),
        ({"header": {"name": "X-Forwarded-For", "equals": "a"}}, "allow.header.name: X-Forwarded-For is not a header that reaches an application as the client sent it (write network: for where the client is)"),
        ({"header": {"name": "Remote-User", "equals": "a"}}, "allow.header.name: Remote-User is not a header that reaches an application as the client sent it (ask of another header)"),
        ({"header": {"name": "Cookie", "equals": "a"}}, "allow.header.name: Cookie is not a header that reaches an application as the client sent it (ask of another header)"),
        ({"header": {"name": "X_Mode", "equals": "a"}}, "allow.header.name: `x_mode`: a header's name is made of letters, digits and -"),
        ({"header": {"name": "X-Mode"}}, f"allow.header: {ONE_OF_REQUEST}"),
        ({"header": {"name": "X-Mode", "equals": "a", "sha256": "0" * 64}}, f"allow.header: {ONE_OF_REQUEST}"),
        ({"header": {"name": "X-Mode", "sha256": "a secret"}}, f"allow.header.sha256: {A_DIGEST}"),
        ({"query": {"name": "mode", "sha256": ["0" * 64, ""]}}, "allow.query.sha256: this is empty (name at least one)"),
        ({"query": {"name": "", "exists": True}}, "allow.query.name: an empty text is equal to nothing"),
        ({"time": {"zone": "Europe/Paris"}}, "allow.time: a time needs days, hours or dates"),
        ({"time": {"days": "mon-fri"}}, "allow.time.zone: this key is missing"),
        ({"time": {"zone": "Europe/Lutèce", "days": "mon"}}, "allow.time.zone: Europe/Lutèce is not a time zone that this machine knows (Europe/Paris, Indian/Reunion)"),
        ({"time": {"zone": "Europe/Paris", "days": "lundi"}}, "allow.time.days: `lundi` is no day: write mon, tue, wed, thu, fri, sat, sun, or mon-fri"),
        ({"time": {"zone": "Europe/Paris", "hours": "22:00-06:00"}}, "allow.time.hours: `22:00-06:00` ends before it begins: write 22:00-24:00 and 00:00-06:00"),
        ({"time": {"zone": "Europe/Paris", "dates": "2026-02-30"}}, "allow.time.dates: `2026-02-30`: a date is written 2026-12-24, or 2026-12-24..2027-01-02"),
        ({"shared": "agents"}, "allow.shared: no file in shared/ has this condition (known: none)"),
        ({"when": "user.maill == 'a'"}, "allow.when: 1:5: undeclared reference to 'user.maill' (did you mean user.mail?)"),
        ({"when": "user.mail"}, "allow.when: this comes to STRING, and a condition is true or false"),
        ({"when": "user.mail.matches('(?=a)')"}, "allow.when: `(?=a)`: invalid perl operator: (?= (expressions are RE2)"),
        ({"group": "a", "claim": {}}, "allow: a condition has one key (write {all: [...]} where each is needed, {any: [...]} where one is enough)"),
        (["signed_in"], "allow: a list is not a condition (write {any: [...]} or {all: [...]})"),
        ({"any": []}, "allow.any: this is empty (name at least one)"),
        ({"all": []}, "allow.all: this is empty (name at least one)"),
        ({"any": "signed_in"}, "allow.any: this must be a list (write [signed_in])"),
        ({"any": {"group": "a"}}, "allow.any: this must be a list (put it in a list: - before its first key, the others below that key)"),
        ({"not": ["signed_in"]}, "allow.not: a list is not a condition (write {any: [...]} or {all: [...]})"),
        ({"group": 42}, "allow.group: this must be a text (put it in quotes)"),
        ({"group": ""}, "allow.group: an empty text is equal to nothing"),
        ({"group": "e\u0301lus"}, "allow.group: `e\u0301lus` has accents apart from their letters: write it in NFC"),
        ({"group": ["a", "b"]}, "allow.group: this must be a text (write {any: [{group: one}, {group: another}]})"),
        ({"claim": {"name": "mail"}}, f"allow.claim: {ONE_TEST}"),
        ({"claim": {"equals": "a"}}, "allow.claim.name: this key is missing"),
        ({"claim": {"name": "mail", "equals": "a", "in": ["b"]}}, f"allow.claim: {ONE_TEST}"),
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
