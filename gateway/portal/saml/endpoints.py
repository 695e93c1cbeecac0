"""The SAML part of the portal, joined: its paths below /_ecluse/saml/, and the two outcomes that it serves."""

from collections.abc import Callable, Mapping

from gateway.model.ports import Page, Revoker
from gateway.portal.flow.establish import SignIns
from gateway.portal.flow.steps import BeginSignIn, Handler, NotifyProvider
from gateway.portal.http.pages import Pages
from gateway.portal.http.request import PortalRequest
from gateway.portal.report import Report
from gateway.portal.saml.artifacts import Artifacts
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.idp_initiated_logout import Ending
from gateway.portal.saml.incoming import LogoutMessages
from gateway.portal.saml.login import AskBySaml
from gateway.portal.saml.logout import SamlLogout
from gateway.portal.saml.own_metadata import OwnMetadata
from gateway.portal.saml.ports import SamlFederation
from gateway.portal.saml.responses import SamlResponses
from gateway.portal.saml.rp_initiated_logout import ProviderLogout
from gateway.stores.saml_transactions import SamlTransactions
from gateway.stores.sessions import Sessions
from gateway.stores.transactions import Transactions


class Saml:
    """`table`: as that of the portal. Parameters as those of the portal."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        transactions: Transactions,
        saml_transactions: SamlTransactions,
        federation: SamlFederation,
        sign_ins: SignIns,
        revoker: Revoker,
        pages: Pages,
        report: Report,
        now: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._crypto_thread = crypto_thread = CryptoThread()
        self._ask = AskBySaml(
            saml_transactions=saml_transactions,
            federation=federation,
            crypto_thread=crypto_thread,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        answers = SamlResponses(
            transactions=transactions,
            saml_transactions=saml_transactions,
            federation=federation,
            artifacts=Artifacts(
                federation=federation, crypto_thread=crypto_thread, now=now, token_urlsafe=token_urlsafe
            ),
            crypto_thread=crypto_thread,
            sign_ins=sign_ins,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        self._provider_logout = ProviderLogout(
            saml_transactions=saml_transactions,
            federation=federation,
            crypto_thread=crypto_thread,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        ending = Ending(sessions=sessions, revoker=revoker, crypto_thread=crypto_thread, report=report, now=now)
        logout = SamlLogout(
            saml_transactions=saml_transactions,
            messages=LogoutMessages(federation=federation, crypto_thread=crypto_thread),
            ending=ending,
            crypto_thread=crypto_thread,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        own = OwnMetadata(crypto_thread=crypto_thread, now=now, token_urlsafe=token_urlsafe)
        self.table = _table(answers, logout, own)

    async def ask(self, request: PortalRequest, ask: BeginSignIn) -> Page:
        return await self._ask.ask(request, ask)

    async def tell(self, request: PortalRequest, outcome: NotifyProvider) -> Page:
        return await self._provider_logout.tell(request, outcome)

    def close(self) -> None:
        self._crypto_thread.close()


def _table(answers: SamlResponses, logout: SamlLogout, own: OwnMetadata) -> Mapping[str, Mapping[str, Handler]]:
    return {
        "saml/acs": {"POST": answers.posted},
        "saml/artifact": {"GET": answers.artifact, "POST": answers.artifact_posted},
        "saml/finish": {"GET": answers.finish},
        "saml/logout": {"GET": logout.by_redirect, "POST": logout.by_post},
        "saml/metadata": {"GET": own.metadata},
        "saml/soap": {"POST": logout.by_soap},
    }
