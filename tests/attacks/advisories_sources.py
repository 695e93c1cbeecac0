"""K050 to K080, those of the sources and the pure cores: what is never done, whatever is asked."""

import ast
import itertools
import random
import re
from collections.abc import Iterator

from gateway.model.decision import RuleRef
from gateway.model.identity import Identity
from gateway.policy.conditions import Anyone, Group, SignedIn
from gateway.policy.decide import decide
from gateway.policy.patterns import parse_pattern
from gateway.policy.routes import RouteTable
from gateway.policy.rules import Rule
from gateway.stores.sealing import new_id
from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.world import ROOT, World

GATEWAY = ROOT / "gateway"


async def order_and_spelling(world: World) -> None:
    """K056: a decision does not turn on the order of the rules, nor on how host and path are spelled."""
    dice = random.Random(56)
    paths = ("/", "/a", "/a/b", "/a/*", "/a/**", "/**", "/*", "/~[ab]", "/~[ab]/**", "/a/b/c", "/*/b", "/b/**")
    conditions = (Anyone(), SignedIn(), Group("admins"))
    people = (None, Identity("p", "i", "s", {}), Identity("p", "i", "s", {"groups": ("admins",)}))
    targets = [("",), ("a",), ("b",), ("a", "b"), ("a", "b", "c"), ("c", "b"), ("c",), ("b", "x", "y"), ("a", "")]
    for _ in range(300):
        rules = [
            Rule(RuleRef("f", line, path), parse_pattern(path), None, dice.choice(conditions),
                 dice.choice((None, None, Group("admins"))), "", shadow=False)
            for line, path in enumerate(dice.sample(paths, dice.randrange(2, 8)))
        ]  # fmt: skip
        shuffled = dice.sample(rules, len(rules))
        one, other = (RouteTable.build(table, case_insensitive=False) for table in (rules, shuffled))
        for target, person in itertools.product(targets, people):
            decisions = [decide(table.find(target), "GET", person) for table in (one, other)]
            expect(decisions[0] == decisions[1], f"{target}: {decisions}")


# --- the sources ---


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(GATEWAY.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_bytes())


SECRET = re.compile(
    r"secret|token|nonce|binding|verifier|challenge|signature|digest|at_hash|csrf|password", re.IGNORECASE
)
# Compared as whether there is one, as public facts, or against what the other side has just been told.
NOT_SECRET = re.compile(
    r"token_type|token_endpoint|_algorithm|secret_(basic|post)|OIDC_|CHALLENGE|TOKEN|binding\.kind"
    # The length of a signature, and the transforms of one by their names.
    r"|len\(signature\)|ENVELOPED_SIGNATURE"
    # Of files that every page shows and anybody may fetch: it stands in their address.
    r"|^dsfr\.digest$"
)
# A binding of SAML is a way to send messages.
OF_SAML = re.compile(r"^endpoint\.binding$")


async def secrets_compared_in_constant_time(world: World) -> None:
    """K071: no `==` on what a stranger may not guess letter by letter."""
    found = []
    for name, module in sources():
        for node in ast.walk(module):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
                constant = any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))
                public = any(OF_SAML.search(side) for side in sides)
                if not (constant or public) and any(
                    SECRET.search(side) and not NOT_SECRET.search(side) for side in sides
                ):
                    found.append(f"{name}:{node.lineno}: {ast.unparse(node)}")
    expect(not found, f"compared with ==: {found}")
    text = "".join(path.read_text() for path in GATEWAY.rglob("*.py"))
    expect(text.count("compare_digest(") >= 4, "the control: something is compared in constant time")


async def only_secure_chance(world: World) -> None:
    """K050: `random` is nowhere, and 100,000 ids differ though its seed is always the same."""
    for name, module in sources():
        for node in ast.walk(module):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                # The type of an id that a database has made; nothing is made of it here.
                only_the_type = node.module == "uuid" and [alias.name for alias in node.names] == ["UUID"]
                names += [] if only_the_type else [node.module or ""]
            expect(
                "random" not in names and "uuid" not in names, f"{name}:{node.__dict__.get('lineno')} imports {names}"
            )
    ids = set()
    for _ in range(100_000):
        random.seed(50)
        ids.add(new_id())
    expect(len(ids) == 100_000 and all(len(id) == 43 for id in ids), f"{100_000 - len(ids)} ids came twice")


async def no_eval(world: World) -> None:
    """K080: no expression of a file, a claim or a request is run."""
    found = [
        f"{name}:{node.lineno}: {node.func.id}"
        for name, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("eval", "exec", "compile", "__import__")
    ]
    expect(not found, f"{found}")


CASES: tuple[Case, ...] = (
    uncontrolled("K050", "chance is from the system", only_secure_chance),
    uncontrolled("K056", "the order of rules", order_and_spelling),
    uncontrolled("K071", "secrets are compared in constant time", secrets_compared_in_constant_time),
    uncontrolled("K080", "nothing is evaluated", no_eval),
)
