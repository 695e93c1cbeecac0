# ruff: noqa: E501 - a case is a line
"""Conditions that name something: what is not there, goes round, or grows without end is told with every place."""

import pytest

from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from tests.config.samples import PERMIS, problems, sample_files, sample_snapshot

HEAD = "version: 1\nconditions:\n"


def app(condition: str) -> str:
    return PERMIS.replace("allow: signed_in", f"allow: {condition}")


def rendered(changes: dict[str, str | None]) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        compile_files(sample_files(changes))
    return str(found.value).splitlines()


def test_one_condition_is_shared_by_several_applications() -> None:
    shared = HEAD + "  agents: {any: [{group: ONDE}, {shared: chiefs}]}\n  chiefs: {group: chefs}\n"
    other = app("{shared: chiefs}").replace("app: permis", "app: other").replace("permis.localhost", "other.localhost")
    snapshot = sample_snapshot(
        {"shared/a.yaml": shared, "apps/permis.yaml": app("{shared: agents}"), "apps/o.yaml": other}
    )
    one, two = (snapshot.apps[name].routes.find(("x",)) for name in ("permis", "other"))
    assert one is not None
    assert two is not None
    assert one.rules[0].allow.conditions[1] is two.rules[0].allow  # type: ignore[union-attr]


def test_a_name_that_no_file_has() -> None:
    (found,) = problems(
        {"shared/a.yaml": HEAD + "  agents: signed_in\n", "apps/permis.yaml": app("{any: [{shared: agent}]}")}
    )
    assert (
        found
        == "policies/apps/permis.yaml:12:40: access[2].allow.any[0].shared: no file in shared/ has this condition (did you mean agents?)"
    )


def test_a_name_is_not_missed_in_files_that_cannot_be_read() -> None:
    found = problems(
        {"shared/a.yaml": "version: 1\nconditions: {agents: {grop: x}}\n", "apps/permis.yaml": app("{shared: agents}")}
    )
    assert found == ["policies/shared/a.yaml:2:22: conditions.agents: grop is not a condition (did you mean group?)"]


def test_one_name_in_two_files_shows_both() -> None:
    lines = rendered({"shared/a.yaml": HEAD + "  agents: signed_in\n", "shared/b.yaml": HEAD + "  agents: anyone\n"})
    assert lines[0] == "policies/shared/b.yaml:3:3: conditions.agents: two shared conditions have this name"
    assert "  first at policies/shared/a.yaml:3:3" in lines
    lists = "version: 1\nlist: nord\norganisations: ['215903501']\n"
    lines = rendered({"lists/a.yaml": lists, "lists/b.yaml": lists})
    assert lines[0] == "policies/lists/b.yaml:2:7: list: two lists have this name"


@pytest.mark.parametrize(
    ("conditions", "circle"),
    [
        ("  a: {shared: a}\n", "a > a"),
        ("  a: {not: {shared: b}}\n  b: {any: [signed_in, {shared: a}]}\n", "a > b > a"),
        ("  c: {shared: a}\n  a: {all: [{shared: d}, {shared: b}]}\n  b: {shared: a}\n  d: signed_in\n", "a > b > a"),
    ],
)
def test_a_circle_is_told_once_with_every_place_on_the_way(conditions: str, circle: str) -> None:
    lines = rendered({"shared/a.yaml": HEAD + conditions, "apps/permis.yaml": app("{shared: a}")})
    assert [line for line in lines if ": this goes round in a circle" in line] == [lines[0]]
    assert lines[0].endswith(f".shared: this goes round in a circle: {circle}")
    assert len([line for line in lines if line.startswith("  by way of policies/shared/a.yaml:")]) == circle.count(">")


def test_what_doubles_at_each_step_is_bounded() -> None:
    steps = "".join(
        f"  s{number}: {{all: [{{shared: s{number + 1}}}, {{shared: s{number + 1}}}]}}\n" for number in range(25)
    )
    found = problems({"shared/a.yaml": HEAD + steps + "  s25: signed_in\n", "apps/permis.yaml": app("{shared: s0}")})
    assert (
        "policies/apps/permis.yaml:12:24: access[2].allow: with all that it refers to, this has over 2000 parts or is nested over 32 deep"
        in found
    )


CLAIM = '{claim: {name: mail, matches: "[a-z]+@ville.example"}}'
GROWING = '{claim: {name: mail, matches: "(a|b)*a(a|b){20}"}}'
EXPRESSION = "{when: \"user.groups.exists(g, user.groups.exists(h, g == h + 'x'))\"}"


