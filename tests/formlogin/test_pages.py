from collections.abc import Callable
from dataclasses import replace
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formlogin.pages import LARGEST_PAGE, find_form, holds_field
from gateway.formlogin.spec import FormStep
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from tests.formlogin.forms import FIELDS, STEP, page
from tests.growth import is_linear


def why(body: bytes, step: FormStep = STEP) -> str:
    with pytest.raises(GatewayError) as refused:
        find_form(body, step, "utf-8")
    assert refused.value.code is form_login_codes.FORM
    return refused.value.detail


def test_the_form_with_the_fields_is_found_among_others() -> None:
    search = '<form method="get" action="/search"><input name="q"></form>'
    found = find_form(page(head='<base href="/grr/">', more=search), STEP, "utf-8")
    assert (found.base, found.form.action) == ("/grr/", "/login.php")
    assert found.form.fields == {"user": "", "password": "", "csrf": "t0"}


def test_a_page_without_a_base_says_nothing_of_it() -> None:
    assert find_form(page(), STEP, "utf-8").base is None


def test_what_is_in_a_field_is_read_as_browsers_read_it() -> None:
    fields = '<input name=user><input name=password><input name=csrf value="a&amp;&eacute;&#39;&quot;<b>">'
    assert find_form(page(fields=fields), STEP, "utf-8").form.fields["csrf"] == "a&é'\"<b>"
    latin = '<input name=user><input name=password><input name=csrf value="é">'
    body = page(fields=latin).decode().encode("cp1252")
    assert find_form(body, STEP, "cp1252").form.fields["csrf"] == "é"


def test_a_control_elsewhere_that_names_the_form_is_of_it() -> None:
    fields = '<input name=user><input name=password><input name=other form="another">'
    found = find_form(page(fields=fields, more='<input name=csrf value=t9 form="connexion">'), STEP, "utf-8").form
    assert found.fields == {"user": "", "password": "", "csrf": "t9"}


def test_a_name_with_two_values_has_none() -> None:
    fields = "<input name=user><input name=password><input name=csrf value=a><input name=csrf value=b>"
    assert find_form(page(fields=fields), STEP, "utf-8").form.fields["csrf"] is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the answer is no page"),
        (b"   ", ""),
        (b"\x00\xff\xfe", ""),
        (b"<p>Maintenance</p>", "there is no form"),
        (b"<!-- <form method=post><input name=user><input name=password><input name=csrf></form> -->", ""),
        (page(fields="<input name=user><input name=pass><input name=csrf>"), "a form without the field password"),
        (page(method="get"), "not sent by POST"),
        (page(method="dialog"), "not sent by POST"),
        (page() + page(), "2 forms have these fields"),
        (page().replace(b'method="post"', b'method="post" enctype="multipart/form-data"'), "multipart/form-data"),
        (b" " * (LARGEST_PAGE + 1), "more than"),
    ],
)
def test_a_form_that_has_changed_says_how(body: bytes, said: str) -> None:
    assert said in why(body)


def test_a_page_that_cannot_be_read_to_its_end_says_so() -> None:
    for hidden in (b"<div>" * 300 + page(), page().decode().encode("utf-16"), b"<script>" + page()):
        assert why(hidden).startswith(
            "there is no form: the page cannot be read to its end (nested more than 250 times"
        )
    assert why(b"<p>Maintenance</p>") == "there is no form"


def test_a_form_behind_the_end_of_the_page_is_found() -> None:
    fields = '<input name=user><input name=password><input name=csrf value="a</HTML>b">'
    found = find_form(b"<html><p>Menu</p></html>" + page(fields=fields), STEP, "utf-8")
    assert found.form.fields["csrf"] == "a</html>b"


def test_the_file_says_which_of_two_forms() -> None:
    other = page().replace(b'id="connexion"', b'name="admin"').replace(b"/login.php", b"/admin.php")
    assert find_form(page() + other, replace(STEP, form="admin"), "utf-8").form.action == "/admin.php"
    assert "absent" in why(page(), replace(STEP, form="absent"))


def test_no_page_takes_a_thread_for_long() -> None:
    for unit in (
        b"<form>",
        b"<",
        b"<!--",
        b"<input ",
        b"<input name=a>",
        b"&",
        b"<div>",
        b"<![CDATA[",
        b"</",
        b"<a b='",
    ):
        began = thread_time()
        with pytest.raises(GatewayError):
            find_form(unit * (LARGEST_PAGE // len(unit)), STEP, "utf-8")
        assert thread_time() - began < 5, unit


def test_controls_that_name_their_own_form_take_linear_time() -> None:
    def reading(number: int) -> Callable[[], object]:
        body = page(fields=FIELDS + "<input form=connexion>" * number)
        return lambda: find_form(body, STEP, "utf-8")

    assert is_linear(reading, small=400, large=16_000)


@given(st.binary(max_size=400))
def test_no_body_is_a_fault(body: bytes) -> None:
    with pytest.raises(GatewayError):
        find_form(body, STEP, "utf-8")
    assert holds_field(body, "a-name-that-nobody-draws", "cp1252") is False


def test_whether_a_page_has_a_field() -> None:
    assert holds_field(page(), "password", "utf-8")
    assert not holds_field(page(), "pass", "utf-8")
