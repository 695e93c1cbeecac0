"""The one table of stable codes: errors, refusals, decisions and log events. Some have a module of their own, named
`*_codes`; `code_table` has them all.

A code is never renamed nor reused once released: alerts are built on it. `title` and `advice` are English message ids.
"""

from dataclasses import dataclass

from gateway.model import sign_in_texts as told


@dataclass(frozen=True, slots=True)
class Code:
    """`status` is the HTTP status where the code ends a request; 0 where it never reaches a browser."""

    id: str
    status: int
    title: str = ""
    advice: str = ""


_BAD_REQUEST = "The request could not be read"
_BAD_REQUEST_ADVICE = "The address or the browser's message has a form that is refused here. Go back and try again."
_SIGN_IN_FAILED = "You could not be signed in"
_SIGN_IN_AGAIN = "Start again from the application. If this happens again, give the reference below to your support."
_PROVIDER_FAULT = (
    "The answer of your organisation's sign-in service was refused. "
    "Give the reference below to your support: they will find the reason in the log."
)

# wire: what the bytes of a request may not be
WIRE_TARGET = Code("wire.target", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_HOST = Code("wire.host", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_HEADER = Code("wire.header", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_FRAMING = Code("wire.framing", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_SYNTAX = Code("wire.syntax", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_COOKIE = Code("wire.cookie", 400, _BAD_REQUEST, "Clear this site's cookies in your browser, then try again.")
WIRE_VERSION = Code("wire.version", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_METHOD = Code("wire.method", 405, "This kind of request is not accepted", _BAD_REQUEST_ADVICE)
WIRE_METHOD_OVERRIDE = Code(
    "wire.method_override",
    400,
    "This kind of request is not accepted",
    "The page asked for one operation under the name of another. Give the reference below to your support.",
)
WIRE_UPGRADE = Code(
    "wire.upgrade",
    400,
    "This kind of request is not accepted",
    "The page asked for a lasting connection, such as a WebSocket, which is not carried here.",
)
WIRE_WEBSOCKET = Code("wire.websocket", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_WEBSOCKET_VERSION = Code("wire.websocket_version", 426, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
WIRE_ORIGIN = Code(
    "wire.origin",
    403,
    "Another site asked for this",
    "Only pages of this application may open such a connection. Open the application itself, then try again.",
)
WIRE_EXPECT = Code("wire.expect", 417, _BAD_REQUEST, _BAD_REQUEST_ADVICE)

# limits
LIMIT_URL = Code("limit.url", 414, "The address is too long", "Go back and use a shorter address.")
LIMIT_HEADERS = Code(
    "limit.headers", 431, "The browser sent too much", "Clear this site's cookies in your browser, then try again."
)
LIMIT_BODY = Code("limit.body", 413, "The file or form is too large", "Send a smaller file, or ask your support.")
LIMIT_REQUEST_TIME = Code("limit.request_time", 408, "The request took too long", "Check your network and try again.")
LIMIT_REQUESTS = Code("limit.requests", 429, "Too many requests at once", "Wait a moment, then reload this page.")
LIMIT_CONNECTIONS = Code("limit.connections", 503, "Too many connections", "Wait a moment, then try again.")

# routes and policy: reasons of decisions
PATH_RESERVED = Code("route.reserved", 404, "Page not found", "Check the address, or go back to the application.")
POLICY_ALLOWED = Code("policy.allowed", 0)
_REFUSED = "You may not open this page"
_REFUSED_ADVICE = "Your account does not give access to this page. Ask the person in charge of the application."
POLICY_NO_RULE = Code("policy.no_rule", 403, _REFUSED, _REFUSED_ADVICE)
POLICY_METHOD = Code("policy.method", 403, _REFUSED, _REFUSED_ADVICE)
POLICY_NOT_ALLOWED = Code("policy.not_allowed", 403, _REFUSED, _REFUSED_ADVICE)
POLICY_UNKNOWN = Code("policy.unknown", 403, _REFUSED, _REFUSED_ADVICE)
POLICY_EXPRESSION = Code("policy.expression", 403, _REFUSED, _REFUSED_ADVICE)
POLICY_DENIED = Code("policy.denied", 403, _REFUSED, _REFUSED_ADVICE)
_FORM_ADVICE = "The portal signs you in to this application. Open its first page again."
POLICY_LOGIN_FORM = Code("policy.login_form", 403, "The application's own form is not needed", _FORM_ADVICE)
POLICY_PROVIDER = Code(
    "policy.provider", 401, "Sign in with another service", "This application listens to other sign-in services."
)
SIGN_IN_REQUIRED = Code("session.required", 401, "Please sign in", "This page is for people who are signed in.")
SESSION_NONE = Code(
    "session.none",
    401,
    "No session is open in this browser",
    "Your applications lead you to the sign-in when you open them.",
)
SESSION_LIMIT = Code(
    "session.limit",
    401,
    "You have signed in elsewhere",
    "You may be signed in in so many browsers at once and no more, and of those this one was the oldest. "
    "Sign in again to go on here: what you have open longest elsewhere ends then.",
)
SESSION_TOO_WEAK = Code(
    "session.too_weak",
    401,
    "Please sign in again",
    "This page asks for a stronger or a more recent sign-in than yours. Sign in again to go on.",
)
TRANSLATION_UNENCODABLE = Code("translation.unencodable", 403, _REFUSED, _REFUSED_ADVICE)
TRANSLATION_CONTROL = Code("translation.control", 403, _REFUSED, _REFUSED_ADVICE)
TRANSLATION_SEVERAL = Code("translation.several", 403, _REFUSED, _REFUSED_ADVICE)
TRANSLATION_SEPARATOR = Code("translation.separator", 403, _REFUSED, _REFUSED_ADVICE)
TRANSLATION_NO_ROW = Code("translation.no_row", 403, _REFUSED, _REFUSED_ADVICE)
TRANSLATION_DATE = Code("translation.date", 403, _REFUSED, _REFUSED_ADVICE)
TRANSLATION_LENGTH = Code("translation.length", 403, _REFUSED, _REFUSED_ADVICE)
TRANSLATION_BUDGET = Code(
    "translation.budget",
    403,
    "Your account has more rights than this application can take",
    "What it would be told of you is too long for it. Ask the person in charge of the application to shorten it.",
)

# policy and translation: what a policy file may not say
POLICY_PATTERN = Code("policy.pattern", 0)
POLICY_CONDITION = Code("policy.condition", 0)
POLICY_CONFLICT = Code("policy.conflict", 0)
TRANSLATION_SPEC = Code("translation.spec", 0)

# sessions and stores
STORE_UNREACHABLE = Code(
    "store.unreachable", 503, "Sign-in is out of order for a moment", "Wait a moment, then reload this page."
)
STORE_UNREADABLE = Code("store.unreadable", 0)
SESSION_FORM_NOT_SENT = Code(
    "session.form_not_sent", 401, "Your form was not sent", "You were signed out. Sign in, then fill in the form again."
)

# an application's login form, by which people are signed in at it
_FORM_LOGIN = "You could not be signed in to the application"
_FORM_LOGIN_SUPPORT = "Give the reference below to your support: they will find the reason in the log."
FORM_LOGIN_ACCOUNT = Code(
    "form_login.account",
    403,
    "You have no account in this application",
    "None is known for you. Ask the person in charge of the application for one.",
)
FORM_LOGIN_REFUSED = Code(
    "form_login.refused",
    403,
    "The application refused the account that is kept for you",
    "Its password was changed, or the account is closed. It is not tried again until your support has put this right.",
)
FORM_LOGIN_TRIES = Code(
    "form_login.tries",
    503,
    "The application is not asked again for the moment",
    "It refused to sign you in several times. So that it does not lock your account, it is left alone for a while. "
    + _FORM_LOGIN_SUPPORT,
)
FORM_LOGIN_FORM = Code("form_login.form", 502, _FORM_LOGIN, "Its sign-in page has changed. " + _FORM_LOGIN_SUPPORT)
FORM_LOGIN_ELSEWHERE = Code("form_login.elsewhere", 502, _FORM_LOGIN, _FORM_LOGIN_SUPPORT)
FORM_LOGIN_ANSWER = Code("form_login.answer", 502, _FORM_LOGIN, _FORM_LOGIN_SUPPORT)
FORM_LOGIN_UNANSWERED = Code("form_login.unanswered", 504, _FORM_LOGIN, "Wait a moment, then reload this page.")
FORM_LOGIN_LOOP = Code(
    "form_login.loop",
    502,
    "The application does not keep your sign-in",
    "You were signed in to it a moment ago, and it says that you are not. " + _FORM_LOGIN_SUPPORT,
)

# upstream
UPSTREAM_CONNECT = Code(
    "upstream.connect", 502, "The application does not answer", "Wait a moment, then reload this page."
)
UPSTREAM_ADDRESS = Code(
    "upstream.address",
    502,
    "The application is not where it may be",
    "Its settings lead to an address that it may not have. Give the reference below to your support.",
)
UPSTREAM_RESET = Code(
    "upstream.reset", 502, "The application broke off its answer", "Wait a moment, then reload this page."
)
UPSTREAM_RESPONSE = Code(
    "upstream.response", 502, "The application answered wrongly", "Try again; if it goes on, tell your support."
)
UPSTREAM_TIMEOUT = Code(
    "upstream.timeout", 504, "The application takes too long", "Wait a moment, then reload this page."
)
GATEWAY_DRAINING = Code("gateway.draining", 503, "Restarting", "Reload this page in a few seconds.")
GATEWAY_FAULT = Code("gateway.fault", 500, "Something went wrong here", "Give the reference below to your support.")

# sign-in: transactions and the hand-over
LOGIN_TRANSACTION_GONE = Code("login.transaction_gone", 400, "This sign-in page is too old", _SIGN_IN_AGAIN)
LOGIN_OTHER_BROWSER = Code(
    "login.other_browser",
    400,
    "This sign-in was begun in another browser",
    "Start again from the application, and let this site keep its cookies.",
)
LOGIN_OTHER_PROVIDER = Code("login.other_provider", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
LOGIN_UNKNOWN_PROVIDER = Code("login.unknown_provider", 404, "Unknown sign-in service", _SIGN_IN_AGAIN)
LOGIN_LOOP = Code(
    "login.loop",
    400,
    "Signing in goes round in circles",
    "Your browser does not keep this site's cookies, or its clock is wrong. Allow cookies, then start again.",
)
LOGIN_PROVIDER_REFUSED = Code("login.provider_refused", 403, told.CANCELLED, told.CANCELLED_ADVICE)
LOGIN_PROVIDER_INTERACTION = Code("login.provider_interaction", 403, told.SEEN_FIRST, told.SEEN_FIRST_ADVICE)
LOGIN_PROVIDER_BUSY = Code(
    "login.provider_busy",
    503,
    "Your sign-in service is out of order for a moment",
    "Wait a moment, then start again from the application.",
)
LOGIN_PROVIDER_FAULT = Code(
    "login.provider_fault",
    403,
    _SIGN_IN_FAILED,
    told.NOT_TAKEN,
)
LOGIN_PROVIDER_UNREACHABLE = Code(
    "login.provider_unreachable",
    502,
    "Your sign-in service does not answer",
    "Wait a moment, then start again from the application.",
)
LOGIN_BUSY = Code(
    "login.busy",
    503,
    "Many people are signing in at this moment",
    "Wait a moment, then start again from the application.",
)
LOGIN_OUTSIDE_PERIMETER = Code(
    "login.outside_perimeter",
    403,
    _SIGN_IN_FAILED,
    "Your sign-in service says of you what it may not say here, such as another organisation than its own. "
    "Use another account, or give the reference below to your support.",
)
LOGIN_MAPPING = Code(
    "login.mapping",
    403,
    _SIGN_IN_FAILED,
    "Your sign-in service does not say of you what is needed here, or says it in a form that cannot be read. "
    "Give the reference below to your support.",
)
HANDOVER_CODE_GONE = Code("handover.code_gone", 400, "This sign-in page is too old", _SIGN_IN_AGAIN)
HANDOVER_OTHER_HOST = Code("handover.other_host", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
HANDOVER_OTHER_BROWSER = Code(
    "handover.other_browser",
    400,
    "This sign-in was begun in another browser",
    "Start again from the application, and let this site keep its cookies.",
)
LOGIN_NOT_FRESH = Code(
    "login.not_fresh",
    403,
    "Your sign-in is too old for this application",
    "Sign out of your organisation's sign-in service, then start again from the application.",
)
LOGIN_TOO_WEAK = Code("login.too_weak", 403, told.TOO_WEAK, told.TOO_WEAK_ADVICE)
API_TOKEN = Code("api.token", 401, "The access token was not accepted", "Ask for a new one, then call again.")
API_BOUND = Code("api.bound", 401, "The access token was not accepted", "Ask for a bearer token, then call again.")
API_TOO_WEAK = Code(
    "api.too_weak", 401, "The access token is of too weak a sign-in", "Ask for one of a stronger or newer sign-in."
)
API_SCOPE = Code("api.scope", 403, "The access token is not for this", "Ask for one with the right scope.")
PORTAL_PARAMETERS = Code("portal.parameters", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
PORTAL_BODY = Code("portal.body", 415, _BAD_REQUEST, _BAD_REQUEST_ADVICE)
LOGOUT_CROSS_SITE = Code(
    "logout.cross_site", 403, "You are still signed in", "Use the sign-out button of this page to sign out."
)
LOGOUT_REQUEST = Code(
    "logout.request",
    403,
    "You may still be signed in here",
    "The message by which your organisation's sign-in service signs people out was refused. "
    "Use the button of this page to sign out here.",
)
LOGOUT_STATE = Code(
    "logout.state", 400, "This sign-out page is too old", "You can close it: where you had signed out, you still are."
)
LOGOUT_FRONT_CHANNEL = Code("logout.front_channel", 400, _BAD_REQUEST, _BAD_REQUEST_ADVICE)

# oidc: what a provider's documents, answers and tokens may not be; one code a check
OIDC_ADDRESS = Code("oidc.address", 403, _SIGN_IN_FAILED, told.NOT_CALLED_ADVICE)
OIDC_ANSWER = Code("oidc.answer", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_DISCOVERY = Code("oidc.discovery", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
OIDC_DISCOVERY_ISSUER = Code("oidc.discovery.issuer", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
OIDC_DISCOVERY_ENDPOINT = Code("oidc.discovery.endpoint", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
OIDC_JWKS = Code("oidc.jwks", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
OIDC_RESPONSE_PARAMETER = Code("oidc.response.parameter", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
OIDC_RESPONSE_STATE = Code("oidc.response.state", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
OIDC_RESPONSE_ISSUER = Code("oidc.response.issuer", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
OIDC_RESPONSE_CODE = Code("oidc.response.code", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
OIDC_PUSHED_REQUEST = Code("oidc.pushed_request", 403, _SIGN_IN_FAILED, told.NOT_TAKEN)
OIDC_RESPONSE_JWT = Code("oidc.response.jwt", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_ACR = Code("oidc.id_token.acr", 403, told.TOO_WEAK, told.TOO_WEAK_ADVICE)
OIDC_CLIENT_AUTHENTICATION = Code("oidc.client_authentication", 403, _SIGN_IN_FAILED, told.NOT_TAKEN)
OIDC_TOKEN = Code("oidc.token", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_TOKEN_REFUSED = Code("oidc.token.refused", 403, _SIGN_IN_FAILED, told.NOT_TAKEN)
OIDC_TOKEN_TYPE = Code("oidc.token.type", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_FORM = Code("oidc.id_token.form", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_HEADER = Code("oidc.id_token.header", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_CLAIM = Code("oidc.id_token.claim", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_ISSUER = Code("oidc.id_token.issuer", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_AUDIENCE = Code("oidc.id_token.audience", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_AUTHORIZED_PARTY = Code("oidc.id_token.authorized_party", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_ALGORITHM = Code("oidc.id_token.algorithm", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_KEY = Code("oidc.id_token.key", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_SIGNATURE = Code("oidc.id_token.signature", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_EXPIRED = Code("oidc.id_token.expired", 403, told.CLOCK, told.CLOCK_ADVICE)
OIDC_ID_TOKEN_ISSUED_AT = Code("oidc.id_token.issued_at", 403, told.CLOCK, told.CLOCK_ADVICE)
OIDC_ID_TOKEN_NOT_BEFORE = Code("oidc.id_token.not_before", 403, told.CLOCK, told.CLOCK_ADVICE)
OIDC_ID_TOKEN_NONCE = Code("oidc.id_token.nonce", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_AUTH_TIME = Code("oidc.id_token.auth_time", 403, told.CLOCK, told.CLOCK_ADVICE)
OIDC_ID_TOKEN_SUBJECT = Code("oidc.id_token.subject", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ID_TOKEN_ACCESS_TOKEN_HASH = Code("oidc.id_token.access_token_hash", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_REFRESH_ENDED = Code("oidc.refresh.ended", 0)
OIDC_REFRESH_SUBJECT = Code("oidc.refresh.subject", 0)
OIDC_REVOCATION = Code("oidc.revocation", 0)
OIDC_LOGOUT_TOKEN = Code("oidc.logout_token", 0)
OIDC_LOGOUT_TOKEN_EVENT = Code("oidc.logout_token.event", 0)
OIDC_LOGOUT_TOKEN_NONCE = Code("oidc.logout_token.nonce", 0)
OIDC_ID_TOKEN_CODE_HASH = Code("oidc.id_token.code_hash", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ENCRYPTION = Code("oidc.encryption", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_ENCRYPTION_ALGORITHM = Code("oidc.encryption.algorithm", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_USERINFO = Code("oidc.userinfo", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_USERINFO_FORM = Code("oidc.userinfo.form", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
OIDC_USERINFO_SUBJECT = Code("oidc.userinfo.subject", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)

# saml: what a message of an identity provider may not be; one code a check. The browser sees one answer for all of
# them: who forges must not learn how far they came.
SAML_DOCUMENT = Code("saml.document", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SHAPE = Code("saml.shape", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_ID = Code("saml.id", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_VERSION = Code("saml.version", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_METADATA = Code("saml.metadata", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
SAML_METADATA_SIGNATURE = Code("saml.metadata.signature", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
SAML_METADATA_ENTITY = Code("saml.metadata.entity", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
SAML_METADATA_KEY = Code("saml.metadata.key", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
SAML_METADATA_ENDPOINT = Code("saml.metadata.endpoint", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
SAML_METADATA_VALIDITY = Code("saml.metadata.validity", 403, told.UNUSABLE, told.OUT_OF_DATE_ADVICE)
SAML_METADATA_UNREACHABLE = Code(
    "saml.metadata.unreachable",
    502,
    "Your sign-in service does not answer",
    "Wait a moment, then start again from the application.",
)
# Had from their server, and our own folder does not take them: its disk is full, or it is another account's
SAML_METADATA_UNWRITTEN = Code("saml.metadata.unwritten", 0)
SAML_METADATA_GONE = Code("saml.metadata.gone", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
SAML_LOGO = Code("saml.logo", 403, told.UNUSABLE, told.UNUSABLE_ADVICE)
SAML_METADATA_EXPIRED = Code("saml.metadata.expired", 403, told.UNUSABLE, told.OUT_OF_DATE_ADVICE)
SAML_ALGORITHM = Code("saml.algorithm", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SIGNATURE = Code("saml.signature", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SIGNATURE_MISSING = Code("saml.signature.missing", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SIGNATURE_FORM = Code("saml.signature.form", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SIGNATURE_KEY = Code("saml.signature.key", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_ENCRYPTION_MISSING = Code("saml.encryption.missing", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_ENCRYPTION_FORM = Code("saml.encryption.form", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_ENCRYPTION_ALGORITHM = Code("saml.encryption.algorithm", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_DECRYPTION = Code("saml.decryption", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_DESTINATION = Code("saml.destination", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_ISSUER = Code("saml.issuer", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_STATUS = Code("saml.status", 403, told.CANCELLED, told.CANCELLED_ADVICE)
SAML_STATUS_REQUEST = Code("saml.status.request", 403, _SIGN_IN_FAILED, told.NOT_TAKEN)
SAML_STATUS_UNEXPLAINED = Code("saml.status.unexplained", 403, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
SAML_NO_AUTHN_CONTEXT = Code("saml.no_authn_context", 403, told.TOO_WEAK, told.TOO_WEAK_ADVICE)
SAML_NO_PASSIVE = Code("saml.no_passive", 403, told.SEEN_FIRST, told.SEEN_FIRST_ADVICE)
SAML_IN_RESPONSE_TO = Code("saml.in_response_to", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_UNSOLICITED = Code("saml.unsolicited", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_ISSUE_INSTANT = Code("saml.issue_instant", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_TIME = Code("saml.time", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_NOT_BEFORE = Code("saml.not_before", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_EXPIRED = Code("saml.expired", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SUBJECT = Code("saml.subject", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SUBJECT_CONFIRMATION = Code("saml.subject_confirmation", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_RECIPIENT = Code("saml.recipient", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_CONDITIONS = Code("saml.conditions", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_AUDIENCE = Code("saml.audience", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_AUTHN_STATEMENT = Code("saml.authn_statement", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_AUTHN_INSTANT = Code("saml.authn_instant", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SESSION_EXPIRED = Code("saml.session_expired", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_AUTHN_CONTEXT = Code("saml.authn_context", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_BINDING_SIZE = Code("saml.binding.size", 413, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
SAML_BINDING_ENCODING = Code("saml.binding.encoding", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
SAML_BINDING_PARAMETER = Code("saml.binding.parameter", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
SAML_BINDING_ALGORITHM = Code("saml.binding.algorithm", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_BINDING_SIGNATURE = Code("saml.binding.signature", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
# saml.second_opinion: of another implementation, on what this one accepted
SAML_SECOND_OPINION = Code("saml.second_opinion", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SECOND_OPINION_FAILED = Code("saml.second_opinion.failed", 503, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
SAML_ENDPOINT = Code("saml.endpoint", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_REPLAYED = Code("saml.replayed", 403, "This sign-in page has been used already", _SIGN_IN_AGAIN)
SAML_ARTIFACT = Code("saml.artifact", 400, _SIGN_IN_FAILED, _SIGN_IN_AGAIN)
SAML_ARTIFACT_SOURCE = Code("saml.artifact.source", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_ARTIFACT_RESPONSE = Code("saml.artifact.response", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
SAML_SOAP = Code("saml.soap", 403, _SIGN_IN_FAILED, _PROVIDER_FAULT)
