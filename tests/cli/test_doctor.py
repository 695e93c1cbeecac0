"""`ecluse doctor app`: whether the login form of an application, here in PHP, is as the file says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo.ports import free
from gateway.cli.main import main
from tests.docs.blocks import blocks
from tests.interop.servers import HERE, php
from tests.walks.place import Place

pytestmark = pytest.mark.service

DOCS = Path(__file__).parents[2] / "docs"
PAGES = DOCS / "how-to/sign-people-in-at-a-login-form.md", DOCS / "fr/connecter-a-un-formulaire.md"
FORM = (
    "{trusted: {from: uid, secret: {file: ../certs/grr}}, cookies: [GRRSESSID], signed_in: [{location: /index.php}], "
    "steps: [{page: /login.php, fields: {user: login, password: secret, csrf: page}}], check: /account.php}"
)


@dataclass
class Grr:
    place: Place
    inside: Path
    upstream: str

    def asked(self, *more: str) -> int:
        return main(["doctor", "app", "grr", str(self.place.policies), *more])

    def is_now(self, mood: str) -> None:
        (self.inside / "mood").write_text(mood)


@pytest.fixture
def grr(tmp_path: Path) -> Iterator[Grr]:
    (port,) = free(1)
    place, inside = Place(tmp_path), tmp_path / "grr"
    inside.mkdir()
    (tmp_path / "certs/grr").write_text("un secret de GRR")
    place.write_provider("alpha", "http://127.0.0.1:9400")
    upstream = f"{{url: http://127.0.0.1:{port}}}"
    place.write_app("grr", "grr.localhost", upstream=upstream, form_login=FORM)
    place.write_app("one", "one.localhost")
    with php(inside, port, HERE / "php/form.php"):
        yield Grr(place, inside, upstream)


def test_a_form_that_is_as_the_file_says_and_nothing_is_sent(grr: Grr, capsys: pytest.CaptureFixture[str]) -> None:
    assert grr.asked() == 0
    said = capsys.readouterr().out
    assert [[block.text for block in blocks(page) if block.language == "text"] for page in PAGES] == [[said]] * 2
    assert (grr.inside / "seen").read_text() == "form\nGET /account.php -\n"


@pytest.mark.parametrize(
    ("mood", "code", "said"),
    [
        ("changed", "form_login.form", "a form without the field password"),
        ("elsewhere", "form_login.elsewhere", "https://evil.example/login.php"),
        ("away", "form_login.elsewhere", "https://evil.example/login.php"),
        ("huge", "form_login.answer", "more than 524288 bytes"),
    ],
)
def test_a_form_that_has_changed_is_told(
    grr: Grr, capsys: pytest.CaptureFixture[str], mood: str, code: str, said: str
) -> None:
    grr.is_now(mood)
    assert grr.asked("--output", "json") == 1
    step, _ = json.loads(capsys.readouterr().out)["steps"]
    assert step["code"] == code
    assert said in step["said"]


@pytest.mark.parametrize(
    ("mood", "code", "said"),
    [
        ("", "", "not shown without a session"),
        ("account leads", "", "not shown without a session"),
        (
            "account is public",
            "form_login.answer",
            "shown without a session, too: choose a page ",
        ),
        ("account is deep", "form_login.answer", "the page cannot be read to its end (nested more than 250 times"),
        ("account fails", "form_login.answer", "status 500 for /account.php"),
        ("account leads away", "form_login.elsewhere", "https://evil.example/account.php"),
    ],
)
def test_the_page_that_sign_ins_are_checked_by_is_not_for_strangers(
    grr: Grr, capsys: pytest.CaptureFixture[str], mood: str, code: str, said: str
) -> None:
    grr.is_now(mood)
    assert grr.asked("--output", "json") == (1 if code else 0)
    _, check = json.loads(capsys.readouterr().out)["steps"]
    assert (check["page"], check["code"]) == ("/account.php", code)
    assert said in check["said"]


TWO_STEPS = (
    "{trusted: {from: uid, secret: {file: ../certs/grr}}, cookies: [GRRSESSID], signed_in: [{location: /index.php}], "
    "steps: [{page: /who.php, fields: {user: login}}, {page: /secret.php, fields: {password: secret}}]}"
)
NOT_LOOKED_AT = "not checked: it follows a form that would have to be sent"
HIDDEN = f"{NOT_LOOKED_AT}, and the application hides it from people without a session"


@pytest.mark.parametrize(
    ("mood", "code", "said"),
    [
        ("", "", "a form with password, sent to /secret.php"),
        ("renamed", "form_login.form", "a form without the field password"),
        ("outside", "form_login.elsewhere", "https://evil.example/who.php"),
        ("gone", "form_login.form", "status 404 for the page with the form"),
        ("first", "", HIDDEN),
        ("closed", "", HIDDEN),
        ("inside", "", HIDDEN),
    ],
)
def test_a_page_behind_the_first_is_looked_at_where_it_shows_itself(
    grr: Grr, capsys: pytest.CaptureFixture[str], mood: str, code: str, said: str
) -> None:
    grr.place.write_app("grr", "grr.localhost", upstream=grr.upstream, form_login=TWO_STEPS)
    grr.is_now(mood)
    assert grr.asked("--output", "json") == (1 if code else 0)
    first, second = json.loads(capsys.readouterr().out)["steps"]
    assert (first["page"], first["code"]) == ("/who.php", "")
    assert (second["page"], second["code"]) == ("/secret.php", code)
    assert said in second["said"]


def test_a_step_that_has_no_page_of_its_own_is_said_not_to_be_looked_at(
    grr: Grr, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = TWO_STEPS.replace("{page: /secret.php, ", "{action: /secret.php, ")
    grr.place.write_app("grr", "grr.localhost", upstream=grr.upstream, form_login=steps)
    assert grr.asked("--output", "json") == 0
    assert json.loads(capsys.readouterr().out)["steps"][1] == {
        "page": "/secret.php", "code": "", "said": f"{NOT_LOOKED_AT}, and has no page of its own",
    }  # fmt: skip
    assert grr.asked() == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("/who.php  ok  a form with ")
    assert second == f"/secret.php  -  {NOT_LOOKED_AT}, and has no page of its own"


def test_what_is_named_has_to_be_there(grr: Grr, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "app", "gr", str(grr.place.policies)]) == 2
    assert "has the application gr (did you mean grr?)" in capsys.readouterr().err
    grr.place.write("apps/grr.yaml", "version: 2\n")
    assert grr.asked() == 1
