"""A SAML provider's answer: verified in full, then the browser that asked for it, then a session.

An answer by POST comes from the provider's page, and no Lax cookie with it. What it asserts is parked, and a 303 to
`finish` on this very host brings the cookie. Nothing that is parked lets anybody in.
"""

import asyncio
from collections.abc import Callable
from dataclasses import astuple
from urllib.parse import urlencode

from gateway.identity.assertion_mapping import map_assertion
from gateway.identity.perimeter import check
from gateway.model.assertion import Assertion
from gateway.model.codes import (
    LOGIN_OTHER_BROWSER,
    LOGIN_UNKNOWN_PROVIDER,
    SAML_BINDING_PARAMETER,
    SAML_EXPIRED,
    SAML_NO_PASSIVE,
    SAML_REPLAYED,
    SAML_UNSOLICITED,
)
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import SamlProvider
from gateway.model.transaction import ParkedAnswer, SamlLogin
from gateway.portal.flow.establish import Authentication, SignIns
from gateway.portal.flow.pending import Pending, answered
from gateway.portal.flow.steps import NextStep
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.saml.artifacts import Artifacts
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.known import entity, saml_provider, service_provider
from gateway.portal.saml.login import asked_visibly
from gateway.portal.saml.ports import SamlFederation
from gateway.portal.saml.roll_over import judged
from gateway.portal.saml.sids import sid_of
from gateway.saml.artifact import read_artifact
from gateway.saml.document import Document, parse
from gateway.saml.parties import Binding, IdpMetadata
from gateway.saml.post import posted_message
from gateway.saml.response import validate_response
from gateway.saml.unverified import UnverifiedMessage, read_unverified
from gateway.stores.saml_transactions import SamlTransactions
from gateway.stores.transactions import Transactions

FINISH = f"{PREFIX}saml/finish"
ARTIFACT = f"{PREFIX}saml/artifact"
_GONE = "an answer to a request that is unknown, answered, or too old"


