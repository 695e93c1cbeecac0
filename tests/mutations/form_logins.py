"""Defences of sign-ins at an application's own form, and of what people and operators are told of them."""

from tests.mutations.defence import Defence

_WALK, _PAGES = "formlogin/walk.py", "formlogin/pages.py"
_LED = "LINKED_ANEW: Final = (account_codes.LINK, form_login_codes.REFUSED, form_login_codes.LOOP)"

DEFENCES = (
    Defence(
        "a sign-in at a login form is checked before the next",
        _WALK,
        "if form.check is not None:",
        "formlogin/test_walk.py federation/test_form_checks.py",
    ),
    Defence(
        "a page that shows the form is for nobody signed in",
        _WALK,
        "if _looks_refused(response, form, target) or shows_form(response, form, origins, page):",
        "formlogin/test_walk.py",
    ),
    Defence(
        "nor is one that cannot be read",
        _WALK,
        "if not is_readable(response.body, form.charset):",
        "formlogin/test_walk.py",
    ),
    Defence(
        "a page is read to its end",
        _PAGES,
        'any(control.get("name") == last for control in page.iter("input"))',
        "formlogin/test_walk.py",
        "True",
    ),
    Defence(
        "a page in UTF-16 is not read", _PAGES, 'return b"\\0" not in body and ', "formlogin/test_walk.py", "return "
    ),
    Defence(
        "a form behind the end of the page",
        _PAGES,
        '_END_OF_PAGE.sub(b"</ecluse", body)',
        "formlogin/test_walk.py formlogin/test_pages.py",
        "body",
    ),
    Defence(
        "an old password leads to where it is linked anew",
        "model/account.py",
        _LED,
        "proxy/test_form_sessions.py portal/http/test_pages.py",
        _LED.replace(", form_login_codes.LOOP", ""),
    ),
    Defence(
        "another account sends no form by hand",
        "proxy/refusals.py",
        "if code is policy_codes.LOGIN_FORM:",
        "proxy/test_form_sessions.py",
    ),
    Defence(
        "a password of whom the rules keep out",
        "portal/account_pages.py",
        "if not is_end:",
        "attack FL",
    ),
    Defence(
        "a password of whom only pages for anybody let in",
        "portal/let_in.py",
        "if asked.is_open_to_anybody(target) and not await asked.is_let_in_by_who_they_are():",
        "portal/test_let_in.py",
    ),
    Defence(
        "a sign-out tells nobody's identity to an application that does not accept it",
        "portal/logout/sign_out.py",
        "if app.accepts(session.identity):",
        "portal/logout/test_applications.py",
        "if True:",
    ),
)
