"""No expression that is evaluated takes over 1 MiB, or holds the loop for over 5 ms: the bound against the evaluator.

Time is counted in steps: a step is what FULL, whose cost is known best, takes for one on the same machine.
"""

import ctypes
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import thread_time
from typing import Any

import pytest
from cel_expr_python import cel

from gateway.config.compile import cel_tree
from gateway.config.compile.cel import Cel, Tally, _shapes
from gateway.config.compile.cel_bound import BYTES, FUNCTIONS, Cost, Node, with_values
from gateway.config.compile.cel_tree import CheckedExpression
from gateway.model.codes import policy_codes
from gateway.model.decision import Deny
from gateway.model.errors import GatewayError
from gateway.policy.conditions import SignedIn, evaluate, too_costly
from gateway.policy.decide import decide, settled
from gateway.policy.facts import Facts
from gateway.policy.routes import RouteTable
from gateway.policy.trace import trace
from gateway.policy.truth import Truth
from tests.config.compile.cel_samples import VARIABLES, closed, every_form, expression, for_each
from tests.growth import steps
from tests.policy.short import person, rule

TYPES = {"text": cel.Type.STRING, "list": cel.Type.List(cel.Type.STRING)}
ENV = cel.NewEnv(
    variables={name: TYPES[kind] for name, kind in VARIABLES.items()} | {"request.time": cel.Type.TIMESTAMP}
)
NOW = datetime(2026, 1, 5, tzinfo=UTC)


