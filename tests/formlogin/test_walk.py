"""One sign-in after the other, without an application: what is sent, and what ends it."""

from dataclasses import replace
from urllib.parse import parse_qs, quote, quote_plus

import pytest

from gateway.formlogin.pages import LARGEST_PAGE
from gateway.formlogin.spec import ApplicationSession, FormField, FormLogin, FormStep, ResponseMark
from gateway.formlogin.walk import FormRequest, FormResponse, sign_in
from gateway.model.codes import form_login_codes
from gateway.model.codes.code import Code
from gateway.model.credential import Credential
from gateway.model.errors import GatewayError
from tests.formlogin.forms import FORM, ORIGINS, page, with_steps

HELENE = Credential("helene", "s3cret é")
FORM_PAGE = FormResponse(200, page(), set_cookies=(b"GRRSESSID=before; Path=/",))
ENTERED = FormResponse(302, b"", "/index.php", (b"GRRSESSID=after; Path=/",))
NOW = 1_800_000_000.0


def walked(*answers: FormResponse, form: FormLogin = FORM) -> tuple[list[FormRequest], ApplicationSession]:
    """What was sent, and what came of it. All answers are used up."""
    walk, left = sign_in(form, HELENE, ORIGINS, NOW), list(answers)
    sent = [next(walk)]
    while True:
        try:
            sent.append(walk.send(left.pop(0)))
        except StopIteration as done:
            assert not left
            return sent, done.value


def refused(*answers: FormResponse, form: FormLogin = FORM) -> tuple[Code, str, list[FormRequest]]:
    walk, left = sign_in(form, HELENE, ORIGINS, NOW), list(answers)
    sent = [next(walk)]

    def all_of_it() -> None:
        while True:
            sent.append(walk.send(left.pop(0)))

    with pytest.raises(GatewayError) as ended:
        all_of_it()
    assert not left
    assert "s3cret" not in ended.value.detail
    return ended.value.code, ended.value.detail, sent


def sent_in(request: FormRequest, encoding: str = "utf-8") -> dict[str, list[str]]:
    assert request.body is not None
    return parse_qs(request.body.decode("ascii"), encoding=encoding)


def test_the_form_is_fetched_filled_in_and_sent() -> None:
    (fetched, sent), session = walked(FORM_PAGE, ENTERED)
    assert (fetched.target, fetched.body, fetched.cookies) == ("/login.php", None, b"")
    assert (sent.target, sent.cookies, sent.page) == ("/login.php", b"GRRSESSID=before", "/login.php")
    assert sent_in(sent) == {"user": ["helene"], "password": ["s3cret é"], "csrf": ["t0"], "go": ["1"]}
    assert session == ApplicationSession("f1", "helene", b"GRRSESSID=after")


def test_no_representation_shows_what_is_sent() -> None:
    (_, sent), _ = walked(FORM_PAGE, ENTERED)
    assert "s3cret" not in repr(sent)


def test_a_query_that_the_form_adds_is_sent_along() -> None:
    (_, sent), _ = walked(FormResponse(200, page("/login.php?t=1")), ENTERED)
    assert sent.target == "/login.php?t=1"


def test_the_form_is_sent_in_its_charset() -> None:
    (_, sent), _ = walked(FORM_PAGE, ENTERED, form=replace(FORM, charset="cp1252"))
    assert sent_in(sent, "cp1252")["password"] == ["s3cret é"]


def test_a_letter_that_the_charset_lacks_ends_it_before_anything_is_sent() -> None:
    walk = sign_in(replace(FORM, charset="cp1252"), Credential("Łukasz", "x"), ORIGINS, NOW)
    next(walk)
    with pytest.raises(GatewayError) as ended:
        walk.send(FORM_PAGE)
    assert ended.value.code is form_login_codes.ACCOUNT


# --- several steps

NAME = FormStep("/who", "/who", (FormField("user", "login"),))
PASSWORD = FormStep("/secret", "/secret", (FormField("password", "secret"),))
NAME_PAGE = FormResponse(200, page("/who", fields="<input name=user>"), set_cookies=(b"step=1; Path=/",))
SECRET_PAGE = FormResponse(200, page("/secret", fields="<input name=password type=password>"))


