import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.policy.conditions import Group, SignedIn
from gateway.policy.routes import RouteTable, conflicts
from gateway.policy.rules import Rule
from gateway.wire.target import PathLeniency, canonical_target
from tests.growth import steps
from tests.policy.short import ANYONE, PATHS, PATTERNS, by_brute_force, rule, split, table


def decided(path: str, *patterns: str) -> str | None:
    found = table(*(rule(pattern) for pattern in patterns)).find(split(path))
    return found.pattern if found else None


# --- which pattern decides --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("/", ["/"], ["/a", "/a/"]),
        ("/admin", ["/admin"], ["/", "/admin/", "/admin/x", "/Admin", "/adminx", "/admi"]),
        ("/admin/", ["/admin/"], ["/admin", "/admin/x"]),
        ("/admin/**", ["/admin", "/admin/", "/admin/x", "/admin/x/", "/admin/x/y/z"], ["/", "/adminx", "/x/admin"]),
        ("/admin/*", ["/admin/x", "/admin/"], ["/admin", "/admin/x/", "/admin/x/y"]),
        ("/admin/*/**", ["/admin/x", "/admin/", "/admin/x/", "/admin/x/y"], ["/admin"]),
        ("/*/x", ["/a/x"], ["/x", "/a/b/x", "/a/x/"]),
        ("/**", ["/", "/a", "/a/", "/a/b"], []),
        ("/~[0-9]+/x", ["/42/x"], ["/4a/x", "/42", "//x"]),
        ("/~a/**", ["/a", "/a/", "/a/b"], ["/aa", "/"]),
    ],
)
def test_what_a_pattern_covers(pattern: str, matching: list[str], others: list[str]) -> None:
    assert [path for path in matching if decided(path, pattern) is None] == []
    assert [path for path in others if decided(path, pattern) is not None] == []


@pytest.mark.parametrize(
    ("path", "patterns", "expected"),
    [
        ("/admin", ["/**", "/*", "/~adm.*", "/admin/**", "/admin"], "/admin"),
        ("/admin", ["/**", "/*", "/~adm.*", "/admin/**"], "/admin/**"),
        ("/admin", ["/**", "/*", "/~adm.*"], "/~adm.*"),
        ("/admin", ["/**", "/*"], "/*"),
        ("/admin", ["/**"], "/**"),
        # From the left: the first segment that differs tells, however long the rest is
        ("/a/b/c/d", ["/a/**", "/*/b/c/d"], "/a/**"),
        ("/a/b/c", ["/a/*/c", "/a/b/**"], "/a/b/**"),
        ("/a/b/c", ["/~a/b/c", "/*/b/c"], "/~a/b/c"),
        # The walk goes back where the more specific branch does not reach the end
        ("/a/b/c", ["/a/b", "/a/*/c"], "/a/*/c"),
        ("/a/b/c", ["/a/b/x", "/~a/b/c/d", "/*/b/*"], "/*/b/*"),
        ("/a/b/c", ["/a/b/c/d", "/a/*/c/d", "/a/**"], "/a/**"),
        ("/a/b/c", ["/a/b/c/d", "/a/x/**", "/**"], "/**"),
        ("/a/b/c", ["/a/b/c/d", "/a/x/**", "/*"], None),
    ],
)
def test_the_first_pattern_in_the_order_that_matches_the_whole_path_decides(
    path: str, patterns: list[str], expected: str | None
) -> None:
    assert decided(path, *patterns) == expected
    assert decided(path, *reversed(patterns)) == expected


# The same by brute force: every pattern that matches the whole path, the first in the order.


