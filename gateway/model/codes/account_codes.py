"""Codes of accounts that an application has of its own, and of their links to people."""

from gateway.model.codes.code import Code

_NO_ACCOUNT = "No account of this application is linked to you"
MISSING = Code(
    "account.missing",
    403,
    _NO_ACCOUNT,
    "You are signed in, and the application has accounts of its own: "
    "somebody has to say which of them is yours. Ask for it, and give the reference below.",
)
PERSON = Code(
    "account.person",
    403,
    _NO_ACCOUNT,
    "Your organisation's sign-in service does not say of you what your account is known by. "
    "Give the reference below to your support.",
)
SECRET = Code(
    "account.secret",
    403,
    "You cannot be signed in to this application yet",
    "Your account of it is known, but not the password that goes with it. Ask for it, and give the reference below.",
)
SHARED = Code(
    "account.shared",
    403,
    "Your account of this application is another person's too",
    "It is closed to both until that is put right. Give the reference below to your support.",
)
_ACCOUNTS_AWAY = "This application is out of order for a moment"
_ACCOUNTS_AWAY_ADVICE = (
    "Which of its accounts is yours cannot be looked up. Wait a moment, then reload this page. "
    "If this lasts, give the reference below to your support."
)
UNREADABLE = Code("account.unreadable", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
KEY = Code("account.key", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
RECORD = Code("account.record", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
UNWRITABLE = Code("account.unwritable", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
LINK = Code(
    "account.link",
    403,
    "Link your account of this application first",
    "You are signed in, and the application has accounts of its own: say once which of them is yours.",
)
ASK = Code(
    "account.ask",
    403,
    "Your account of this application is not known yet",
    "You are signed in, and the application has accounts of its own: ask here for access to yours. "
    "Whoever has asked already reads there what came of it.",
)
TEXT = Code(
    "account.text",
    403,
    "Your request was not sent",
    "What you wrote is longer than 500 characters. Make it shorter, and send it once more.",
)
QUOTA = Code(
    "account.quota",
    503,
    "Your request was not sent",
    "Too many requests wait for an answer. Try again later; if this lasts, give the reference below to your support.",
)
LOGIN = Code(
    "account.login",
    403,
    "This account was not linked",
    "A name or a password is missing, too long, or holds a letter that cannot be seen. Write them once more.",
)
REFUSED = Code(
    "account.refused",
    403,
    "This account was not linked",
    "The application does not accept this name with this password. Check both; after five tries in an hour you have to"
    " wait.",
)
TAKEN = Code(
    "account.taken",
    403,
    "This account was not linked",
    "Another person is linked to it, and it is one person's. Give the reference below to your support.",
)
CROSS_SITE = Code(
    "account.cross_site",
    403,
    "Nothing was changed",
    "The form was not sent by a page of ours. Start again from the application.",
)
OTHER_PERSON = Code(
    "account.other_person",
    403,
    "Nothing was changed",
    "Another account has been signed in in this browser since this page was opened. Open the page once more.",
)
TABLE = Code("account.table", 0)
