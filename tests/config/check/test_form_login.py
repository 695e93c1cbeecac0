# ruff: noqa: E501 - a case is a line
"""What an app file may say of a login form, against itself."""

import pytest

from tests.config.samples import GATEWAY, PERMIS, problems, sample_snapshot

SECRETS = {"file:grr": b"un secret"}
GOOD = {
    "trusted": "{from: uid, secret: {file: grr}}",
    "steps": "[{page: /login.php, fields: {user: login, password: secret, csrf: page}}]",
    "signed_in": "[{location: /index.php}]",
    "cookies": "[GRRSESSID]",
}


def written(more: str = "", **changes: str) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in {**GOOD, **changes}.items() if value)
    return PERMIS.replace("access:", f"form_login:\n{lines}{more}access:")


def test_beside_basic_it_is_one_too_many() -> None:
    app = written()
    assert found(app) == []
    basic = app.replace("translate:\n", "translate:\n  basic: {account: {from: uid}, password: {file: grr}}\n")
    assert basic != app
    (said,) = found(basic)
    assert said == (
        "translate.basic: people are signed in at the form already, and what a sign-in there sends has no Authorization "
        "(leave translate.basic out, or form_login)"
    )


def found(app: str, secrets: dict[str, bytes] = SECRETS) -> list[str]:
    return [
        line.partition("permis.yaml:")[2].partition(": ")[2] for line in problems({"apps/permis.yaml": app}, secrets)
    ]


def test_a_form_is_served_as_it_is_written() -> None:
    form = sample_snapshot({"apps/permis.yaml": written()}, SECRETS).apps["permis"].form_login
    assert form is not None
    assert [(one.name, one.holds) for one in form.steps[0].fields] == [
        ("user", "login"), ("password", "secret"), ("csrf", "page")
    ]  # fmt: skip
    assert (form.steps[0].action, form.tries, form.within, len(form.fingerprint)) == ("/login.php", 3, 3600, 32)


def test_a_session_of_another_server_or_form_is_another_one() -> None:
    def fingerprint(app: str) -> str:
        form = sample_snapshot({"apps/permis.yaml": app}, SECRETS).apps["permis"].form_login
        assert form is not None
        return form.fingerprint

    first = fingerprint(written())
    assert first == fingerprint(written(tries="2"))
    assert first != fingerprint(written().replace(":9001", ":9002"))
    assert first != fingerprint(written(cookies="[OTHER]"))
    assert first != fingerprint(written(steps=GOOD["steps"].replace("/login.php", "/in.php")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trusted": ""}, "form_login: nothing says with which account people are signed in"),
        ({"trusted": "{secret: {file: grr}}"}, "form_login.trusted: this comes from one place"),
        ({"trusted": "{from: uids, secret: {file: grr}}"}, "form_login.trusted.from: no provider of this application maps an attribute uids"),
        ({"trusted": "{from: uid, secret: {file: absent}}"}, "form_login.trusted.secret: absent"),
        ({"steps": "[{fields: {user: login, password: secret}}]"}, "form_login.steps[0]: it is not said where the form is sent to"),
        ({"steps": "[{action: /a, fields: {user: login, password: secret}}]"}, "form_login.steps[0]: it is not said where the form is"),
        ({"steps": "[{page: /a, fields: {user: login}}]"}, "form_login.steps: no field of these steps is the secret"),
        ({"steps": "[{page: /a, fields: {p: secret}}]"}, "form_login.steps: no field of these steps is the login"),
        ({"steps": "[{page: /a, fields: {u: login, p: secret, q: secret}}]"}, "form_login.steps: the secret is sent twice"),
        ({"steps": "[{page: 'https://evil.example/', fields: {u: login, p: secret}}]"}, "form_login.steps[0].page: this is not a path of the application"),
        ({"steps": "[{page: //evil.example/, fields: {u: login, p: secret}}]"}, "form_login.steps[0].page: this is not a path of the application"),
        ({"steps": "[{page: /_ecluse/login, fields: {u: login, p: secret}}]"}, "form_login.steps[0].page: this is not a path of the application"),
        ({"steps": "[{page: /a, action: '/b?c=1', fields: {u: login, p: secret}}]"}, "form_login.steps[0].action: a query is not written here"),
        ({"steps": "[{page: /a, fields: {u: login, p: secret}, values: {u: x}}]"}, "form_login.steps[0]: u stands in fields and in values"),
        ({"steps": "[{page: /a, fields: {u: login, p: mot_de_passe}}]"}, "form_login.steps[0].fields.p: this must be one of login, secret, page"),
        ({"signed_in": "[{}]"}, "form_login.signed_in[0]: nothing is written here"),
        ({"signed_in": "[{status: 200}]"}, "form_login.signed_in[0]: every page of the application has this status"),
        ({"signed_in": "[{status: 200, location: /a}]"}, "form_login.signed_in[0]: an answer with status 200 leads nowhere"),
        ({"refused": "[{location: /index.php}]"}, "form_login.refused[0]: an answer of this kind means that the person is signed in, too"),
        ({"check": "/login.php"}, "form_login.check: this page has the form, and is shown to whoever is not signed in"),
        ({"check": "https://evil.example/"}, "form_login.check: this is not a path of the application"),
        ({"check": "/_ecluse/login"}, "form_login.check: this is not a path of the application"),
        ({"cookies": "[A, A]"}, "form_login.cookies[1]: this cookie is named twice"),
        ({"cookies": "['a;b']"}, "form_login.cookies[0]: this is not the name of a cookie"),
        ({"tries": "0"}, "form_login.tries"),
        ({"within": "10s"}, "form_login.within: tries are counted from 1m to 365d"),
        ({"within": "366d"}, "form_login.within: tries are counted from 1m to 365d"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_is_refused_at_its_place(changes: dict[str, str], said: str) -> None:
    (problem,) = found(written(**changes))
    assert problem.startswith(said)


def test_a_secret_is_one_line_in_letters_that_the_form_can_send() -> None:
    assert "in letters that latin1 has" in found(written(encoding="latin1"), {"file:grr": "Ł".encode()})[0]
    assert "one line" in found(written(), {"file:grr": b"a\nb"})[0]


@pytest.mark.parametrize("own", ["hidden: [grrsessid]", "hidden: ['*'], visible: [GRRSESSID]"])
def test_a_cookie_of_the_session_is_kept_once(own: str) -> None:
    (problem,) = found(written(f"cookies: {{{own}}}\n"))
    assert problem.startswith("form_login.cookies[0]: cookies names it too")


def test_programs_have_no_session_to_keep() -> None:
    said = found(written("api: {providers: [metropole], paths: [/api/**]}\n"))
    assert any(line.startswith("api: a program has no session") for line in said)


@pytest.mark.parametrize(
    ("kind", "development", "count"), [("memory", "false", 1), ("memory", "true", 0), ("sqlite", "false", 0)]
)
def test_a_store_that_forgets_at_each_start_keeps_no_count(kind: str, development: str, count: int) -> None:
    gateway = GATEWAY.replace("type: sqlite", f"type: {kind}").replace("workers: 2", "workers: 1")
    gateway = gateway.replace("development: true", f"development: {development}")
    said = problems({"gateway.yaml": gateway, "apps/permis.yaml": written()}, SECRETS)
    assert len([line for line in said if "forgets at each start" in line and ": form_login: " in line]) == count
