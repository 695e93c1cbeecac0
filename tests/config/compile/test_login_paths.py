"""What people send by hand to a login form that the gateway signs them in at."""

import pytest

from gateway.config.snapshot import Snapshot
from gateway.model.names import fold
from gateway.trial.request import circumstances_of, parse_request
from gateway.trial.trial import try_request
from tests.config.samples import PERMIS, sample_snapshot
from tests.trial.samples import NOW, person

STEPS = "[{page: /who.php, fields: {u: login}}, {page: /app/login.php?a=1, fields: {word: secret}}]"
FORM = (
    f"form_login: {{trusted: {{from: uid, secret: {{file: grr}}}}, signed_in: [{{location: /in}}], steps: {STEPS}, "
    "cookies: [GRRSESSID]"
)


def serving(more: str = "", rules: str = "", paths: str = "", action: str = "/app/login.php") -> Snapshot:
    app = PERMIS.replace("access:", f"{paths}access:") + rules + f"{FORM}{more}}}\n"
    app = app.replace("/app/login.php?a=1", action)
    return sample_snapshot({"apps/permis.yaml": app}, {"file:grr": b"un secret"})


def outcome(snapshot: Snapshot, request: str, headers: dict[str, str] | None = None, *, signed_in: bool = True) -> str:
    asked = parse_request(request.replace(" /", " http://permis.localhost/"))
    who = person(uid=("helene",)) if signed_in else None
    return try_request(snapshot, asked, who, circumstances_of(NOW.now, None, headers or {}, None)).reason


@pytest.mark.parametrize(
    "request_line",
    [
        "POST /app/login.php",
        "POST /app/login.php?a=1",
        "POST /app/%6Cogin.php",
        "POST /app/login.php/",
        "POST /app/login.php/more",
        "GET /app/login.php?word=guess",
        "GET /app/login.php?a=1&word=",
        "PUT /app/login.php?word=guess",
        "PUT /app/login.php",
        "PATCH /app/login.php",
        "DELETE /app/login.php",
    ],
)
def test_a_form_with_the_secret_is_refused_to_everybody(request_line: str) -> None:
    for snapshot in (serving(), serving(rules="  - {path: /app/login.php, allow: anyone}\n")):
        for signed_in in (True, False):
            assert outcome(snapshot, request_line, signed_in=signed_in) == "policy.login_form"


def test_no_stronger_sign_in_opens_it() -> None:
    """Nobody steps up only to be refused."""
    rules = "  - {path: /app/login.php, allow: {acr_min: eidas2}}\n"
    assert outcome(serving(rules=rules), "POST /app/login.php") == "policy.login_form"
    assert outcome(serving(rules=rules), "GET /app/login.php") == "session.too_weak"


@pytest.mark.parametrize(
    "request_line",
    ["GET /app/login.php", "GET /app/login.php?a=1", "POST /app/login", "POST /login.php", "POST /who.php", "POST /"],
)
def test_everything_else_is_as_its_rules_say(request_line: str) -> None:
    assert outcome(serving(), request_line) == "policy.allowed"


@pytest.mark.parametrize(
    "name", ["mot.de_passe", "mot[de_passe", "+mot[de.passe", "mot%5Bde+passe", "[mot_de_passe]", "%u006dot_de_passe"]
)
def test_a_name_that_some_server_folds_into_the_secrets_is_refused(name: str) -> None:
    snapshot = sample_snapshot(
        {"apps/permis.yaml": f"{PERMIS}{FORM}}}\n".replace("{word: secret}", "{mot_de_passe: secret}")},
        {"file:grr": b"un secret"},
    )
    assert outcome(snapshot, f"GET /app/login.php?{name}=guess") == "policy.unknown"
    assert outcome(snapshot, "GET /app/login.php?mot_de_passe=guess") == "policy.login_form"
    assert outcome(snapshot, "GET /app/login.php?mot=de_passe") == "policy.allowed"


def test_a_form_that_comes_with_a_get_is_refused() -> None:
    """ASP's Request.Form and Rack read it whatever the method is."""
    typed = {"Content-Type": "application/x-www-form-urlencoded"}
    assert outcome(serving(), "GET /app/login.php", typed) == "policy.login_form"
    assert outcome(serving(), "GET /app/other.php", typed) == "policy.allowed"


def test_the_secret_comes_in_no_cookie_either() -> None:
    """PHP's $_REQUEST has cookies in it, unless php.ini says otherwise."""
    assert {fold(b"word"), fold(b"GRRSESSID")} <= serving().apps["permis"].cookie_names
    assert fold(b"u") not in serving().apps["permis"].cookie_names
    assert serving(", by_hand: pass").apps["permis"].cookie_names == {fold(b"GRRSESSID")}


@pytest.mark.parametrize(
    ("action", "closed", "open"),
    [
        # Rails, Express and Spring take both.
        ("/app/sign-in/", "/app/sign-in", "/app"),
        ("/app/sign-in", "/app/sign-in/", "/app/"),
        # The file that a server has for a folder, either way round.
        ("/app/", "/app/index.php", "/app/other.php"),
        ("/", "/index.php", "/other.php"),
        ("/", "/default.aspx", "/app/default.aspx"),
        ("/app/index.php", "/app/", "/app/other.php"),
        ("/app/index.php", "/app", "/"),
        ("/index.php", "/", "/app/"),
    ],
)
def test_another_name_of_the_same_address_is_closed_too(action: str, closed: str, open: str) -> None:
    snapshot = serving(action=action)
    for target in (action, closed):
        assert outcome(snapshot, f"POST {target}") == outcome(snapshot, f"GET {target}?word=a") == "policy.login_form"
        assert outcome(snapshot, f"GET {target}") == "policy.allowed"
    assert outcome(snapshot, f"POST {open}") == "policy.allowed"


def test_an_application_that_knows_no_case_takes_no_form_by_other_capitals() -> None:
    snapshot = serving(paths="paths: {case: insensitive}\n")
    assert outcome(snapshot, "POST /APP/Login.PHP") == "policy.login_form"
    assert outcome(snapshot, "POST /APP/Other.PHP") == "policy.allowed"


def test_an_application_with_one_address_for_everything_can_have_its_forms() -> None:
    assert outcome(serving(", by_hand: pass"), "POST /app/login.php") == "policy.allowed"


def test_operators_read_where_the_file_says_so() -> None:
    (rule, *_) = [
        rule
        for found in [serving().apps["permis"].routes.find(("app", "login.php"))]
        if found is not None
        for rule in found.denies
    ]
    assert rule.ref.line == len(PERMIS.splitlines()) + 1