def test_two_steps_with_a_page_each() -> None:
    on = FormResponse(303, b"", "/secret")
    sent, session = walked(NAME_PAGE, on, SECRET_PAGE, ENTERED, form=with_steps(NAME, PASSWORD))
    assert [one.target for one in sent] == ["/who", "/who", "/secret", "/secret"]
    assert [one.body is None for one in sent] == [True, False, True, False]
    assert b"s3cret" not in (sent[1].body or b"")
    assert sent[3].cookies == b"step=1"
    assert session.cookies == b"GRRSESSID=after"


def test_the_answer_to_a_step_has_the_form_of_the_next() -> None:
    sent, _ = walked(NAME_PAGE, SECRET_PAGE, ENTERED, form=with_steps(NAME, replace(PASSWORD, page=None)))
    assert [one.target for one in sent] == ["/who", "/who", "/secret"]


def test_a_step_that_leads_to_another_page_ends_it() -> None:
    code, detail, sent = refused(NAME_PAGE, FormResponse(303, b"", "/other"), form=with_steps(NAME, PASSWORD))
    assert (code, len(sent)) == (form_login_codes.ELSEWHERE, 2)
    assert "/other" in detail


def test_a_step_in_the_middle_may_be_refused() -> None:
    for answer, code in ((FormResponse(403), form_login_codes.REFUSED), (FormResponse(500), form_login_codes.ANSWER)):
        assert refused(NAME_PAGE, answer, form=with_steps(NAME, PASSWORD))[0] is code


def test_the_form_with_the_secret_shown_again_in_the_middle_is_a_refusal() -> None:
    """As at the end: a password that counts for no refusal would be sent again and again."""
    role = FormStep(None, "/role", (FormField("role", "page"),))
    again = FormResponse(200, page(more="<p>wrong password"))
    assert refused(FORM_PAGE, again, form=with_steps(*FORM.steps, role))[0] is form_login_codes.REFUSED
    # Where the file says what a refusal is, nothing is guessed: the form of the next step is missing then.
    told = replace(with_steps(*FORM.steps, role), refused=(ResponseMark(marker="mot de passe"),))
    assert refused(FORM_PAGE, again, form=told)[0] is form_login_codes.FORM


def test_a_next_step_that_asks_for_the_secret_once_more_is_no_refusal() -> None:
    confirm = FormStep(None, "/confirm", (FormField("password", "secret"),))
    once_more = FormResponse(200, page("/confirm", fields="<input name=password type=password>"))
    sent, _ = walked(FORM_PAGE, once_more, ENTERED, form=with_steps(*FORM.steps, confirm))
    assert [one.target for one in sent] == ["/login.php", "/login.php", "/confirm"]


# --- what ends it before a secret is sent


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (FormResponse(302, b"", "https://evil.example/login.php"), form_login_codes.ELSEWHERE),
        (FormResponse(302, b"", "/other"), form_login_codes.ELSEWHERE),
        (FormResponse(500, page()), form_login_codes.ANSWER),
        (FormResponse(404, page()), form_login_codes.FORM),
        (FormResponse(200, b"<p>Maintenance"), form_login_codes.FORM),
        (FormResponse(200, page("https://evil.example/login.php")), form_login_codes.ELSEWHERE),
        (FormResponse(200, page("//evil.example/login.php")), form_login_codes.ELSEWHERE),
        (FormResponse(200, page("http://grr.example.org/login.php")), form_login_codes.ELSEWHERE),
        (FormResponse(200, page("/login.php/../other.php")), form_login_codes.ELSEWHERE),
        (FormResponse(200, page("/other.php")), form_login_codes.ELSEWHERE),
        (FormResponse(200, page("login.php", head='<base href="https://evil.example/">')), form_login_codes.ELSEWHERE),
        (FormResponse(200, page("/login.php", head='<base href="https://evil.example/">')), form_login_codes.ELSEWHERE),
        (FormResponse(200, page("login.php", head='<base href="/sub/">')), form_login_codes.ELSEWHERE),
        (
            FormResponse(200, page("https://grr.example.org/login.php", head='<base href="//evil.example/">')),
            form_login_codes.ELSEWHERE,
        ),
        (FormResponse(200, page(f"/login.php?{'a' * 3000}")), form_login_codes.ELSEWHERE),
    ],
)
def test_nothing_is_sent_where_the_form_leads_elsewhere_or_has_changed(answer: FormResponse, code: Code) -> None:
    found, detail, sent = refused(answer)
    assert (found, [one.body for one in sent]) == (code, [None])
    assert detail


