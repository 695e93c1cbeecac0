import pytest

from gateway.config.problems import Place, Problem, ProblemsFound, key_path, printable

LINE = "    alow: {group: administrateurs}"
PLACE = Place("policies/apps/x.yaml", 18, 5, LINE)


def test_a_problem_is_shown_with_its_line_and_a_caret() -> None:
    problem = Problem(PLACE, "access[1].alow", "unknown key", "did you mean allow?")
    assert (
        problem.render()
        == """\
policies/apps/x.yaml:18:5: access[1].alow: unknown key (did you mean allow?)
        alow: {group: administrateurs}
        ^"""
    )


def test_a_collision_shows_both_places() -> None:
    other = Place("policies/apps/y.yaml", 3, 9, "hosts: [a.example]")
    problem = Problem(
        Place("policies/apps/x.yaml", 3, 9, "hosts: [a.example]"), "hosts[0]", "twice", "", (("first at", other),)
    )
    assert problem.render().splitlines()[-3:] == [
        "  first at policies/apps/y.yaml:3:9",
        "    hosts: [a.example]",
        "            ^",
    ]


def test_a_problem_of_a_whole_file_has_no_line() -> None:
    assert Problem(Place("policies/apps/x.yaml", 0, 0), "", "cannot be read").render() == (
        "policies/apps/x.yaml: cannot be read"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    shown = Place("x.yaml", 1, 201, "a" * 200 + "!" + "b" * 299).excerpt().splitlines()
    assert len(shown[0]) == 4 + 160
    assert shown[0][shown[1].index("^")] == "!"


@pytest.mark.parametrize(
    "line",
    [
        "  client_secret: planted",
        "  client_secret: [planted",
        '  client_secret: "planted',
        "    - {id: k1, secret: planted}",
        "oidc: {issuer: https://x, 'client_secret': planted}",
        "  client_secret: {file: x, value: planted}",
        "  client_secret: {value: planted}",
        "    Authorization: {value: planted}",
        "    X-Api-Key: {encoding: utf8, value: planted}",
        '    X-Secret: {"value": "planted"}',
        "      value: planted",
        "      'value': 'planted",
        "    X-Plain: {value: Basic planted=}",
        "        Bearer planted.planted",
    ],
)
def test_a_line_that_may_hold_a_secret_is_not_shown(line: str) -> None:
    shown = Problem(Place("x.yaml", 3, 5, line), "", "wrong", "", (("first at", Place("x.yaml", 2, 5, line)),)).render()
    assert "planted" not in shown
    assert "x.yaml:3:5: wrong" in shown


@pytest.mark.parametrize(
    "line",
    ["  client_secret: {file: ../certs/x}", "    X-Gate: {value: open}", "    X-Secret: {value: {file: ../certs/x}}",
     "      value: {env: KEY}", "    X-Token: {from: uid}", "    refusal: Basic rights are not enough",
     "keys: [{id: k1, secret: {env: KEY}}]", "  keyed: planted", "  key:"],
)  # fmt: skip
def test_a_line_that_names_where_a_secret_is_kept_is_shown(line: str) -> None:
    assert line in Place("x.yaml", 3, 5, line).excerpt()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["a", "a-", "token", "token:", "key: value", "a://", "a:", "basic ", "\\t"])
def test_what_a_long_line_holds_takes_no_time_to_show(piece: str) -> None:
    """A file of 280 kB in one line held the whole folder for minutes."""
    for length in (500, 280_000):
        place = Place("x.yaml", 1, 300, (piece * length)[:length])
        assert all(place.excerpt() for _ in range(100))
    assert "longer than 500 characters" in place.excerpt()


def test_tabs_keep_the_caret_below_its_character() -> None:
    shown = Place("x.yaml", 1, 3, "\t\tx").excerpt().splitlines()
    assert shown[0][shown[1].index("^")] == "x"


def test_a_terminal_is_given_nothing_that_moves_it() -> None:
    assert printable("a\x1b[2J\u202eb") == "a?[2J?b"
    problem = Problem(Place("x\n.yaml", 1, 1, "\x1b]0;x\x07"), "a\x9b", "unknown key \x7f")
    assert all(line.isprintable() for line in problem.render().splitlines())


def test_problems_are_sorted_and_each_is_told_once() -> None:
    def at(file: str, line: int, column: int) -> Problem:
        return Problem(Place(file, line, column), "", "wrong")

    found = ProblemsFound([at("b", 1, 1), at("a", 10, 1), at("a", 2, 7), at("a", 2, 3), at("a", 2, 7)])
    assert str(found).splitlines() == ["a:2:3: wrong", "a:2:7: wrong", "a:10:1: wrong", "b:1:1: wrong"]


def test_a_key_path_reads_as_one_would_say_it() -> None:
    assert key_path(()) == ""
    assert key_path(("access", 1, "allow", "any", 0, "group")) == "access[1].allow.any[0].group"
    assert key_path((0, "a")) == "[0].a"
