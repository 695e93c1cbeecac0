"""Codes of sign-ins by the portal at an application's own login form."""

from gateway.model.codes.code import Code

ACCOUNT = Code(
    "form_login.account",
    403,
    "You have no account in this application",
    "No account is known for you. Ask the person in charge of the application for an account.",
)
REFUSED = Code(
    "form_login.refused",
    403,
    "The application refused your account",
    "Its password was changed, or the account is closed. We will not try it again until your support has corrected "
    "this.",
)
_FORM_LOGIN_SUPPORT = "Give the reference below to your support: they will find the reason in the log."
TRIES = Code(
    "form_login.tries",
    503,
    "Sign-in to this application is suspended",
    "It refused to sign you in several times. To keep it from locking your account, we will wait before the next "
    "attempt. " + _FORM_LOGIN_SUPPORT,
)
# the sign-in at an application's login form
_FORM_LOGIN = "You could not be signed in to the application"
FORM = Code("form_login.form", 502, _FORM_LOGIN, "Its sign-in page has changed. " + _FORM_LOGIN_SUPPORT)
ELSEWHERE = Code("form_login.elsewhere", 502, _FORM_LOGIN, _FORM_LOGIN_SUPPORT)
ANSWER = Code("form_login.answer", 502, _FORM_LOGIN, _FORM_LOGIN_SUPPORT)
UNANSWERED = Code("form_login.unanswered", 504, _FORM_LOGIN, "Wait a moment, then reload this page.")
LOOP = Code(
    "form_login.loop",
    502,
    "The application does not keep your session",
    "It signed you in a moment ago, but no longer recognises you. " + _FORM_LOGIN_SUPPORT,
)
