"""The SAML part of the portal, joined: its paths below /_ecluse/saml/, and the two outcomes that it serves."""

from collections.abc import Callable, Mapping

from gateway.model.ports import Page, Revoker
from gateway.portal.flow.establish import SignIns
from gateway.portal.outcomes import Ask, Step, TellProvider
from gateway.portal.pages import Pages
from gateway.portal.report import Report
from gateway.portal.saml.answers import SamlAnswers
from gateway.portal.saml.artifacts import Artifacts
from gateway.portal.saml.ending import Ending
from gateway.portal.saml.incoming import LogoutMessages
from gateway.portal.saml.login import AskBySaml
from gateway.portal.saml.logout import SamlLogout
from gateway.portal.saml.own_metadata import OwnMetadata
from gateway.portal.saml.ports import SamlFederation
from gateway.portal.saml.provider_logout import ProviderLogout
from gateway.portal.saml.workbench import Workbench
from gateway.portal.visit import Visit
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
        self._workbench = workbench = Workbench()
        self._ask = AskBySaml(
            saml_transactions=saml_transactions,
            federation=federation,
            workbench=workbench,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        answers = SamlAnswers(
            transactions=transactions,
            saml_transactions=saml_transactions,
            federation=federation,
            artifacts=Artifacts(federation=federation, workbench=workbench, now=now, token_urlsafe=token_urlsafe),
            workbench=workbench,
            sign_ins=sign_ins,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        self._provider_logout = ProviderLogout(
            saml_transactions=saml_transactions,
            federation=federation,
            workbench=workbench,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        ending = Ending(sessions=sessions, revoker=revoker, workbench=workbench, report=report, now=now)
        logout = SamlLogout(
            saml_transactions=saml_transactions,
            messages=LogoutMessages(federation=federation, workbench=workbench),
            ending=ending,
            workbench=workbench,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        own = OwnMetadata(workbench=workbench, now=now, token_urlsafe=token_urlsafe)
        self.table = _table(answers, logout, own)

    async def ask(self, visit: Visit, ask: Ask) -> Page:
        return await self._ask.ask(visit, ask)

    async def tell(self, visit: Visit, outcome: TellProvider) -> Page:
        return await self._provider_logout.tell(visit, outcome)

    def close(self) -> None:
        self._workbench.close()


def _table(answers: SamlAnswers, logout: SamlLogout, own: OwnMetadata) -> Mapping[str, Mapping[str, Step]]:
    return {
        "saml/acs": {"POST": answers.posted},
        "saml/artifact": {"GET": answers.artifact, "POST": answers.artifact_posted},
        "saml/finish": {"GET": answers.finish},
        "saml/logout": {"GET": logout.by_redirect, "POST": logout.by_post},
        "saml/metadata": {"GET": own.metadata},
        "saml/soap": {"POST": logout.by_soap},
    }