SECRET = quote(HELENE.secret)
TWICE = with_steps(*FORM.steps, FormStep(None, "/login.php", (FormField("csrf", "page"),)))
TOKEN = '<input type="hidden" name="csrf" value="t0">'


@pytest.mark.parametrize(
    "answer",
    [
        FormResponse(302, b"", f"/again/{SECRET}"),
        FormResponse(302, b"", f"/again/{SECRET.lower()}?x=y"),
        FormResponse(302, b"", f"https://elsewhere.example/{SECRET}"),
        FormResponse(200, page(f"/other/{SECRET}", fields=TOKEN)),
        FormResponse(200, page(f"/login.php/{HELENE.secret}", fields=TOKEN)),
        FormResponse(200, page("x", head=f'<base href="//x/{quote_plus(HELENE.secret)}">', fields=TOKEN)),
        FormResponse(200, page(fields=TOKEN).replace(b"<form", f'<form enctype="{HELENE.secret}"'.encode())),
    ],
)
def test_what_the_answer_to_a_step_echoes_of_the_secret_is_not_told(answer: FormResponse) -> None:
    """`refused` looks for the secret in every detail."""
    assert "(not shown)" in refused(FORM_PAGE, answer, form=TWICE)[1]
    if answer.status == 302:
        assert "(not shown)" in refused(FORM_PAGE, answer)[1]


def test_a_form_without_an_address_goes_to_its_page_whatever_the_base() -> None:
    answer = FormResponse(200, page("", head='<base href="https://evil.example/">'))
    (_, sent), _ = walked(answer, ENTERED)
    assert sent.target == "/login.php"


def test_a_base_of_the_application_itself_counts() -> None:
    (_, sent), _ = walked(FormResponse(200, page("login.php", head='<base href="http://10.0.0.5:8080/">')), ENTERED)
    assert sent.target == "/login.php"


# --- what the last answer means


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (FormResponse(200, page()), form_login_codes.REFUSED),
        (FormResponse(401), form_login_codes.REFUSED),
        (FormResponse(403), form_login_codes.REFUSED),
        (FormResponse(302, b"", "/login.php?error=1"), form_login_codes.REFUSED),
        (FormResponse(500), form_login_codes.ANSWER),
        (FormResponse(503, page()), form_login_codes.ANSWER),
        (FormResponse(200, b"<p>Charte"), form_login_codes.ANSWER),
        (FormResponse(302, b"", "/charte.php"), form_login_codes.ANSWER),
        (FormResponse(302, b"", "https://evil.example/index.php?p=s3cret"), form_login_codes.ELSEWHERE),
        (FormResponse(302, b"", "/index.php"), form_login_codes.ANSWER),
    ],
)
def test_what_is_not_signed_in_has_its_code(answer: FormResponse, code: Code) -> None:
    found, detail, sent = refused(FormResponse(200, page()), answer)
    assert (found, len(sent), bool(detail)) == (code, 2, True)


def test_the_file_says_what_is_refused() -> None:
    form = replace(FORM, refused=(ResponseMark(marker="Mot de passe incorrect"),))
    assert refused(FORM_PAGE, FormResponse(200, b"Mot de passe incorrect"), form=form)[0] is form_login_codes.REFUSED
    assert refused(FORM_PAGE, FormResponse(200, page()), form=form)[0] is form_login_codes.ANSWER


