"""The credentials with which people are signed in at an application: the login and the secret of their account link."""

from gateway.accounts.book import AccountBook
from gateway.config.snapshot import App
from gateway.model.account import AccountHolder, person_of
from gateway.model.codes import account_codes, session_codes
from gateway.model.credential import Credential, NoCredential
from gateway.model.session import Seat


class LinkedAccounts:
    """model.credential.CredentialSource. A secret is opened only for the live seat of its person at its application. No
    other record of a store is opened without a cookie (invariant 8)."""

    def __init__(self, app: App, book: AccountBook) -> None:
        self._app = app
        self._book = book

    async def find(self, application: str, issuer: str, subject: str, seat: Seat) -> Credential | NoCredential:
        """As in CredentialSource. Raises GatewayError: account_codes.PERSON, account_codes.SHARED,
        account_codes.RECORD, and the errors of reading the links."""
        app, settings, identity = self._app, self._app.account, seat.identity
        assert settings is not None
        own = (app.name, identity.issuer, identity.subject)
        if (application, issuer, subject) != own or not app.accepts(identity) or _has_ended(seat):
            return NoCredential(
                session_codes.REQUIRED, "this seat is not the live one of that person at that application"
            )
        holder = AccountHolder(application, issuer, person_of(settings.by, identity))
        found = await self._book.credential(holder, settings)
        if _has_ended(seat):
            return NoCredential(session_codes.REQUIRED, "the seat has ended meanwhile")
        if found is None:
            return NoCredential(account_codes.MISSING, "no link of this person", settings.words)
        login, secret = found
        if secret is None:
            reason, shown = (
                (account_codes.LINK, "") if settings.missing == "link" else (account_codes.SECRET, settings.words)
            )
            return NoCredential(reason, "the link of this person has no secret", shown)
        return Credential(login, secret)


def _has_ended(seat: Seat) -> bool:
    return not seat.live
