"""Invariant 5: a directory adds only what its file lists, of the person whose key it is; a fault opens nothing."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.directories import (
    MOST_ROWS,
    DirectoryFault,
    due_at,
    finding_of,
    is_value,
    joined_key,
    key_of,
    known_with,
    left_from,
    looked_up_again,
    missing_from,
    transformed,
    unknown_of,
    without_the_old,
)
from gateway.model.directory import (
    Directory,
    DirectoryFinding,
    FileSource,
    GivenAttribute,
    KeyPart,
    ValueType,
    secret_attribute,
)
from gateway.model.identity import Identity
from gateway.policy.conditions import Claim, evaluate
from gateway.policy.truth import Truth
from gateway.policy.values import Exists

SOURCE = FileSource("/srv/communes.csv", "csv")
BY_UID = (KeyPart("uid", "uid", providers=("alpha",)),)
UAI = GivenAttribute("uai", "uai", many=True)
NAME = GivenAttribute("commune", "label")


def directory(*gives: GivenAttribute, key: tuple[KeyPart, ...] = BY_UID, **changes: Any) -> Directory:
    made = Directory("communes", "f1", SOURCE, key, gives or (UAI, NAME), "one", "refuse", 0, 2.0)
    return replace(made, **changes)


def person(provider: str = "alpha", **attributes: str) -> Identity:
    values = {name: (value,) for name, value in attributes.items()}
    return Identity(provider, f"https://{provider}.example", "s-1", values)


# --- the key


def test_the_key_is_of_attributes_of_the_subject_the_issuer_and_the_organisation() -> None:
    key = tuple(KeyPart(name, name) for name in ("issuer", "subject", "tenant", "uid"))
    found = key_of(directory(key=key), person(uid="a"), "21590350100017")
    assert found == joined_key(["https://alpha.example", "s-1", "21590350100017", "a"])


@pytest.mark.parametrize(
    "who",
    [
        person(),
        replace(person(), attributes={"uid": ("a", "b")}),
        replace(person(uid="a"), left_out=frozenset({"uid"})),
    ],
    ids=["none", "several", "left out"],
)
def test_a_person_without_one_value_of_each_part_is_not_looked_up(who: Identity) -> None:
    found = key_of(directory(), who, None)
    assert isinstance(found, DirectoryFault)
    assert found.code.id == "directory.key"
    assert isinstance(key_of(directory(key=(KeyPart("s", "tenant"),)), person(), None), DirectoryFault)


@pytest.mark.parametrize(
    ("how", "text", "found"),
    [
        ("lower", "A.Durand", "a.durand"), ("lower", "ADMİN", "admİn"), ("lower", "\u212aELVIN", "\u212aelvin"),
        ("upper", "groß", "GROß"), ("siren", "21590350100017", "215903501"), ("siren", "215903501", "215903501"),
        ("siren", "21590350100018", None), ("siren", "215903501 ", None),
        ("mail_domain", "h@Ville.example", "ville.example"), ("mail_domain", "a@b@c.example", None),
    ],
)  # fmt: skip
def test_a_value_is_transformed_or_finds_nobody(how: Any, text: str, found: str | None) -> None:
    assert transformed(KeyPart("c", "uid", (how,)), text) == found


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"])), min_size=2, max_size=3, unique=False))
def test_two_keys_are_one_only_where_each_part_is(parts: list[str]) -> None:
    moved = ["".join(parts), *("" for _ in parts[1:])]
    assert (joined_key(parts) == joined_key(moved)) == ([*parts] == moved or not any(parts[1:]))


# --- its rows


def test_a_row_gives_what_is_listed_and_nothing_else() -> None:
    rows = [{"uai": ("0590001A", "0590002B"), "label": ("Lille",), "groups": ("administrateurs",)}]
    found, faults = finding_of(directory(), rows, 7)
    assert found == DirectoryFinding(
        "communes", "f1", "found", {"uai": ("0590001A", "0590002B"), "commune": ("Lille",)}
    )
    assert (found.at, faults) == (7, ())


def test_a_second_row_makes_all_unknown_where_one_is_meant() -> None:
    rows = [{"label": ("Lille",)}, {"label": ("Lille",)}]
    found, faults = finding_of(directory(), rows, 7)
    assert (found.values, found.unknown) == ({}, {"uai", "commune"})
    assert [fault.code.id for fault in faults] == ["directory.rows"]
    many, faults = finding_of(directory(rows="many"), rows, 7)
    assert (many.values, faults) == ({"commune": ("Lille",)}, ())
    found, faults = finding_of(directory(rows="many"), rows * MOST_ROWS, 7)
    assert found.unknown == {"uai", "commune"}


def test_a_value_of_another_type_makes_its_attribute_unknown_and_is_not_told() -> None:
    siret = GivenAttribute("employer", "siret", "siret")
    found, faults = finding_of(directory(siret, NAME), [{"siret": ("secret-1234",), "label": ("Lille",)}], 7)
    assert (found.values, found.unknown) == ({"commune": ("Lille",)}, {"employer"})
    assert [fault.code.id for fault in faults] == ["directory.value"]
    assert "secret" not in faults[0].detail


def test_two_values_where_one_is_meant_are_unknown() -> None:
    found, faults = finding_of(directory(NAME), [{"label": ("Lille", "Roubaix")}], 7)
    assert (found.values, found.unknown, len(faults)) == ({}, {"commune"}, 1)


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        ("number", ("0", "-12"), ("1.5", "1e3", "١", "")), ("boolean", ("true", "false"), ("True", "1", "yes")),
        ("date", ("2026-03-29",), ("2026-02-30", "20260329", "29/03/2026", "2026-W13-1")),
        ("siret", ("21590350100017",), ("21590350100018", "2159035010001")),
        ("siren", ("215903501",), ("215903502",)), ("insee", ("59350", "2A004"), ("2C004", "5935")),
        ("text", ("œ", "a b"), ("a\nb", "a\x00", "\ud800")),
    ],
)  # fmt: skip
def test_types(type: ValueType, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    given_type = GivenAttribute("x", "x", type)
    assert [text for text in good if not is_value(given_type, text)] == []
    assert [text for text in bad if text and is_value(given_type, text)] == []


@pytest.mark.parametrize("word", ["pass word ", " x", "\u00a0x", "e\u0301te", "\u212b", " "])
def test_a_secret_is_kept_byte_for_byte(word: str) -> None:
    """Invariant 16: one that were changed is a wrong password, which may lock the account."""
    secret = GivenAttribute(secret_attribute("word"), "password")
    found, faults = finding_of(directory(secret), [{"password": (word,)}], 7)
    assert (found.values, faults) == ({secret.name: (word,)}, ())


@pytest.mark.parametrize("word", ["x\n", "\tx", "x\r\n", "x\x00", "\ud800"])
def test_a_secret_that_cannot_be_sent_as_it_is_is_unknown(word: str) -> None:
    secret = GivenAttribute(secret_attribute("word"), "password")
    found, faults = finding_of(directory(secret), [{"password": (word,)}], 7)
    assert (found.values, found.unknown, len(faults)) == ({}, {secret.name}, 1)


# --- the two joined


def asked(who: Identity, *findings: DirectoryFinding) -> Identity:
    return replace(who, findings=findings)


def test_what_a_directory_says_is_joined_and_the_person_of_the_session_stays_as_the_provider_said() -> None:
    who = asked(person(uid="a"), DirectoryFinding("communes", "f1", "found", {"uai": ("1",)}))
    assert known_with(who, (directory(),), 0).attributes == {"uid": ("a",), "uai": ("1",)}
    assert who.attributes == {"uid": ("a",)}
    assert known_with(who, (), 0) is who


@pytest.mark.parametrize(
    "finding",
    [
        None,
        DirectoryFinding("communes", "f0", "found", {"uai": ("1",)}),
        DirectoryFinding("others", "f1", "found", {"uai": ("1",)}),
        unknown_of(directory(), "away", 1),
    ],
    ids=["not asked", "asked otherwise", "another directory", "away"],
)
def test_what_could_not_be_said_is_unknown_and_never_absent(finding: DirectoryFinding | None) -> None:
    known = known_with(asked(person(uid="a"), *([finding] if finding else [])), (directory(),), 0)
    assert (dict(known.attributes), known.left_out) == ({"uid": ("a",)}, {"uai", "commune"})
    assert missing_from(known, (directory(),)) == directory()
    assert missing_from(known, (directory(away="without"),)) is None


def test_one_word_never_takes_the_place_of_another_unless_the_file_says_which_wins() -> None:
    who = asked(person(uid="a", uai="own"), DirectoryFinding("communes", "f1", "found", {"uai": ("1",)}))
    for wins, values in ((None, ("own",)), ("provider", ("own",)), ("directory", ("1",))):
        known = known_with(who, (directory(replace(UAI, wins=wins)),), 0)  # type: ignore[arg-type]
        assert known.attributes["uai"] == values
    none = asked(who, DirectoryFinding("communes", "f1", "none"))
    assert "uai" not in known_with(none, (directory(replace(UAI, wins="directory")),), 0).attributes
    away = known_with(asked(who, unknown_of(directory(), "away", 1)), (directory(replace(UAI, wins="directory")),), 0)
    assert ("uai" not in away.attributes, away.left_out) == (True, {"uai"})


def test_a_provider_whose_word_is_not_taken_gets_nothing_of_it() -> None:
    who = asked(person("beta", uid="a", uai="own"), DirectoryFinding("communes", "f1", "found", {"uai": ("1",)}))
    assert known_with(who, (directory(replace(UAI, wins="provider")),), 0).attributes == who.attributes
    assert missing_from(who, (directory(),)) is None


def test_where_a_directory_decides_the_word_of_a_provider_that_it_does_not_take_is_unknown() -> None:
    who = asked(person("beta", uid="a", uai="own"), DirectoryFinding("communes", "f1", "found", {"uai": ("1",)}))
    known = known_with(who, (directory(replace(UAI, wins="directory")),), 0)
    assert (dict(known.attributes), known.left_out) == ({"uid": ("a",)}, {"uai"})
    assert missing_from(who, (directory(replace(UAI, wins="directory")),)) is None
    without = known_with(person("beta", uid="a"), (directory(replace(UAI, wins="directory")),), 0)
    assert (dict(without.attributes), without.left_out) == ({"uid": ("a",)}, frozenset()), "it said nothing of it"


_CELL = st.text(max_size=6) | st.sampled_from(
    ["0590001A", "21590350100017", "true", "2026-03-29", "a,b", "\x00", "\ud800"]
)
_ROW = st.dictionaries(st.sampled_from(["uai", "label", "groups", "x"]), st.lists(_CELL, max_size=3).map(tuple))
_TYPES = st.sampled_from(["text", "number", "boolean", "date", "siret", "siren", "insee"])


@given(
    rows=st.lists(_ROW, max_size=3),
    types=st.tuples(_TYPES, _TYPES),
    many=st.booleans(),
    several=st.sampled_from(["one", "many"]),
    wins=st.sampled_from([None, "directory", "provider"]),
    provider=st.sampled_from(["alpha", "beta"]),
    state=st.sampled_from(["said", "away", "nothing"]),
)
def test_whatever_a_source_says_nothing_is_added_beyond_its_list_and_no_unknown_opens(
    rows: list[Any], types: tuple[Any, Any], many: bool, several: Any, wins: Any, provider: str, state: str
) -> None:
    gives = (GivenAttribute("uai", "uai", types[0], many, ",", wins), GivenAttribute("commune", "label", types[1]))
    one = directory(*gives, rows=several)
    finding, faults = finding_of(one, rows, 7) if state == "said" else (unknown_of(one, "away", 7), ())
    who = person(provider, uid="a", uai="own", groups="agents")
    known = known_with(asked(who, *([] if state == "nothing" else [finding])), (one,), 0)
    assert set(known.attributes) <= {"uid", "uai", "groups", "commune"}
    assert (known.attributes["uid"], known.attributes["groups"]) == (("a",), ("agents",))
    assert (known.issuer, known.subject, known.provider) == (who.issuer, who.subject, who.provider)
    assert known.left_out.isdisjoint(known.attributes)
    said = {cell for row in rows for cells in row.values() for cell in cells}
    for name, values in known.attributes.items():
        if name in ("uai", "commune") and values != who.attributes.get(name):
            given_one = next(given for given in gives if given.name == name)
            assert provider == "alpha", "no person of a provider whose word is not taken"
            assert all(is_value(given_one, value) for value in values)
            assert len(values) == 1 or given_one.many
            assert state == "said"
            assert said
    if provider == "alpha" and state != "said":
        assert evaluate(Claim("commune", Exists()), known) is Truth.UNKNOWN
        assert "commune" in known.left_out
    if wins != "directory":
        assert known.attributes["uai"] == ("own",)
    assert all("own" not in fault.detail for fault in faults)


# --- looked up again


def found(at: int, state: Any = "found", fingerprint: str = "f1") -> DirectoryFinding:
    return DirectoryFinding("communes", fingerprint, state, {}, frozenset(), at)


@pytest.mark.parametrize(
    ("finding", "share", "due"),
    [
        (found(1000), 0.0, 1700.0),
        (found(1000), 1.0, 1900.0),
        (found(1000, "none"), 0.0, 1700.0),
        (found(1000, "away"), 0.0, 1010.0),
        (found(1000, "away"), 1.0, 1020.0),
        (found(1000, fingerprint="f0"), 0.0, 0.0),
        (None, 0.0, 0.0),
    ],
)
def test_it_is_due_ahead_of_the_end_of_its_lifetime(finding: DirectoryFinding | None, share: float, due: float) -> None:
    who = asked(person(uid="a"), *([finding] if finding else []))
    assert due_at(who, [directory(lifetime=1000)], share) == pytest.approx(due)
    assert due_at(replace(who, provider="beta"), [directory()], share) == float("inf")
    assert due_at(who, [directory(lifetime=1000)], share, since=999) == pytest.approx(due)
    assert due_at(who, [directory(lifetime=1000)], share, since=1000) == 0.0, "an operator wants it looked up again"


def test_what_another_file_said_never_takes_the_place_of_one_that_is_away() -> None:
    before, after = asked(person(uid="a"), found(1000, fingerprint="f0")), asked(person(uid="a"), found(1100, "away"))
    (other,) = looked_up_again(before, after, [directory()], 1100).findings
    assert other == replace(found(1100, "away"), was_found=True), "nothing that it said counts"
    good = asked(person(uid="a"), found(1000))
    assert looked_up_again(good, after, [directory(lifetime=600)], 1599).findings == good.findings
    assert looked_up_again(good, after, [directory(lifetime=600)], 1600).findings == (other,)
    newer = asked(person(uid="a"), found(1100, "none"))
    assert looked_up_again(good, newer, [directory()], 1100) == newer


def test_that_a_person_was_found_outlasts_every_outage() -> None:
    ending = directory(gone="end", lifetime=600)
    who = asked(person(uid="a"), found(1000))
    for at in (2000, 3000, 4000):
        who = looked_up_again(who, asked(person(uid="a"), found(at, "away")), [ending], at)
        assert [(one.state, one.was_found) for one in who.findings] == [("away", True)]
    assert left_from(who, asked(person(uid="a"), found(5000, "none")), [ending]) is ending
    back = looked_up_again(who, asked(person(uid="a"), found(5000)), [ending], 5000)
    assert back.findings == (found(5000),), "it says so itself again"


def test_so_it_does_a_pause_after_which_nothing_counts_and_a_changed_file() -> None:
    ending = directory(gone="end", lifetime=600)
    old = without_the_old(asked(person(uid="a"), found(1000)), [ending], 2000)
    assert left_from(old, asked(person(uid="a"), found(2100, "none")), [ending]) is ending
    changed = directory(gone="end", fingerprint="f2")
    away = looked_up_again(asked(person(), found(1000)), asked(person(), found(1100, "away", "f2")), [changed], 1100)
    for before in (asked(person(), found(1000)), away):
        assert left_from(before, asked(person(), found(1200, "none", "f2")), [changed]) is changed


def test_whom_it_never_had_or_said_that_it_has_not_it_cannot_lose() -> None:
    ending = directory(gone="end", lifetime=1)
    for state in ("none", "away"):
        before = asked(person(), found(1000, state))
        away = looked_up_again(before, asked(person(), found(2000, "away")), [ending], 2000)
        assert not away.findings[0].was_found
        assert left_from(away, asked(person(), found(3000, "none")), [ending]) is None


def test_only_a_directory_that_had_the_person_and_answers_can_have_lost_them() -> None:
    states: list[Any] = ["found", "none", "away"]
    ending = directory(gone="end")
    for before in states:
        for after in states:
            left = left_from(asked(person(), found(1, before)), asked(person(), found(2, after)), [ending])
            assert (left is not None) == ((before, after) == ("found", "none"))
    was, gone = asked(person(), found(1)), asked(person(), found(2, "none"))
    assert left_from(was, gone, [directory()]) is None
    assert left_from(was, gone, [directory(gone="end", fingerprint="f2")]) is None


_ANSWERS = st.sampled_from(["found", "none", "away", "too many rows"])
_LOOKS = st.tuples(st.sampled_from([5, 50, 500, 4000]), st.booleans(), st.booleans(), _ANSWERS, _ANSWERS)
_FILES = st.tuples(
    st.sampled_from(["without", "refuse", "last"]), st.sampled_from([0, 300]), st.sampled_from([60, 600])
)


@given(st.lists(_LOOKS, min_size=2, max_size=8), st.tuples(_FILES, _FILES))
def test_whoever_was_found_is_lost_whatever_happened_until_the_directory_says_so(
    looks: list[tuple[int, bool, bool, str, str]], files: tuple[tuple[Any, int, int], tuple[Any, int, int]]
) -> None:
    """Outages, pauses, changed files and another directory beside it."""
    now, edition, had = 1000, 0, [False, False]
    who = person(uid="a")
    for wait, changed, paused, *answers in looks:
        now, edition = now + wait, edition + changed
        both = [
            directory(fingerprint=f"f{edition}", name=name, away=away, last=last, lifetime=lifetime, gone="end")
            for name, (away, last, lifetime) in zip("ab", files, strict=True)
        ]
        who = without_the_old(who, both, now) if paused else who
        rows = {"found": [{}], "none": [], "too many rows": [{}, {}]}
        findings = [
            unknown_of(one, "away", now) if answer == "away" else finding_of(one, rows[answer], now)[0]
            for one, answer in zip(both, answers, strict=True)
        ]
        asked = replace(who, findings=tuple(findings))
        lost = [each and answer == "none" for each, answer in zip(had, answers, strict=True)]
        assert (left_from(who, asked, both) is not None) is any(lost)
        if any(lost):
            return
        who = looked_up_again(who, asked, both, now)
        had = [each if answer == "away" else answer != "none" for each, answer in zip(had, answers, strict=True)]
