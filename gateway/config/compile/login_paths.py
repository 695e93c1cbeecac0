"""Closes the address of an application's login form to requests of clients: the application would count their failures,
and the gateway would not. Rules do not apply to the gateway's own sign-ins."""

from typing import Final

from gateway.formlogin.spec import FormLogin
from gateway.model.codes import policy_codes
from gateway.model.decision import RuleRef
from gateway.policy.conditions import Anyone, Condition
from gateway.policy.patterns import Literal, Pattern, Rest, Segment
from gateway.policy.request_conditions import Header, Query
from gateway.policy.rules import Rule
from gateway.policy.values import Exists
from gateway.wire.framing import ALL_METHODS
from gateway.wire.target import PathLeniency, canonical_target

# Whatever else has a body: CGI programs read forms of a PUT, too.
_SENDING: Final = frozenset(map(bytes.decode, ALL_METHODS)) - {"GET", "HEAD", "OPTIONS"}
# Kinds of the files that servers show for a folder.
_KINDS: Final = ("php", "html", "htm", "asp", "aspx", "jsp", "jsf", "do", "cgi", "pl", "py")
_INDEX: Final = frozenset(f"{name}.{kind}" for name in ("index", "default") for kind in _KINDS)


def closed_login_paths(file: str, form: FormLogin, leniency: PathLeniency) -> list[Rule]:
    """The rules that refuse a form, and its secret in a query, at the address of the login form, whatever the
    application's own rules allow. Empty with `by_hand: pass`.

    `file`: the application's file.
    `leniency`: how the application reads paths."""
    if form.by_hand == "pass":
        return []
    found = []
    for step in form.steps:
        secrets = [field.name for field in step.fields if field.holds == "secret"]
        if secrets:
            ref = RuleRef(file, form.line, step.action)
            # ASP and Rack read a form that comes with a GET as well.
            bodies = Header("content-type", Exists())
            conditions: list[Condition] = [bodies, *(Query(name, Exists()) for name in secrets)]
            for pattern in _patterns(step.action, leniency):
                found.append(Rule(ref, pattern, _SENDING, None, Anyone(), denied_as=policy_codes.LOGIN_FORM))
                found += [
                    Rule(ref, pattern, None, None, condition, denied_as=policy_codes.LOGIN_FORM)
                    for condition in conditions
                ]
    return found


def _patterns(action: str, leniency: PathLeniency) -> list[Pattern]:
    """The action with and without a slash at its end, and what is below a file; where it is a folder, or the file that
    a server has for one, also the other of the two."""
    *folder, name = canonical_target(action.encode("ascii"), leniency).segments
    files = [name] if name else sorted(_INDEX)
    ways: list[tuple[Segment, ...]] = [(*map(Literal, (*folder, file)), Rest()) for file in files]
    if not name or name.lower() in _INDEX:
        ways += [tuple(map(Literal, way)) for way in ((*folder, ""), (*folder,)) if way]
    return [Pattern(action, way) for way in ways]