def test_a_refusal_that_leads_to_where_a_success_does_is_one_all_the_same() -> None:
    """Taken for a success, it would be sent again with every page, and counted by the application alone."""
    inside, again = ResponseMark(location="/index.php"), ResponseMark(location="/index.php?error=1")
    form = replace(FORM, signed_in=(inside,), refused=(again,))
    said = FormResponse(302, b"", "/index.php?error=1", (b"GRRSESSID=x",))
    assert refused(FORM_PAGE, said, form=form)[0] is form_login_codes.REFUSED
    assert walked(FORM_PAGE, replace(said, location="/index.php"), form=form)[1].cookies == b"GRRSESSID=x"
    page_of_both = FormResponse(200, b"<p>Bonjour<p>Mot de passe incorrect", None, (b"GRRSESSID=x",))
    texts = (ResponseMark(marker="Bonjour"),), (ResponseMark(marker="Mot de passe incorrect"),)
    form = replace(FORM, signed_in=texts[0], refused=texts[1])
    assert refused(FORM_PAGE, page_of_both, form=form)[0] is form_login_codes.REFUSED


def test_the_file_says_who_is_signed_in() -> None:
    form = replace(FORM, signed_in=(ResponseMark(200, marker="Bonjour"), ResponseMark(302, "/a")))
    assert walked(FORM_PAGE, FormResponse(200, b"<p>Bonjour"), form=form)[1].cookies == b"GRRSESSID=before"
    assert refused(FORM_PAGE, FormResponse(302, b"", "/index.php"), form=form)[0] is form_login_codes.ANSWER


def test_a_token_that_comes_twice_is_a_form_that_has_changed() -> None:
    twice = page(fields="<input name=user><input name=password><input name=csrf value=a><input name=csrf value=b>")
    assert refused(FormResponse(200, twice))[0] is form_login_codes.FORM


# --- the page that a sign-in is checked by

CHECKED = replace(FORM, check="/mine.php?a=1", expired=(ResponseMark(marker="Session over"),))
MINE = FormResponse(200, b"<p>Bonjour Helene")
NAME_FORM = page("/who", fields="<input name=user>")


def test_it_is_asked_for_with_what_a_request_of_the_person_will_carry() -> None:
    """A cookie that the file does not name is sent with none of these, and so not here."""
    entered = replace(ENTERED, set_cookies=(*ENTERED.set_cookies, b"other=1; Path=/"))
    (_, _, check), session = walked(FORM_PAGE, entered, MINE, form=CHECKED)
    assert (check.target, check.body, check.cookies) == ("/mine.php?a=1", None, b"GRRSESSID=after")
    assert session.cookies == b"GRRSESSID=after"


def test_a_cookie_that_its_answer_sets_is_the_sessions() -> None:
    renewed = replace(MINE, set_cookies=(b"GRRSESSID=renewed; Path=/",))
    assert walked(FORM_PAGE, ENTERED, renewed, form=CHECKED)[1].cookies == b"GRRSESSID=renewed"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (FormResponse(200, b"<p>Session over"), form_login_codes.LOOP),
        (FormResponse(302, b"", "/login.php?next=%2Fmine.php"), form_login_codes.LOOP),
        (FormResponse(200, page()), form_login_codes.LOOP),
        (FormResponse(200, page("https://evil.example/")), form_login_codes.LOOP),
        (FormResponse(401), form_login_codes.LOOP),
        (FormResponse(403, b"<p>Bonjour Helene"), form_login_codes.LOOP),
        (replace(MINE, set_cookies=(b"GRRSESSID=; Max-Age=0; Path=/",)), form_login_codes.LOOP),
        (FormResponse(302, b"", "/charte.php"), form_login_codes.ELSEWHERE),
        (FormResponse(302, b"", "https://evil.example/mine.php?p=s3cret"), form_login_codes.ELSEWHERE),
        (FormResponse(302), form_login_codes.ELSEWHERE),
        (FormResponse(500, b"<p>Bonjour Helene"), form_login_codes.ANSWER),
        (FormResponse(404), form_login_codes.ANSWER),
        (FormResponse(204), form_login_codes.ANSWER),
        (FormResponse(304), form_login_codes.ANSWER),
    ],
)
def test_whatever_else_it_answers_is_no_sign_in(answer: FormResponse, code: Code) -> None:
    found, detail, sent = refused(FORM_PAGE, ENTERED, answer, form=CHECKED)
    assert (found, len(sent)) == (code, 3)
    assert "/mine.php" in detail


