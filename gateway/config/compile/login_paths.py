"""Where an application's login form is sent, nobody sends anything by hand: what fails there would be counted by the
application, and not by us. The gateway's own sign-ins are none of the requests that rules are about."""

from typing import Final

from gateway.formlogin.spec import FormLogin
from gateway.model.decision import RuleRef
from gateway.policy.conditions import Anyone
from gateway.policy.patterns import Literal, Pattern, Rest
from gateway.policy.request_conditions import Query
from gateway.policy.rules import Rule
from gateway.policy.values import Exists
from gateway.wire.target import PathLeniency, canonical_target

_REFUSAL: Final = (
    ("en", "The portal signs you in to this application: its own form is not needed. Open its first page again."),
    ("fr", "Le portail vous connecte à cette application : son formulaire ne sert pas. Rouvrez sa page d’accueil."),
)
_POST: Final = frozenset(("POST",))


def closed_login_paths(file: str, form: FormLogin, leniency: PathLeniency) -> list[Rule]:
    """What is refused there, whatever the application's rules allow: a form, and its secret in a query. `file`: the
    application's; `leniency`: how it reads paths."""
    if form.by_hand == "pass":
        return []
    found = []
    for step in form.steps:
        secrets = [field.name for field in step.fields if field.holds == "secret"]
        if secrets:
            target = canonical_target(step.action.encode("ascii"), leniency)
            pattern = Pattern(f"{step.action}/**", (*map(Literal, target.segments), Rest()))
            ref = RuleRef(file, form.line, step.action)
            found.append(Rule(ref, pattern, _POST, None, Anyone(), _REFUSAL))
            found += [Rule(ref, pattern, None, None, Query(name, Exists()), _REFUSAL) for name in secrets]
    return found