class Sample:
    """One expression, as the evaluator has it and as its cost is added up."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.expression = ENV.compile(source)
        self.tree: Node = CheckedExpression().read(self.expression.serialize())

    def cost(self, data: dict[str, Any]) -> Cost:
        return with_values(self.tree, _shapes(data))

    def bound_fits(self, data: dict[str, Any]) -> bool:
        return self.cost(data).fits

    def largest(self, values: "Values") -> dict[str, Any]:
        """The largest values of this kind for which the expression would be evaluated."""
        scale = 1
        while scale < 4096 and self.cost(values.at(scale * 2)).fits:
            scale *= 2
        return values.at(scale)


class Values:
    """Values that grow: `lists`, `texts` say which of them do."""

    def __init__(self, lists: bool, texts: bool, seed: int) -> None:
        self.lists, self.texts, self.seed = lists, texts, seed

    def at(self, scale: int) -> dict[str, Any]:
        count = scale if self.lists else 3
        size = 1 + scale * (2 if not self.lists else 1) if self.texts else 8
        if self.lists and self.texts:
            count, size = 1 + int(scale**0.5), 1 + int(scale**0.5)
        draw = Random(self.seed)
        text = "".join(draw.choices("ab", k=size))
        values = [f"{text[: max(1, size - 5)]}{number}" for number in range(count)]
        return {
            "user.mail": text,
            "request.path": text + "c",
            "user.groups": values,
            "values.uai": values[::-1],
            "request.time": NOW,
        }


KINDS = [Values(True, False, 1), Values(False, True, 2), Values(True, True, 3)]
LIBC = ctypes.CDLL(None)


def bytes_taken(sample: Sample, data: dict[str, Any]) -> int:
    """How far the process grew at its highest while the evaluator ran."""
    LIBC.malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    run(sample, data)
    return resident("VmHWM") - before


def resident(line: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{line}:")[2].split()[0]) * 1024


def run(sample: Sample, data: dict[str, Any]) -> None:
    with suppress(RuntimeError):
        sample.expression.eval(data=data)


def seconds(sample: Sample, data: dict[str, Any], rounds: int = 3) -> float:
    """Core time of this thread alone, the least of some rounds."""
    least = 1e9
    for _ in range(rounds):
        began = thread_time()
        run(sample, data)
        least = min(least, thread_time() - began)
    return least


# --- the bound, held against the evaluator

SEEDS = 400
FULL = "user.groups.all(a, user.groups.all(b, a != 'x' && b != 'x'))"
# The machine is shared, and a step is a step of FULL: others are counted a little too low here and there.
SLACK, START = 2, 20_000


def seconds_of_a_step() -> float:
    full = Sample(FULL)
    values = full.largest(KINDS[0])
    return seconds(full, values, rounds=9) / full.cost(values).steps


def is_within(sample: Sample, data: dict[str, Any], most: float) -> bool:
    """Whether the sample takes fewer steps than `most`. The speed of a shared machine changes: a step is measured
    beside the sample each time."""
    return any(seconds(sample, data) < most * seconds_of_a_step() for _ in range(5))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_no_expression_takes_more_than_was_added_up_for_it(part: int) -> None:
    """Nested over all functions and macros, each with the largest values for which it would be evaluated."""
    step = seconds_of_a_step()
    sources = [
        written(*form, Random(seed)) for form in every_form() for written in (closed, for_each) for seed in (1, 2)
    ]
    sources += [expression(seed) for seed in range(SEEDS)]
    evaluated = 0
    for sample in loaded(sources[part::4]):
        for values in filter(sample.bound_fits, map(sample.largest, KINDS)):
            bound = sample.cost(values)
            run(sample, values)
            most = SLACK * bound.steps + START
            assert seconds(sample, values) < most * step or is_within(sample, values, most), (sample.source, bound)
            assert any(bytes_taken(sample, values) < bound.bytes + BYTES // 4 for _ in range(3)), (sample.source, bound)
            evaluated += 1
    assert evaluated > SEEDS // 2


# What leaves little or nothing in the program of RE2, and patterns as people write them.
PATTERNS = (
    r"\pL{0}", r"(?i)\PL{0}", r"(?i)[^\PL\pL]|a", r"[\pN\PN]", "|".join([r"\pN"] * 5), "(?:a{0,1000}){0}" * 9,
    "(?:a{1000}){0}" * 9, "(){0,400}", "(?:(?:a{0,31}){0,32}){0}" * 40, r"(?:[^\x00-\x{10FFFF}]a{500}){2}", "|" * 1800,
    "|".join(["ab?"] * 400), ".*" * 800, r"\b" * 800, "(?:|)*" * 300, "|".join([r"\W"] * 400), "(?:a{500}){2}",
    "(?i)" + "|".join(["[Ā-\\x{10ffff}]"] * 90), "|".join(["[ac]"] * 350), "(?i)" + "|".join(["[a-z]"] * 300),
    "^[a-z]+-[0-9]{2}$", "(?i)^[^@]+@(paris|lyon|nantes)[.]fr$",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern[:20])
def test_reading_a_pattern_takes_no_more_than_was_added_up_for_it(pattern: str) -> None:
    sample, few = Sample(f"user.mail.matches(r'{pattern}')"), KINDS[0].at(1)
    most = SLACK * sample.cost(few).steps + START // 10
    assert is_within(sample, few, most), sample.cost(few)


def test_adding_up_takes_no_more_than_the_length_of_what_is_nested() -> None:
    def work(levels: int) -> Callable[[], object]:
        written = ENV.compile("[1].map(a, " * levels + "1" + ")" * levels + ".size() == 1").serialize()
        return lambda: with_values(CheckedExpression().read(written), {})

    assert steps(work(12)) < 3 * steps(work(6))


def test_the_samples_have_every_function_and_every_macro() -> None:
    used = set().union(*(functions(sample.expression.serialize()) for sample in loaded(
        closed(*form, Random(1)) for form in every_form()
    )))  # fmt: skip
    assert {*FUNCTIONS, "matches"} <= used, {*FUNCTIONS, "matches"} - used


def loaded(sources: Iterable[str]) -> Iterator[Sample]:
    """Without those that are nested deeper than the evaluator reads."""
    for source in sources:
        try:
            sample = Sample(source)
        except RuntimeError as error:
            if "recursion" not in str(error):
                raise
        else:
            yield sample


def functions(serialized: bytes) -> set[str]:
    """Field 2 of a call, in protobuf."""
    return {name for name in (*FUNCTIONS, "matches") if bytes((0x12, len(name))) + name.encode() in serialized}


# --- at load

ATTRIBUTES = ("mail", "groups", "uai")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "".join(f"(v+v+v+v).all(v{level}, ".replace("v+", "values.uai+").replace("+v)", "+values.uai)")
                    for level in range(11)) + "true" + ")" * 11,
            "this could take over 1,000,000,000 steps and ",
        ),
        ("[user.groups]" + ".map(a, a + a)" * 11 + ".size() == 1", "this could take "),
        ("[user.mail]" + ".map(a, a + a)" * 13 + ".size() == 1", "this could take "),
        ("user.groups.map(a, user.groups.map(b, user.groups.map(c, a + b + c))).size() == 1", "this could take "),
        (r"user.mail.matches('^\\pL+@\\pL+$')", "this could take "),
        # Read by RE2, and left out of its program.
        *(
            (f"user.groups.exists(group, group.matches(r'{pattern}'))", "this could take ")
            for pattern in (
                r"\pL{0}", r"(?i)[^\PL\pL]|dsi", r"(?:a{0,1000}){0}", r"(?:[^\x00-\x{10FFFF}]a{500}){2}|dsi",
                r"(?:\P{Any}a{500}){2}|dsi", "|" * 600, r"(?i)" + "|".join(["[Ā-\\x{10ffff}]"] * 20),
            )
        ),
        ("google.protobuf.StringValue{value: user.mail} == ''", "a message of the type google.protobuf.StringValue"),
        ("request.time.getHours(user.mail) == 1", "the time zone of getHours is written out, not computed"),
        ("request.time.getHours('/dev/stdin') == 1", "no time zone is named `/dev/stdin`"),
        ("request.time.getHours('file:/dev/stdin') == 1", "no time zone is named `file:/dev/stdin`"),
        ("request.time.getHours('Europe/Pariss') == 1", "no time zone is named `Europe/Pariss`"),
        ("[user.mail].exists(a, " + "||".join(["a==a"] * 260) + ")", "this has over 500 parts"),
    ],
)  # fmt: skip
def test_what_could_cost_too_much_does_not_load(source: str, said: str) -> None:
    with pytest.raises(GatewayError) as refused:
        Cel(ATTRIBUTES, Tally()).compile(source)
    assert refused.value.detail.startswith(said), refused.value.detail


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_whose_cost_is_not_known_does_not_load(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = next(
        text for text in (closed(*form, Random(1)) for form in every_form())
        if name in functions(ENV.compile(text).serialize())
    )  # fmt: skip
    monkeypatch.setattr(cel_tree, "FUNCTIONS", {known: cost for known, cost in FUNCTIONS.items() if known != name})
    with pytest.raises(GatewayError, match="is not known here: its cost has no bound"):
        Sample(source)


# --- at a request

EACH = Cel(ATTRIBUTES, Tally()).compile("user.groups.map(group, group + '@example').exists(name, name == user.mail)")
FEW, MANY = (
    person(mail=("g1@example",), groups=tuple(f"g{number}" for number in range(count))) for count in (20, 4000)
)


def test_what_would_cost_too_much_for_a_person_is_not_evaluated() -> None:
    assert evaluate(EACH, FEW, Facts()) is Truth.TRUE
    assert evaluate(EACH, MANY, Facts()) is Truth.UNKNOWN
    assert too_costly(EACH, FEW, Facts()) == ""
    why = too_costly(EACH, MANY, Facts())
    assert why.startswith("this could take "), why
    assert why.endswith(", for this person and this request"), why


@pytest.mark.parametrize("written", ["allow", "deny"])
def test_it_is_refused_under_a_code_of_its_own(written: str) -> None:
    judged = rule("/**", EACH) if written == "allow" else rule("/**", SignedIn(), deny=EACH)
    at = RouteTable.build((judged,), False).find("/")
    assert at is not None
    refused = decide(at, "GET", MANY)
    assert isinstance(refused, Deny)
    assert refused.reason is policy_codes.EXPRESSION
    assert refused.detail == too_costly(EACH, MANY, Facts("GET"))
    kept_ready = decide(settled(at, "GET", MANY, Facts("GET")), "GET", MANY)
    assert kept_ready == refused
    assert trace(at, "GET", MANY)[0].step.why == refused.detail


def test_the_largest_values_of_a_person_pass_where_the_expression_is_plain() -> None:
    huge = person(mail=("a" * 8192,), groups=tuple(f"{number:0127}" for number in range(4096)))
    for source in ("'x' in user.groups", "user.groups.exists(g, g == 'x')", "user.mail.endsWith('@example')"):
        assert evaluate(Cel(ATTRIBUTES, Tally()).compile(source), huge, Facts()) is Truth.FALSE