@pytest.mark.parametrize(
    "hidden",
    [
        b"<div>" * 300 + page(),
        b"<p>Bonjour Helene" + b"<div>" * 300 + b"</div>" * 300 + page(),
        page().decode().encode("utf-16"),
        page().decode().encode("utf-16-le"),
        b"<p>Bonjour Helene<script>var a = 1;" + page(),
        b"<p>Bonjour Helene<textarea>" + page(),
        b"<p>Bonjour Helene<!-- " + page(),
    ],
    ids=["deep", "deep and back", "UTF-16", "UTF-16 without a mark", "script", "text field", "comment"],
)
def test_a_page_that_may_hide_its_form_from_us_is_no_sign_in(hidden: bytes) -> None:
    found, detail, _ = refused(FORM_PAGE, ENTERED, FormResponse(200, hidden), form=CHECKED)
    assert found is form_login_codes.ANSWER
    assert detail.startswith("/mine.php does not say whether this is a signed-in person: the page cannot be read to")


def test_a_form_behind_the_end_of_the_page_is_seen_as_browsers_see_it() -> None:
    """Pages that are put together from several begin and end more than once."""
    hidden = FormResponse(200, b"<html><body><p>Bonjour Helene</body></HTML >\n" + page())
    assert refused(FORM_PAGE, ENTERED, hidden, form=CHECKED)[0] is form_login_codes.LOOP


@pytest.mark.parametrize(
    "shown",
    [
        b"<div>" * 240 + b"<p>Bonjour Helene",
        b"<html><body><p>Bonjour Helene</p></body></html>\r\n<!-- made in 3 ms -->\n",
        b"<html><head><script>if (a < b) document.write('<!-- <p>')</script></head><body><p>Helene</body></html>",
        b"<html><head><style>a > b {}</style><title>Helene</title></head><frameset><frame src=/a></frameset></html>",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><br/><p>Helene</p></body></html>',
        b"<table><tr><td><textarea>Helene</textarea><select><option>ecluse<option name=ecluse>b",
        b"<p>Bonjour <b>Hel\xc3\xa8ne <a href=/quitter>Quitter",
        b'{"nom": "Helene"}',
        b"Helene",
    ],
)
def test_a_page_without_a_form_is_a_sign_in_however_it_is_written(shown: bytes) -> None:
    assert walked(FORM_PAGE, ENTERED, FormResponse(200, shown), form=CHECKED)[1].cookies == b"GRRSESSID=after"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [b"x", b"ecluse", b"</html >", b"<p>a</p>", b"<a name=ecluse>b</a>", b"& "])
def test_what_a_long_page_holds_takes_no_time_to_read(piece: bytes) -> None:
    """One with half a million letters after `ecluse`, which a person can write in a wiki, was read for minutes."""
    shown = FormResponse(200, b"<p>Helene ecluse" + piece * ((LARGEST_PAGE - 200) // len(piece)))
    assert walked(FORM_PAGE, ENTERED, shown, form=CHECKED)[1].cookies == b"GRRSESSID=after"


def test_a_refusal_that_is_told_on_the_page_behind_is_a_refusal() -> None:
    """As many applications do: wrong or right, they lead to one page, which says what was wrong."""
    form = replace(CHECKED, refused=(ResponseMark(marker="Mot de passe incorrect"),))
    said = FormResponse(200, b"<p>Bienvenue<p>Mot de passe incorrect")
    assert refused(FORM_PAGE, ENTERED, said, form=form)[0] is form_login_codes.REFUSED


def test_the_form_of_the_first_step_is_seen_where_it_has_no_secret() -> None:
    secret = FormStep(None, "/secret", (FormField("password", "secret"),))
    form: FormLogin = replace(CHECKED, steps=(NAME, secret))
    asks = FormResponse(200, page("/secret", fields="<input name=password type=password>"))
    before = FormResponse(200, NAME_FORM), asks, ENTERED
    assert refused(*before, FormResponse(200, NAME_FORM), form=form)[0] is form_login_codes.LOOP
    # Another form, which has a field of that name: whoever is signed in looks for people with it.
    search = FormResponse(200, page("/people", fields="<input name=user>"))
    assert walked(*before, search, form=form)[1].cookies == b"GRRSESSID=after"


def test_a_sign_in_that_is_refused_is_not_checked() -> None:
    assert len(refused(FORM_PAGE, FormResponse(200, page()), form=CHECKED)[2]) == 2
