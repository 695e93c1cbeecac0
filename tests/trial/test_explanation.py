from gateway.trial.explanation import explain_request
from gateway.trial.people import Known
from gateway.trial.request import parse_request
from tests.trial.samples import NOW, person, shadowed, snapshot

SNAPSHOT = snapshot()
PAUL = person(uid=("paul",), groups=("ONDE",))


def rows(text: str, who: Known | None) -> list[tuple[str, str, str, str]]:
    explanation = explain_request(SNAPSHOT, parse_request(text), who, NOW)
    return [(row.rule.path, row.say, row.answer, row.why) for row in explanation.rows]


def test_every_rule_whose_pattern_matches_is_told_the_deciding_first() -> None:
    assert rows("GET http://ouvert.localhost/dossiers/1", PAUL) == [
        ("/dossiers/*", "allow", "unknown", ""),
        ("/dossiers/**", "deny", "miss", ""),
        ("/dossiers/**", "allow", "not asked", "a more specific path decides"),
        ("/**", "allow", "not asked", "a more specific path decides"),
    ]


def test_a_rule_of_other_methods_is_not_asked() -> None:
    assert rows("DELETE http://ouvert.localhost/comptes/1", PAUL) == [
        ("/comptes/**", "allow", "not asked", "not for DELETE"),
        ("/comptes/**", "allow", "not asked", "not for DELETE"),
        ("/**", "allow", "not asked", "a more specific path decides"),
    ]


def test_who_is_not_heard_counts_as_nobody() -> None:
    abroad = person("departement", groups=("ONDE",))
    told = explain_request(SNAPSHOT, parse_request("GET http://ouvert.localhost/"), abroad, NOW)
    assert [row.answer for row in told.rows] == ["unknown"]
    assert told.tried.reason == "policy.provider"


def test_the_rules_that_do_not_match_are_counted() -> None:
    told = explain_request(SNAPSHOT, parse_request("GET http://ouvert.localhost/menu"), None, NOW)
    assert (len(told.rows), told.others) == (2, 4)


def test_where_no_rule_is_asked_there_are_none() -> None:
    for text in ("GET http://nowhere.localhost/", "GET http://ouvert.localhost/_ecluse/session"):
        told = explain_request(SNAPSHOT, parse_request(text), PAUL, NOW)
        assert (told.rows, told.others) == ((), 0)


def test_a_shadow_rule_is_told_beside_the_live_ones_and_marked() -> None:
    told = explain_request(shadowed(), parse_request("GET http://ouvert.localhost/dossiers/1"), PAUL, NOW)
    assert [(row.rule.path, row.say, row.answer, row.shadow) for row in told.rows] == [
        ("/dossiers/*", "allow", "unknown", False),
        ("/dossiers/**", "deny", "miss", False),
        ("/dossiers/**", "allow", "not asked", False),
        ("/**", "allow", "not asked", False),
        ("/dossiers/*", "allow", "unknown", True),
    ]
    assert told.others == 3
    told = explain_request(shadowed(), parse_request("GET http://ouvert.localhost/plans"), PAUL, NOW)
    assert [(row.rule.path, row.answer, row.shadow) for row in told.rows] == [
        ("/**", "hit", False),
        ("/plans", "hit", True),
    ]
