"""A form as a file describes it, and pages that have it."""

from dataclasses import replace

from gateway.formlogin.addresses import ApplicationOrigins
from gateway.formlogin.spec import FormField, FormLogin, FormStep, ResponseMark, TrustedAccount

ORIGINS = ApplicationOrigins("https://grr.example.org", ("http://10.0.0.5:8080",))
STEP = FormStep(
    "/login.php",
    "/login.php",
    (
        FormField("user", "login"),
        FormField("password", "secret"),
        FormField("csrf", "page"),
        FormField("go", "text", "1"),
    ),
)
FORM = FormLogin(
    steps=(STEP,),
    signed_in=(ResponseMark(location="/index.php"),),
    cookies=("GRRSESSID",),
    fingerprint="f1",
    trusted=TrustedAccount("uid", "", "s3cret"),
)
FIELDS = '<input name="user"><input type="password" name="password"><input type="hidden" name="csrf" value="t0">'


def page(
    action: str = "/login.php", *, method: str = "post", head: str = "", fields: str = FIELDS, more: str = ""
) -> bytes:
    form = f'<form id="connexion" method="{method}" action="{action}">{fields}</form>'
    return f"<html><head>{head}</head><body>{form}{more}".encode()


def with_steps(*steps: FormStep) -> FormLogin:
    return replace(FORM, steps=steps)
