"""Codes about applications' own accounts, and the accounts' links to people."""

from gateway.model.codes.code import Code

_NO_ACCOUNT = "No account in this application is linked to you"
MISSING = Code(
    "account.missing",
    403,
    _NO_ACCOUNT,
    "You are signed in, but the application has its own accounts and does not know which is yours. Ask your support "
    "to link your account, and give the reference below.",
)
PERSON = Code(
    "account.person",
    403,
    _NO_ACCOUNT,
    "Your organisation's sign-in service does not send the detail that identifies your account. Give the reference "
    "below to your support.",
)
SECRET = Code(
    "account.secret",
    403,
    "You cannot be signed in to this application yet",
    "Your account in this application is known, but its password is not recorded yet. Ask your support to record "
    "it, and give the reference below.",
)
SHARED = Code(
    "account.shared",
    403,
    "Another person has the same account in this application",
    "It is closed to both of you until this is corrected. Give the reference below to your support.",
)
_ACCOUNTS_AWAY = "This application is temporarily unavailable"
_ACCOUNTS_AWAY_ADVICE = (
    "Your account in it cannot be looked up. Wait a moment, then reload this page. If this continues, give the "
    "reference below to your support."
)
UNREADABLE = Code("account.unreadable", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
KEY = Code("account.key", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
RECORD = Code("account.record", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
UNWRITABLE = Code("account.unwritable", 503, _ACCOUNTS_AWAY, _ACCOUNTS_AWAY_ADVICE)
LINK = Code(
    "account.link",
    403,
    "Link your account in this application first",
    "You are signed in, but the application has its own accounts: link yours, only once.",
)
ASK = Code(
    "account.ask",
    403,
    "Your account in this application is not known yet",
    "You are signed in, but the application has its own accounts: ask here for access to yours. If you have already "
    "asked, you will find the answer there.",
)
TEXT = Code(
    "account.text",
    403,
    "Your request was not sent",
    "Your text is longer than 500 characters. Shorten it, then send it again.",
)
QUOTA = Code(
    "account.quota",
    503,
    "Your request was not sent",
    "Too many requests are waiting for an answer. Try again later; if this continues, give the reference below to "
    "your support.",
)
LOGIN = Code(
    "account.login",
    403,
    "This account was not linked",
    "The name or the password is missing, is too long, or contains an invisible character. Enter them again.",
)
REFUSED = Code(
    "account.refused",
    403,
    "This account was not linked",
    "The application does not accept this name with this password. Check both; after five attempts in an hour you "
    "have to wait.",
)
TAKEN = Code(
    "account.taken",
    403,
    "This account was not linked",
    "It is already linked to another person, and can be linked to only one. Give the reference below to your support.",
)
CROSS_SITE = Code(
    "account.cross_site",
    403,
    "Nothing was changed",
    "The form was not sent from our own page. Start again from the application.",
)
OTHER_PERSON = Code(
    "account.other_person",
    403,
    "Nothing was changed",
    "Another account was used in this browser after this page was opened. Open the page again.",
)
TABLE = Code("account.table", 0)
