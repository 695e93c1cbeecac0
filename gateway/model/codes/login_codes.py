"""Codes of sign-ins, whatever the protocol, and of the hand-over to an application's host."""

from gateway.model.codes import shared_texts
from gateway.model.codes.code import Code

# sign-in: transactions and the hand-over
TRANSACTION_GONE = Code("login.transaction_gone", 400, "This sign-in page is too old", shared_texts.SIGN_IN_AGAIN)
OTHER_BROWSER = Code(
    "login.other_browser",
    400,
    "This sign-in began in another browser",
    "Start again from the application, and allow this site's cookies.",
)
OTHER_PROVIDER = Code("login.other_provider", 400, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
UNKNOWN_PROVIDER = Code("login.unknown_provider", 404, "Unknown sign-in service", shared_texts.SIGN_IN_AGAIN)
LOOP = Code(
    "login.loop",
    400,
    "We cannot complete your sign-in",
    "Your browser does not keep this site's cookies, or its clock is wrong. Allow cookies, then start again.",
)
PROVIDER_REFUSED = Code("login.provider_refused", 403, shared_texts.CANCELLED, shared_texts.CANCELLED_ADVICE)
PROVIDER_INTERACTION = Code("login.provider_interaction", 403, shared_texts.SEEN_FIRST, shared_texts.SEEN_FIRST_ADVICE)
PROVIDER_BUSY = Code(
    "login.provider_busy",
    503,
    "Your sign-in service is temporarily unavailable",
    "Wait a moment, then start again from the application.",
)
PROVIDER_FAULT = Code(
    "login.provider_fault",
    403,
    shared_texts.SIGN_IN_FAILED,
    shared_texts.NOT_TAKEN,
)
PROVIDER_UNREACHABLE = Code(
    "login.provider_unreachable",
    502,
    "Your sign-in service does not answer",
    "Wait a moment, then start again from the application.",
)
BUSY = Code(
    "login.busy",
    503,
    "Many people are signing in at this moment",
    "Wait a moment, then start again from the application.",
)
OUTSIDE_PERIMETER = Code(
    "login.outside_perimeter",
    403,
    shared_texts.SIGN_IN_FAILED,
    "Your sign-in service sent a detail about you that it may not give here, such as an organisation other than its "
    "own. Use another account, or give the reference below to your support.",
)
MAPPING = Code(
    "login.mapping",
    403,
    shared_texts.SIGN_IN_FAILED,
    "Your sign-in service does not send the details that are needed here, or sends them in an unreadable form. Give "
    "the reference below to your support.",
)
HANDOVER_CODE_GONE = Code("handover.code_gone", 400, "This sign-in page is too old", shared_texts.SIGN_IN_AGAIN)
HANDOVER_OTHER_HOST = Code("handover.other_host", 400, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
HANDOVER_OTHER_BROWSER = Code(
    "handover.other_browser",
    400,
    "This sign-in began in another browser",
    "Start again from the application, and allow this site's cookies.",
)
NOT_FRESH = Code(
    "login.not_fresh",
    403,
    "Your sign-in is too old for this application",
    "Sign out of your organisation's sign-in service, then start again from the application.",
)
TOO_WEAK = Code("login.too_weak", 403, shared_texts.TOO_WEAK, shared_texts.TOO_WEAK_ADVICE)
DEACTIVATED = Code(
    "login.deactivated",
    403,
    "Your organisation ended your access",
    "The directory of your organisation says that your account is no longer active. If this is a mistake, tell your "
    "organisation's support, and give the reference below.",
)
