"""A person's account at an application that trusts one secret for every account, or has a secret per person."""

from gateway.formlogin.spec import FormLogin, TrustedAccount
from gateway.model.account import ATTRIBUTE
from gateway.model.codes import form_login_codes
from gateway.model.credential import Credential
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.tokens.claims import secret_of, single_value
from gateway.tokens.spec import TokenClaim


def account_of(trusted: TrustedAccount, identity: Identity) -> str:
    """The name of the account. Raises GatewayError(form_login_codes.ACCOUNT), without a value in the text, for no name
    or several names, for a control character, and for surrounding white space."""
    try:
        login = single_value(TokenClaim("account", trusted.attribute, trusted.text), identity)
    except GatewayError as error:
        raise GatewayError(form_login_codes.ACCOUNT, error.detail) from None
    if not login:
        raise GatewayError(form_login_codes.ACCOUNT, f"this person has no {trusted.attribute}")
    if login != login.strip():
        # Applications trim, and databases compare without trailing blanks: the account of another person could match.
        raise GatewayError(form_login_codes.ACCOUNT, "white space at an end of the account")
    return login


def credential_of(trusted: TrustedAccount, identity: Identity) -> Credential:
    """The name and the password of the account. Raises GatewayError(form_login_codes.ACCOUNT), without a value."""
    login = account_of(trusted, identity)
    if trusted.secret_attribute is None:
        return Credential(login, trusted.secret)
    try:
        return Credential(login, secret_of(trusted.secret_attribute, identity, "form_login"))
    except GatewayError as error:
        raise GatewayError(form_login_codes.ACCOUNT, error.detail) from None


def login_now(form: FormLogin, identity: Identity) -> str | None:
    """The person's account by the present file; None without an account."""
    if form.trusted is None:
        return next(iter(identity.attributes.get(ATTRIBUTE, ())), None)
    try:
        return account_of(form.trusted, identity)
    except GatewayError:
        return None


def session_described(form: FormLogin, identity: Identity) -> tuple[dict[str, str], dict[str, str]]:
    """For tools: the cookies of the person's session, and, by name, the reason for each missing cookie."""
    said, refused = "of the session that the gateway has for this person", ""
    if form.trusted is not None:
        try:
            said = f"signed in as {credential_of(form.trusted, identity).login}"
        except GatewayError as error:
            refused = f"{error.code.id}: {error.detail}"
    elif ATTRIBUTE in identity.attributes:
        said = f"signed in as {identity.attributes[ATTRIBUTE][0]}"
    cookies = {} if refused else dict.fromkeys(form.cookies, f"({said}, by form_login)")
    return cookies, dict.fromkeys(form.cookies, refused) if refused else {}
