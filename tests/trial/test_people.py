import json

import pytest

from gateway.config.problems import ProblemsFound
from gateway.trial.people import Known, read_person, with_own_login
from gateway.trial.request import parse_request
from gateway.trial.trial import try_request
from tests.config.samples import PERMIS, sample_snapshot
from tests.trial.samples import DEPARTEMENT, SECRET, person, snapshot
from tests.trial.samples import NOW as AROUND

SNAPSHOT = snapshot()
APP = SNAPSHOT.apps["ouvert"]
NOW = 1_800_000_000


def read(text: str) -> Known:
    return read_person("paul.yaml", text.encode(), SNAPSHOT, APP, NOW)


def problems(text: str) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        read(text)
    return [problem.render().partition("\n")[0] for problem in found.value.problems]


def test_a_person_as_a_provider_would_announce_them() -> None:
    known = read(
        "provider: metropole\nsubject: p-1\nattributes: {uid: paul, groups: [ONDE, elus]}\nleft_out: [uai]\n"
        "acr: eidas2\namr: [pwd, otp]\nauthenticated: 5m\n"
    )
    identity = known.identity
    assert known.caveat == ""
    assert (identity.provider, identity.issuer, identity.subject) == ("metropole", "http://127.0.0.1:9400", "p-1")
    assert identity.attributes == {"uid": ("paul",), "groups": ("ONDE", "elus")}
    assert identity.left_out == {"uai"}
    assert (identity.acr, identity.amr, identity.authenticated_at) == ("eidas2", ("pwd", "otp"), NOW - 300)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("provider: metropol\n", "paul.yaml:1:1: no provider has this name (did you mean metropole?)"),
        ("provider: metropole\natributes: {}\n", "paul.yaml:2:1: atributes: unknown key (did you mean attributes?)"),
        (
            "provider: metropole\nattributes: {uaii: a}\n",
            "paul.yaml:1:1: metropole maps no attribute uaii (did you mean uai?)",
        ),
        (
            "provider: metropole\nleft_out: [group]\n",
            "paul.yaml:1:1: metropole maps no attribute group (did you mean groups?)",
        ),
        (
            "provider: metropole\nattributes: {mail: a@evil.example}\n",
            (
                "paul.yaml:1:1: metropole may not assert this, the sign-in is refused: "
                "`mail` has an e-mail domain that this provider does not speak for"
            ),
        ),
        (
            "provider: metropole\nattributes: {uid: 12}\n",
            (
                "paul.yaml:2:19: attributes.uid: this is a text, or a list of texts "
                "(put a number or a word such as true in quotes)"
            ),
        ),
        ("provider: [\n", "paul.yaml:2:1: "),
        ("- paul\n", "paul.yaml:1:1: this must be a mapping of keys to values"),
    ],
)
def test_who_could_not_sign_in_is_no_person(text: str, problem: str) -> None:
    (found,) = problems(text)
    assert found.startswith(problem)


def saved(told: dict[str, str], provider: str = "metropole") -> str:
    return json.dumps({"provider": provider, "expires_in": 60, "headers": told, "cookies": {"SEEN": "present"}})


def test_a_saved_session_gives_what_the_application_was_told_and_leaves_the_rest_unknown() -> None:
    paul = person(uid=("paul",), groups=("ONDE",), family_name=("Rivière",), uai=("a", "b"))
    let_in = try_request(SNAPSHOT, parse_request("GET http://ouvert.localhost/"), paul, AROUND)
    known = read(saved(let_in.headers))
    assert known.identity.attributes == paul.identity.attributes
    assert known.caveat == "not told by this session, so unknown here: given_name, mail, siret"


def test_a_saved_session_that_cannot_be_read() -> None:
    assert problems(saved({}, "elsewhere")) == ["paul.yaml:1:1: no provider has the name of this session's"]
    assert problems(saved({"X-Groups": "ONDE!"})) == [
        "paul.yaml:1:1: X-Groups is not in base64 (save the session of this application anew)"
    ]
    with pytest.raises(ProblemsFound, match="for an application only"):
        read_person("paul.json", saved({}).encode(), SNAPSHOT, None, NOW)


AGENTS = """\
version: 1
directory: agents
csv: {path: ../agents.csv}
key: {uid: {from: uid, providers: [metropole]}}
gives: {login: {}, office: {}}
away: without
"""
FROM_DIRECTORY = PERMIS.replace("{from: uid}", "{from: account}").replace(
    "access:", "account: {from: login, ask: a}\ndirectories: [agents]\naccess:"
)


def test_a_person_of_whom_a_directory_is_not_asked_says_what_to_write() -> None:
    there = sample_snapshot(
        {
            "providers/departement.yaml": DEPARTEMENT,
            "directories/agents.yaml": AGENTS.replace("metropole", "departement"),
        },
        SECRET,
    )
    text = "provider: metropole\nsubject: h\ndirectories: {agents: {}}\n"
    with pytest.raises(ProblemsFound, match="leave agents out here, or name the provider under `key`"):
        read_person("helene.yaml", text.encode(), there, None, NOW)


@pytest.mark.parametrize(
    ("told", "outcome", "sent"),
    [
        ("account: h.old\n", "allow", {"X-Remote-User": "h.old"}),
        ("directories: {agents: {login: h.old}}\n", "allow", {"X-Remote-User": "h.old"}),
        ("account: h.old\ndirectories: {agents: {login: other, office: maire}}\n", "allow", {"X-Remote-User": "h.old"}),
        ("directories: {agents: {}}\n", "deny", {}),
        ("", "deny", {}),
    ],
)
def test_a_login_of_a_directory_may_be_told_as_one_of_a_link(told: str, outcome: str, sent: dict[str, str]) -> None:
    there = sample_snapshot({"directories/agents.yaml": AGENTS, "apps/permis.yaml": FROM_DIRECTORY})
    text = "provider: metropole\nsubject: h\nattributes: {uid: helene}\n" + told
    helene = read_person("helene.yaml", text.encode(), there, there.apps["permis"], NOW)
    tried = try_request(there, parse_request("GET http://permis.localhost/"), helene, AROUND)
    assert (tried.outcome, tried.headers) == (outcome, sent), tried
    shown = with_own_login(helene, there.apps["permis"])
    assert shown.account == sent.get("X-Remote-User")
    assert bool(shown.caveat) == (not sent)