@pytest.mark.slow
@given(st.sets(PATTERNS, max_size=12), st.lists(PATHS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_tree_finds_what_trying_every_pattern_finds(patterns: set[str], paths: list[str], chance) -> None:
    rules = [rule(pattern, deny=Group("externes")) for pattern in sorted(patterns)]
    chance.shuffle(rules)
    found = RouteTable.build(rules, case_insensitive=False)
    for path in paths:
        expected = by_brute_force(patterns, path)
        match = found.find(split(path))
        assert (match.pattern if match else None) == (expected[0] if expected else None)
        assert [denying.pattern.text for denying in match.denies] == expected if match else not expected


# --- what is below a path ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "patterns", "expected"),
    [
        ("/", ["/**"], ["/**"]),
        ("/dav", ["/**", "/dav/**"], ["/dav/**"]),
        ("/dav/", ["/**", "/dav/**"], ["/dav/**"]),
        ("/", ["/**", "/dav/**", "/x"], ["/**", "/dav/**", "/x"]),
        ("/dav/a", ["/**", "/dav/**", "/dav/a/b/c", "/dav/b/**"], ["/dav/**", "/dav/a/b/c"]),
        ("/dav/a", ["/**", "/dav/*/secret"], ["/**", "/dav/*/secret"]),
        ("/dav/a", ["/dav/~[a-c]/secret/**", "/*/**"], ["/*/**", "/dav/~[a-c]/secret/**"]),
        ("/dav/x", ["/dav/~[a-c]/secret/**", "/*/**"], ["/*/**"]),
        # Of what lies below nobody is told anything: it is denied.
        ("/dav", ["/dav", "/dav/a"], ["/dav", "/dav/a", None]),
        ("/other", ["/dav/**"], [None]),
    ],
)
def test_what_decides_below_a_path(path: str, patterns: list[str], expected: list[str | None]) -> None:
    found = table(*(rule(pattern) for pattern in patterns)).beneath(split(path))
    # `/dav/**` is the path itself, too; where it stands for it alone, it is told for nothing.
    assert sorted((match and match.pattern for match in found), key=str) == sorted(expected, key=str)


def test_below_a_path_every_deny_that_some_path_meets_counts() -> None:
    wide, here = rule("/**", deny=Group("externes")), rule("/dav/**")
    below, beside = rule("/dav/*/b", deny=Group("x")), rule("/other/**", deny=Group("y"))
    routes = table(wide, here, below, beside)
    first, *others = routes.beneath(("dav", "a"))
    assert first is not None
    assert set(first.denies) == {wide, below}
    # Once is enough: every match has to let in.
    assert [match and match.denies for match in others] == [()]
    assert routes.beneath(("dav", "a")) == routes.beneath(("dav", "a", ""))


@pytest.mark.slow
@given(st.sets(PATTERNS, max_size=10), PATHS, st.lists(PATHS, min_size=1, max_size=6))
def test_what_decides_on_any_path_below_is_among_them(patterns: set[str], path: str, more: list[str]) -> None:
    routes = table(*(rule(pattern, deny=Group("externes")) for pattern in sorted(patterns)))
    below = routes.beneath(split(path))
    for tail in more:
        match = routes.find(split(path.rstrip("/") + tail))
        assert (match and match.pattern) in [one and one.pattern for one in below]
        if match is not None:
            assert below[0] is not None
            assert set(match.denies) <= set(below[0].denies)


# --- what a match holds -----------------------------------------------------------------------------------------------


def test_a_match_holds_all_rules_of_its_pattern_and_the_denies_of_every_matching_pattern() -> None:
    wide = rule("/**", SignedIn(), deny=Group("externes"))
    reading, writing = rule("/admin/**", methods={"GET"}), rule("/admin/**", methods={"POST"}, deny=Group("stagiaires"))
    elsewhere = rule("/public/**", deny=Group("x"))
    match = table(wide, reading, writing, elsewhere).find(("admin", "x"))
    assert match is not None
    assert match.rules == (reading, writing)
    assert match.denies == (writing, wide)


def test_the_same_combination_is_the_same_object_and_another_is_another() -> None:
    routes = table(rule("/**"), rule("/a/*", deny=Group("x")), rule("/~[ab]/c", deny=Group("y")), rule("/a/**"))
    one, again = routes.find(("a", "b")), routes.find(("a", "z"))
    assert one is again
    # `/~[ab]/c` denies here too, so that the combination is another one.
    assert routes.find(("a", "c")) is routes.find(("a", "c"))
    assert routes.find(("a", "c")) is not one
    assert hash(one) != hash(routes.find(("a", "c")))
    plain = table(rule("/**"), rule("/a/**"))
    assert plain.find(("a",)) is plain.find(("a", "b", "c"))
    assert plain.find(("a",)) is not plain.find(("b",))


def test_combinations_that_are_kept_are_bounded() -> None:
    at_each_place = [rule("/" + "/".join(["*"] * place + ["a", "**"]), None, deny=Group("x")) for place in range(1, 12)]
    routes = table(rule("/z/**"), *at_each_place)
    for number in range(4096):
        letters = ["a" if number >> place & 1 else "b" for place in range(12)]
        match = routes.find(("z", *letters))
        assert match is not None
        assert len(match.denies) == sum(letter == "a" for letter in letters[:11])
    leaf = routes._rules.literals["z"].rest
    assert leaf is not None
    assert len(leaf.matches) <= 1024


def test_an_empty_table_finds_nothing() -> None:
    assert table().find(("",)) is None


def test_a_shadow_rule_is_no_party() -> None:
    routes = table(rule("/**"), rule("/admin/**", deny=Group("x"), shadow=True), rule("/**", shadow=True))
    match = routes.find(("admin",))
    assert match is not None
    assert match.pattern == "/**"
    assert match.denies == ()


def test_a_path_of_4000_segments_is_found_without_running_out_of_stack() -> None:
    assert table(rule("/a/**")).find(("a",) * 4000) is not None
    assert table(rule("/" + "*/" * 60 + "**", deny=Group("x"))).find(("a",) * 4000) is not None


# --- spellings of one path (K001, K056, PC09, PC11) -------------------------------------------------------------------

INSENSITIVE = PathLeniency(case_insensitive=True)


@pytest.mark.parametrize(
    "target", [b"/admin", b"/admin?", b"/admin?x=/public/ok", b"/admin?/public", b"/%61dmin", b"/adm%69n"]
)
def test_the_query_and_the_spelling_change_nothing(target: bytes) -> None:
    match = table(rule("/public/**"), rule("/admin"), rule("/~.*public.*")).find(canonical_target(target).segments)
    assert match is not None
    assert match.pattern == "/admin"


@pytest.mark.parametrize("target", [b"/admin", b"/ADMIN", b"/Admin", b"/%41dmin", b"/%41DMIN/x"])
@pytest.mark.parametrize("pattern", ["/admin/**", "/Admin/**", "/~ADM[A-M]N/**"])
def test_where_the_application_ignores_case_the_table_does(target: bytes, pattern: str) -> None:
    match = table(rule("/**"), rule(pattern), case_insensitive=True).find(
        canonical_target(target, INSENSITIVE).segments
    )
    assert match is not None
    assert match.pattern == pattern


@pytest.mark.parametrize("target", [b"/ADMIN", b"/%41dmin", b"/adm%C4%B1n", "/ＡＤＭＩＮ".encode()])
def test_where_it_does_not_another_case_is_another_path(target: bytes) -> None:
    try:
        segments = canonical_target(target).segments
    except GatewayError:
        return
    assert table(rule("/admin/**")).find(segments) is None


def test_a_composed_and_a_decomposed_accent_meet_the_same_rule() -> None:
    routes = table(rule("/**"), rule("/é", None))
    for target in (b"/%C3%A9", b"/e%CC%81"):
        match = routes.find(canonical_target(target).segments)
        assert match is not None
        assert match.pattern == "/é"


# --- conflicts --------------------------------------------------------------------------------------------------------


def pairs(*rules: Rule, case_insensitive: bool = False) -> list[tuple[int, int]]:
    return [(one.ref.line, other.ref.line) for one, other, _ in conflicts(rules, case_insensitive)]


def test_two_rules_on_one_pattern_whose_methods_meet() -> None:
    assert pairs(rule("/a", line=1), rule("/a", line=2)) == [(1, 2)]
    assert pairs(rule("/a", methods={"GET"}, line=1), rule("/a", line=2)) == [(1, 2)]
    assert pairs(rule("/a", methods={"GET"}, line=1), rule("/a", methods={"GET", "PUT"}, line=2)) == [(1, 2)]
    assert pairs(rule("/a", methods={"GET"}, line=1), rule("/a", methods={"HEAD"}, line=2)) == [(1, 2)]
    assert pairs(rule("/a", None, deny=Group("x"), line=1), rule("/a", line=2)) == [(1, 2)]
    assert pairs(rule("/a", methods={"GET"}, line=1), rule("/a", methods={"POST"}, line=2)) == []
    assert pairs(rule("/a", line=1), rule("/a/", line=2), rule("/a/**", line=3), rule("/*", line=4)) == []
    assert pairs(rule("/a", line=1), rule("/a", shadow=True, line=2)) == []


def test_each_rule_too_many_is_shown_beside_the_first_that_it_meets_in_the_order_of_the_file() -> None:
    assert pairs(rule("/a", line=3), rule("/a", line=1), rule("/a", line=2)) == [(1, 2), (1, 3)]


def test_two_different_expressions_at_one_place() -> None:
    assert pairs(rule("/x/~a/y", line=1), rule("/x/~b/z", line=2)) == [(1, 2)]
    assert pairs(rule("/~a/~b", line=1), rule("/~a/~c", line=2)) == [(1, 2)]
    assert pairs(rule("/~a", methods={"GET"}, line=1), rule("/~b", methods={"POST"}, line=2)) == [(1, 2)]
    assert pairs(rule("/~a/x", line=1), rule("/~a/y", line=2)) == []
    assert pairs(rule("/x/~a", line=1), rule("/y/~b", line=2)) == []
    assert pairs(rule("/x/~a", line=1), rule("/~b/~c", line=2)) == []


def test_where_case_is_ignored_two_spellings_are_one_pattern() -> None:
    assert pairs(rule("/Admin", line=1), rule("/admin", line=2)) == []
    assert pairs(rule("/Admin", line=1), rule("/admin", line=2), case_insensitive=True) == [(1, 2)]
    assert pairs(rule("/A/~x", line=1), rule("/a/~y", line=2), case_insensitive=True) == [(1, 2)]


def test_a_conflict_says_why() -> None:
    (found,) = conflicts([rule("/a", methods={"GET"}), rule("/a", methods={"HEAD", "PUT"})], case_insensitive=False)
    assert found[2] == "both decide HEAD on `/a`"
    (found,) = conflicts([rule("/a"), rule("/a")], case_insensitive=False)
    assert found[2] == "both decide all methods on `/a`"


@pytest.mark.parametrize("paths", [("/a", "/a"), ("/~x", "/~y")])
def test_an_ambiguous_table_is_never_built(paths: tuple[str, str]) -> None:
    with pytest.raises(GatewayError) as refused:
        table(*(rule(path) for path in paths))
    assert refused.value.code is policy_codes.CONFLICT


@pytest.mark.slow
@given(st.lists(st.tuples(PATTERNS, st.sampled_from([None, frozenset({"GET"}), frozenset({"POST"})])), max_size=8))
def test_without_a_conflict_at_most_one_rule_of_a_match_covers_a_method(chosen) -> None:
    rules = [rule(pattern, methods=methods) for pattern, methods in chosen]
    if conflicts(rules, case_insensitive=False):
        return
    routes = table(*rules)
    for found in filter(None, map(routes.find, (("a",), ("a", "b"), ("",), ("c", "c", "c")))):
        for method in ("GET", "HEAD", "POST", "PUT"):
            assert sum(one.covers(method) for one in found.rules) <= 1


# --- speed ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_five_segments_among_5000_rules_are_found_in_as_many_steps_as_among_50() -> None:
    """How long they take is for `make bench` to say."""
    wide = [rule("/**", deny=Group("x")), rule("/a1/**"), rule("/a1/*/**", deny=Group("y"))]
    counted = []
    for number in (47, 4997):
        routes = table(*(rule(f"/a{n % 7}/b{n % 13}/c{n}/*/e") for n in range(number)), *wide)
        match = routes.find(("a1", "b8", "c8", "z", "e"))
        assert match is not None
        assert len(match.denies) == 2
        counted.append(steps(lambda routes=routes: routes.find(("a1", "b8", "c8", "z", "e"))))
    assert counted[0] == counted[1]


def test_ten_rules_are_built_in_few_steps_and_a_hundred_in_ten_times_as_many() -> None:
    counted = []
    for number in (10, 100):
        rules = [rule(f"/app/{n}/x/**") for n in range(number)]
        counted.append(steps(lambda rules=rules: RouteTable.build(rules, case_insensitive=True)))
    assert counted[0] < 2000
    assert counted[1] < 12 * counted[0]


def test_a_large_table_is_built_in_steps() -> None:
    rules = [rule(f"/a{number}/**", deny=Group("x")) for number in range(350)]
    steps = RouteTable.build_steps([*rules, rule("/shadow", shadow=True)], case_insensitive=False)
    pauses = 0
    while True:
        try:
            next(steps)
        except StopIteration as done:
            built = done.value
            break
        pauses += 1
    assert pauses == 3
    assert built.find(("a7", "x")).denies == (rules[7],)
    assert built.find(("shadow",)) is None


# --- every rule -------------------------------------------------------------------------------------------------------


def test_all_rules_are_told_and_those_of_every_matching_pattern_the_deciding_first() -> None:
    rules = [rule("/**"), rule("/a/**", deny=ANYONE), rule("/a/b"), rule("/a/~[bc]"), rule("/a/*"), rule("/z")]
    wide, below, literal, expression, one, _ = rules
    routes = table(*rules, rule("/a/b", shadow=True))
    assert sorted(routes.rules(), key=lambda each: each.ref.line) == rules
    assert routes.matching(("a", "b")) == (literal, expression, one, below, wide)
    assert routes.matching(("a", "x")) == (one, below, wide)
    assert routes.matching(("q",)) == (wide,)
    assert table(literal).matching(("q",)) == ()
