"""Expressions in CEL over every function and every macro that load here, nested, drawn from a seed.

A form has `{kind}` where a part of that kind goes, VAR for a variable, and « » for braces of CEL.
"""

from random import Random

from gateway.config.compile.cel_bound import FUNCTIONS

VARIABLES = {"user.mail": "text", "request.path": "text", "user.groups": "list", "values.uai": "list"}

_BOOL = (
    "true", "{bool} && {bool}", "{bool} || {bool}", "!{bool}", "{text} == {text}", "{text} != {text}", "{int} < {int}",
    "{text} <= {text}", "{int} > {int}", "{text} >= {text}", "{list} == {list}", "{texts} == {texts}", "{map} == {map}",
    "{text} in {list}", "{text} in {map}", "{list} in {lists}", "{text}.contains({text})", "{text}.startsWith({text})",
    "{text}.endsWith({text})", "{text}.matches('{pattern}')", "bool({text})", "type({text}) == type({int})",
    "{time} == {time}", "{duration} < {duration}", "{double} < {double}", "uint({text}) == 1u", "{bytes} == {bytes}",
    "{list}.all(VAR, {bool})", "{list}.exists(VAR, {bool})", "{list}.exists_one(VAR, {bool})", "dyn({text}) == {int}",
    "has({map}.key)", "{map}.all(VAR, {bool})", "{lists} == {lists}", "({bool} ? {bool} : {bool})",
)  # fmt: skip
_TEXT = (
    "user.mail", "request.path", "'abc'", "{list}[0]", "{text} + {text}", "string({int})", "string({bytes})",
    "string({time})", "string({duration})", "string({double})", "({bool} ? {text} : {text})", "{map}[{text}]",
    "{map}.key",
)  # fmt: skip
_LIST = (
    "user.groups", "values.uai", "[{text}, {text}]", "{list} + {list}", "{list}.map(VAR, {text})",
    "{list}.filter(VAR, {bool})", "{list}.map(VAR, {bool}, {text})", "({bool} ? {list} : {list})", "{lists}[0]",
)  # fmt: skip
_LISTS = ("[{list}, {list}]", "{list}.map(VAR, {list})", "{lists} + {lists}", "{lists}.map(VAR, VAR)")
_INT = (
    "1", "size({list})", "{text}.size()", "{int} + {int}", "{int} - {int}", "{int} * {int}", "{int} / {int}",
    "{int} % {int}", "-{int}", "int({text})", *(f"{{time}}.{name}()" for name in FUNCTIONS if name[:3] == "get"),
    "{time}.getHours('Europe/Paris')", "{map}.size()", "int({double})", "int(timestamp({int}))",
)  # fmt: skip
_OTHERS = {
    "map": ("«'key': {text}, {text}: {text}»", "«'key': {text}»"),
    "texts": ("[{map}, {map}]", "{list}.map(VAR, {map})"),
    "time": ("timestamp({text})", "timestamp({int})", "{time} + {duration}", "request.time"),
    "duration": ("duration({text})", "duration('1h1m')", "{time} - {time}"),
    "double": ("double({text})", "1.5", "{double} * {double}", "double({int})"),
    "bytes": ("bytes({text})", "b'abc'", "{bytes} + {bytes}"),
    "pattern": ("dsi-[0-9]+", "(a|b)*a(a|b)«12»c", "[a-z]+@[a-z]+", "(a«1,9»)«1,9»b", "(?i)x(foo|bar)+$", "a*a*a*c"),
}
FORMS = {"bool": _BOOL, "text": _TEXT, "list": _LIST, "lists": _LISTS, "int": _INT, **_OTHERS}

# What ends each kind where no deeper nesting is wanted.
_LAST = {
    "bool": ("user.mail == 'abc'", "VAR != request.path"), "text": ("user.mail", "request.path", "VAR"),
    "list": ("user.groups", "values.uai"), "lists": ("[user.groups]",), "int": ("1", "size(user.groups)"),
    "map": ("«'key': user.mail»",), "texts": ("[«'key': user.mail»]",), "time": ("request.time",),
    "duration": ("duration('1h')",), "double": ("1.5",), "bytes": ("bytes(user.mail)",), "pattern": FORMS["pattern"],
}  # fmt: skip


def expression(seed: int) -> str:
    """Each form of `bool` comes up in turn."""
    draw = Random(seed)
    first = _BOOL[seed % len(_BOOL)]
    return _filled(first, draw, depth=1 + seed // len(_BOOL) % 4, variable="user.mail")


def every_form() -> list[tuple[str, str]]:
    """(kind, form): each once, around values that are no deeper than they must be."""
    return [(kind, form) for kind, forms in FORMS.items() if kind != "pattern" for form in forms]


def closed(kind: str, form: str, draw: Random) -> str:
    """The form as a condition: compared with itself where it is none."""
    return _condition(kind, form, draw, "user.mail")


def for_each(kind: str, form: str, draw: Random) -> str:
    """The form as a condition that is asked of each entry of a list."""
    return f"user.groups.all(each, {_condition(kind, form, draw, 'each')} || true)"


def _condition(kind: str, form: str, draw: Random, variable: str) -> str:
    text = _filled(form, draw, depth=0, variable=variable)
    return f"({text})" if kind == "bool" else f"({text}) == ({text})"


def _filled(form: str, draw: Random, depth: int, variable: str) -> str:
    """`form` with each `{kind}` drawn, and VAR as a name of its own from the place on where a macro declares it."""
    over, comma, body = form.partition("VAR,")
    inner = f"v{draw.randrange(10**6)}" if comma else variable
    return _drawn(over, draw, depth, variable) + (f"{inner}," + _drawn(body, draw, depth, inner) if comma else "")


def _drawn(form: str, draw: Random, depth: int, variable: str) -> str:
    pieces = form.replace("VAR", variable).split("{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        kind, _, rest = piece.partition("}")
        choices = FORMS[kind] if depth > 0 else _LAST[kind]
        written = _filled(draw.choice(choices), draw, depth - 1, variable)
        filled += (f"({written})" if kind != "pattern" else written), rest
    return "".join(filled).replace("«", "{").replace("»", "}")