@pytest.mark.parametrize(
    ("condition", "number"),
    [(CLAIM, 250), (GROWING, 12), (EXPRESSION, 120), ("{query: {name: id, exists: true}}", 150)],
)
def test_what_takes_too_much_together_does_not_load(condition: str, number: int) -> None:
    """Each of them loads by itself: all of one rule would hold up other applications."""
    (found,) = problems({"apps/permis.yaml": app("{any: [" + ", ".join([condition] * number) + "]}")})
    assert "access[2].allow: with all that it refers to, this could take " in found
    assert " steps (at most 2,000,000) for usual values (write fewer conditions: " in found
    half = "{any: [" + ", ".join([condition] * (number // 4)) + "]}"
    shared = HEAD + f"  half: {half}\n"
    assert problems({"shared/a.yaml": shared, "apps/permis.yaml": app("{shared: half}")}) == []
    every = "{all: [" + ", ".join(["{shared: half}"] * 4) + "]}"
    (found,) = problems({"shared/a.yaml": shared, "apps/permis.yaml": app(every)})
    assert "with all that it refers to, this could take " in found


def test_what_is_cheap_for_each_person_loads_in_any_number() -> None:
    cheap = "{claim: {name: mail, equals: a.martin@ville.example}}"
    assert problems({"apps/permis.yaml": app("{any: [" + ", ".join([cheap] * 1000) + "]}")}) == []


def test_lists_are_counted_by_their_entries() -> None:
    """Many conditions that name the same list would refuse everybody."""
    networks = ", ".join(f"10.{number // 250}.{number % 250}.0/24" for number in range(1000))
    shared = HEAD + f"  ours: {{network: [{networks}]}}\n"
    every = "{all: [" + ", ".join(["{shared: ours}"] * 40) + "]}"
    (found,) = problems({"shared/a.yaml": shared, "apps/permis.yaml": app(every)})
    assert "this could take 2,412,000 steps (at most 2,000,000) for usual values" in found


def test_what_is_too_deep_only_with_what_it_refers_to() -> None:
    deep = "{not: " * 20 + "{shared: b}" + "}" * 20
    other = "{not: " * 20 + "signed_in" + "}" * 20
    found = problems({"shared/a.yaml": HEAD + f"  a: {deep}\n  b: {other}\n"})
    assert found == [
        "policies/shared/a.yaml:3:6: conditions.a: with all that it refers to, this has over 2000 parts or is nested over 32 deep"
    ]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            "{mandate: maire}",
            "no provider of this application maps an attribute mandates (write mandates: under attributes of a provider's file)",
        ),
        (
            "{claim: {name: mial, exists: true}}",
            "no provider of this application maps an attribute mial (did you mean mail?)",
        ),
        ("{header: {name: X-Remote.User, exists: true}}", None),
        ("{when: 'user.mial == \"a\"'}", "1:5: undeclared reference to 'user.mial' (did you mean user.mail?)"),
    ],
)
def test_what_one_application_cannot_be_told_shows_both_places(condition: str, said: str | None) -> None:
    changes = {"shared/a.yaml": HEAD + f"  agents: {condition}\n", "apps/permis.yaml": app("{not: {shared: agents}}")}
    lines = rendered(changes)
    if said is None:
        assert lines[0].startswith("policies/shared/a.yaml:3:")
    else:
        assert lines[0] == f"policies/apps/permis.yaml:12:30: access[2].allow.not: {said}"
        assert "  in policies/shared/a.yaml:3:3" in lines


def test_a_header_that_we_write_is_none_of_the_clients() -> None:
    injecting = app("{header: {name: X-Dossier, exists: true}}").replace("X-Remote-User", "X-DOSSIER")
    (found,) = problems({"apps/permis.yaml": injecting})
    assert found.endswith(".allow.header: the application is told this by us: what a client sends is dropped")


def test_a_provider_that_is_there_and_not_heard() -> None:
    other = sample_files().texts["providers/metropole.yaml"].decode().replace("provider: metropole", "provider: other")
    (found,) = problems({"providers/other.yaml": other, "apps/permis.yaml": app("{provider: [metropole, other]}")})
    assert found.endswith(".allow.provider: this application does not listen to other (add it to providers)")


@pytest.mark.parametrize(
    ("organisation", "said"),
    [
        ("'215903502'", "215903502 is neither a SIRET nor a SIREN (14 or 9 digits, the last of which checks the others)"),
        ("215903501", "this is a SIRET, a SIREN, or a mapping of texts (write {siren: \"215903501\", insee: \"59350\"})"),
        ("{siren: '215903501', siret: '21590350100017'}", "an organisation has one number here (write siret for one establishment, siren for all of them)"),
        ("{name: Lille}", "an organisation has one number here (write siret for one establishment, siren for all of them)"),
        ("{siren: '215903501', inse: '59350'}", "unknown key inse (known here: insee, name, siren, siret)"),
        ("{siren: '215903501', insee: '2C004'}", "2C004 is not the INSEE code of a commune (five characters: 59350, 2A004)"),
    ],
)  # fmt: skip
def test_no_organisation(organisation: str, said: str) -> None:
    (found,) = problems({"lists/a.yaml": f"version: 1\nlist: nord\norganisations: [{organisation}]\n"})
    assert found == f"policies/lists/a.yaml:3:17: organisations[0]: {said}"