class SamlResponses:
    def __init__(
        self,
        *,
        transactions: Transactions,
        saml_transactions: SamlTransactions,
        federation: SamlFederation,
        artifacts: Artifacts,
        crypto_thread: CryptoThread,
        sign_ins: SignIns,
        now: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._transactions = transactions
        self._saml_transactions = saml_transactions
        self._federation = federation
        self._artifacts = artifacts
        self._crypto_thread = crypto_thread
        self._sign_ins = sign_ins
        self._now = now
        self._token_urlsafe = token_urlsafe

    # --- what a provider's page brings

    async def posted(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/saml/acs`. The request stays under way until `finish`, so that a form sent twice does no harm,
        but whoever brings an answer that is refused has used it up."""
        form = request.form()
        response, reference = form.get("SAMLResponse", ""), form.get("RelayState", "")
        if not response:
            raise GatewayError(SAML_BINDING_PARAMETER, "no SAMLResponse in the form")
        login = await self._saml_transactions.peek_login(reference)
        if login is None:
            return await self._unasked(request, response)
        try:
            provider = saml_provider(request.snapshot, login.provider)
            request.provider = provider.name
            answered(request, login.serves, provider.name)
            return await self._parked(request, provider, login, reference, response)
        except GatewayError as error:
            await self._saml_transactions.take_login(reference)
            return _again(login, error)

    async def _unasked(self, request: PortalRequest, response: str) -> Page:
        """Profiles 4.1.5. What answers a request that is over goes on to a page that can see who is signed in."""
        said = await self._crypto_thread.do(lambda: read_unverified(parse(posted_message(response))))
        if said.in_response_to is not None:
            return redirect(FINISH)
        provider = self._may_begin(request, said)
        return await self._parked(request, provider, None, None, response)

    def _may_begin(self, request: PortalRequest, said: UnverifiedMessage) -> SamlProvider:
        provider = entity(request.snapshot, said.issuer)
        request.provider = provider.name
        if not provider.unsolicited:
            raise GatewayError(SAML_UNSOLICITED, "an answer that nobody asked for; `unsolicited: true` would let it in")
        return provider

    async def _parked(
        self,
        request: PortalRequest,
        provider: SamlProvider,
        login: SamlLogin | None,
        reference: str | None,
        response: str,
    ) -> Page:
        def read() -> Document:
            return parse(posted_message(response))

        assertion = await self._verified(request, provider, login, read, "post")
        id = await self._saml_transactions.park(self._answer(provider, assertion, reference), request.network)
        return redirect(f"{FINISH}?p={id}")

    async def artifact_posted(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/saml/artifact`: Bindings 3.6.3, in a form, as Keycloak sends it. It goes on as the navigation
        that brings the cookie; what answers no request goes on to a page that can see who is signed in."""
        form = request.form()
        value, reference = form.get("SAMLart", ""), form.get("RelayState", "")
        read_artifact(value)
        if await self._saml_transactions.peek_login(reference) is None:
            return redirect(FINISH)
        return redirect(f"{ARTIFACT}?{urlencode({'SAMLart': value, 'RelayState': reference})}")

    async def artifact(self, request: PortalRequest) -> NextStep:
        """`GET /_ecluse/saml/artifact`: a navigation, with its cookie. What the artifact stands for is fetched."""
        request.require_navigation()
        parameters = request.parameters()
        reference = parameters.get("RelayState", "")
        login = await self._saml_transactions.take_login(reference)
        if login is None:
            return await self._sign_ins.seen_again(request, _GONE)
        provider = self._asked(request, login)
        found = answered(request, login.serves, provider.name)
        metadata = await self._federation.idp_metadata(provider)
        read = await self._artifacts.resolve(request, provider, metadata, parameters.get("SAMLart", ""))
        try:
            assertion = await self._verified(request, provider, login, read, "artifact")
        except GatewayError as error:
            return _again(login, error)
        answer = self._answer(provider, assertion, reference)
        self._require_in_time(answer)
        return await self._arrive(request, provider, login, found, answer, await self._first_use(answer))

    # --- the browser that asked

    async def finish(self, request: PortalRequest) -> NextStep:
        """`GET /_ecluse/saml/finish?p=`: taken first and looked at after, so that a wrong browser burns it."""
        request.require_navigation()
        id = request.parameter("p")
        parked = await self._saml_transactions.peek_parked(id)
        if parked is None:
            return await self._sign_ins.seen_again(request, _GONE)
        # One write of the store: whatever is found wrong afterwards, all of it is used up.
        spent, unused, login = await asyncio.gather(
            self._saml_transactions.spend_parked(id), self._first_use(parked), self._login_of(parked)
        )
        if not spent:
            return await self._sign_ins.seen_again(request, _GONE)
        provider = saml_provider(request.snapshot, parked.identity.provider)
        request.provider = provider.name
        # The configuration may be another one than a minute ago.
        if provider.issuer != parked.identity.issuer:
            raise GatewayError(LOGIN_UNKNOWN_PROVIDER, f"{provider.name} names another entity now")
        self._require_in_time(parked)
        if parked.reference is None:
            if not provider.unsolicited:
                raise GatewayError(SAML_UNSOLICITED, f"{provider.name} may no longer begin a sign-in")
            return await self._arrive(request, provider, None, None, parked, unused)
        if login is None:
            return await self._sign_ins.seen_again(request, _GONE)
        self._asked(request, login)
        found = answered(request, login.serves, provider.name)
        return await self._arrive(request, provider, login, found, parked, unused)

    async def _login_of(self, parked: ParkedAnswer) -> SamlLogin | None:
        return None if parked.reference is None else await self._saml_transactions.take_login(parked.reference)

    def _asked(self, request: PortalRequest, login: SamlLogin) -> SamlProvider:
        request.provider = login.provider
        if not request.holds(login.binding):
            raise GatewayError(LOGIN_OTHER_BROWSER, "the sign-in was begun in another browser")
        return saml_provider(request.snapshot, login.provider)

    # --- what is asserted

    async def _verified(
        self,
        request: PortalRequest,
        provider: SamlProvider,
        login: SamlLogin | None,
        read: Callable[[], Document],
        binding: Binding,
    ) -> Assertion:
        sp, now = service_provider(request.snapshot), int(self._now())

        def validated(metadata: IdpMetadata) -> Assertion:
            return validate_response(
                read(), provider=provider, metadata=metadata, sp=sp, asked=login, now=now, binding=binding
            )

        assertion, _ = await judged(
            validated, provider=provider, federation=self._federation, crypto_thread=self._crypto_thread
        )
        return assertion

    def _answer(self, provider: SamlProvider, assertion: Assertion, reference: str | None) -> ParkedAnswer:
        """Mapped, and within what this provider may assert."""
        identity = map_assertion(provider, assertion, int(self._now()))
        check(provider, identity)
        return ParkedAnswer(
            identity=identity,
            reference=reference,
            assertion_id=assertion.id,
            replayable_until=assertion.expires,
            session_until=assertion.session_not_on_or_after,
            name_id=None if assertion.name_id is None else astuple(assertion.name_id),
            session_index=assertion.session_index,
            issued=assertion.issued,
        )

    # --- the session

    def _require_in_time(self, answer: ParkedAnswer) -> None:
        """It may have been parked since: after this moment nobody remembers any more that it was used."""
        if self._now() >= answer.replayable_until:
            raise GatewayError(SAML_EXPIRED, "an assertion that ran out before its browser came")

    async def _first_use(self, answer: ParkedAnswer) -> bool:
        """Profiles 4.1.4.5; invariant 6."""
        # What answers a request is no older than this request, which the store has.
        issued = answer.issued if answer.reference is None else None
        once = ("assertion", answer.identity.issuer, answer.assertion_id)
        return await self._transactions.first_use(*once, issued=issued, until=answer.replayable_until)

    async def _arrive(
        self,
        request: PortalRequest,
        provider: SamlProvider,
        login: SamlLogin | None,
        found: Pending | None,
        answer: ParkedAnswer,
        unused: bool,
    ) -> NextStep:
        if not unused:
            raise GatewayError(SAML_REPLAYED, "an assertion used before, or older than the session store")
        index = answer.session_index
        binding = request.binding_made(self._token_urlsafe) if login is None else request.binding() or login.binding
        return await self._sign_ins.complete(
            request,
            Authentication(
                provider=provider,
                identity=answer.identity,
                pending=found,
                browser=binding,
                sid=None if index is None else sid_of(answer.identity.subject, index),
                name_id=answer.name_id,
                ends_at=answer.session_until,
            ),
        )


def _again(login: SamlLogin, error: GatewayError) -> Page:
    """Whoever is not signed in at the provider was asked unseen, and is asked again with its page. Or `error`."""
    if error.code is not SAML_NO_PASSIVE or not login.passive:
        raise error
    return redirect(asked_visibly(login))
