"""A SAML provider's Response: verified completely, then the requesting browser, then a session.

A Response by POST comes from the provider's page, without Lax cookies. The assertion is parked, and a 303 to `finish`
on this host brings the cookies. A parked assertion admits nobody.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from urllib.parse import urlencode

from gateway.identity.mapping import map_assertion
from gateway.identity.perimeter import check
from gateway.model.assertion import Assertion
from gateway.model.codes import login_codes, saml_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import SamlProvider
from gateway.model.transaction import ParkedAssertion, SamlLogin
from gateway.portal.flow.proven import ProvenPerson
from gateway.portal.flow.source import entity, lead_back, saml_provider, served_by, service_provider
from gateway.portal.flow.steps import Authentication, NextStep, Pending, SignInSeenAgain
from gateway.portal.http.request import PREFIX, SECRET_BYTES, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.saml.crypto_thread import CryptoThread, verified_by_metadata
from gateway.portal.saml.other_implementation import Accepted
from gateway.portal.saml.second_opinion import SecondOpinions
from gateway.portal.services import PortalServices
from gateway.saml.artifact import artifact_resolve, read_artifact, resolution_endpoint, response_in
from gateway.saml.bindings import posted_message
from gateway.saml.document import Document, UnverifiedMessage, parse, read_unverified
from gateway.saml.own_messages import message_id
from gateway.saml.parties import Binding, IdpMetadata
from gateway.saml.response import validate_response
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_envelope
from gateway.stores.records import UseOnce

# The parameter of our login address for a request that lets the provider show its page.
VISIBLY = "visibly"
FINISH = f"{PREFIX}saml/finish"
ARTIFACT = f"{PREFIX}saml/artifact"
_GONE = "an answer to a request that is unknown, answered, or too old"


class SamlResponses:
    def __init__(self, services: PortalServices, crypto_thread: CryptoThread, opinions: SecondOpinions) -> None:
        self._services = services
        self._crypto_thread = crypto_thread
        self._opinions = opinions

    # --- messages by way of the browser

    async def posted(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/saml/acs`. Our request stays open until `finish`, so a form sent twice is harmless. A refused
        Response uses our request up.
        """
        form = request.form()
        response, reference = form.get("SAMLResponse", ""), form.get("RelayState", "")
        if not response:
            raise GatewayError(saml_codes.BINDING_PARAMETER, "no SAMLResponse in the form")
        login = await self._services.transactions.saml_logins.peek(reference)
        if login is None:
            return await self._unasked(request, response)
        try:
            provider = saml_provider(request.snapshot, login.provider)
            request.provider = provider.name
            served_by(request, login.serves, provider.name)
            return await self._parked(request, provider, login, reference, response)
        except GatewayError as error:
            await self._services.transactions.saml_logins.take(reference)
            return _asked_with_its_page(login, error)

    async def _unasked(self, request: PortalRequest, response: str) -> Page:
        """Profiles 4.1.5. A Response to a finished request goes to a page that can see the signed-in person."""
        said = await self._crypto_thread.do(lambda: read_unverified(parse(posted_message(response))))
        if said.in_response_to is not None:
            return redirect(FINISH)
        provider = self._may_begin(request, said)
        return await self._parked(request, provider, None, None, response)

    def _may_begin(self, request: PortalRequest, said: UnverifiedMessage) -> SamlProvider:
        provider = entity(request.snapshot, said.issuer)
        request.provider = provider.name
        if not provider.unsolicited:
            raise GatewayError(
                saml_codes.UNSOLICITED, "an unsolicited response; `unsolicited: true` accepts such responses"
            )
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
        id = await self._services.transactions.saml_responses.put(
            self._mapped(provider, assertion, login, reference), request.network
        )
        return redirect(f"{FINISH}?p={id}")

    async def artifact_posted(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/saml/artifact`: Bindings 3.6.3, in a form, as Keycloak sends it. The page then navigates to
        bring the cookies. An artifact without a request goes to a page that can see the signed-in person.
        """
        form = request.form()
        value, reference = form.get("SAMLart", ""), form.get("RelayState", "")
        read_artifact(value)
        if await self._services.transactions.saml_logins.peek(reference) is None:
            return redirect(FINISH)
        return redirect(f"{ARTIFACT}?{urlencode({'SAMLart': value, 'RelayState': reference})}")

    async def artifact(self, request: PortalRequest) -> NextStep:
        """`GET /_ecluse/saml/artifact`: a navigation with cookies. Resolves the artifact."""
        request.require_navigation()
        parameters = request.parameters()
        reference = parameters.get("RelayState", "")
        login = await self._services.transactions.saml_logins.take(reference)
        if login is None:
            return SignInSeenAgain(_GONE)
        browser = _require_browser(request, login)
        provider = saml_provider(request.snapshot, login.provider)
        found = served_by(request, login.serves, provider.name)
        read = await self._resolved(request, provider, parameters.get("SAMLart", ""))
        try:
            assertion = await self._verified(request, provider, login, read, "artifact")
        except GatewayError as error:
            return _asked_with_its_page(login, error)
        asserted = self._mapped(provider, assertion, login, reference)
        self._require_in_time(asserted)
        unused = await self._services.transactions.use_up(self._uses(asserted))
        await self._require_no_end(request, asserted)
        return _authentication(provider, browser, found, asserted, unused, None)

    async def _resolved(self, request: PortalRequest, provider: SamlProvider, value: str) -> Callable[[], Document]:
        """Bindings 3.6: what the reference stands for, asked of the provider. `value`: SAMLart.

        The Response comes still to be read and verified, in the thread.
        """
        metadata = await self._services.saml_federation.idp_metadata(provider)
        artifact = read_artifact(value)
        endpoint = resolution_endpoint(artifact, metadata)
        id, sp = message_id(self._services.token_urlsafe(SECRET_BYTES)), service_provider(request.snapshot)
        resolve = artifact_resolve(sp, artifact, destination=endpoint.location, id=id, now=self._services.now())
        envelope = await self._crypto_thread.do(lambda: in_envelope(sign_enveloped(sp.keys[0], resolve)))
        response = await self._services.saml_federation.soap(provider, endpoint.location, envelope)
        return partial(response_in, response, request_id=id, provider=provider)

    # --- the browser that asked

    async def finish(self, request: PortalRequest) -> NextStep:
        """Answers `GET /_ecluse/saml/finish?p=`. Ends a sign-in from a parked assertion. The assertion is used up in
        any case, even by a wrong browser.

        The step that ends the sign-in spends the assertion before any write; if outside services are asked, an earlier
        step does. In a cluster, the mark of a used assertion has another hash tag, and is written one step before the
        session.
        """
        request.require_navigation()
        id = request.parameter("p")
        parked = await self._services.transactions.saml_responses.peek(id)
        if parked is None:
            return SignInSeenAgain(_GONE)
        reference, login, transactions = parked.reference, parked.login, self._services.transactions
        if login is not None and login.serves is not None and request.holds(login.binding):
            # Where the store fails from here on, the page leads back to the application.
            lead_back(request, login.serves.transaction)
        spent = unused = under_way = True
        if login is not None and _ends_in_one_step(request, login):
            spends = transactions.saml_responses.spending(id), transactions.saml_logins.spending(reference or "")
            request.uses_up = (*spends, *self._uses(parked))
        else:
            spent, unused, under_way = await asyncio.gather(
                transactions.saml_responses.spend(id),
                transactions.use_up(self._uses(parked)),
                transactions.saml_logins.spend(reference or ""),
            )
        if not spent:
            return SignInSeenAgain(_GONE)
        provider = saml_provider(request.snapshot, parked.identity.provider)
        request.provider = provider.name
        # The configuration may have changed since the response was parked.
        if provider.issuer != parked.identity.issuer:
            raise GatewayError(login_codes.UNKNOWN_PROVIDER, f"{provider.name} now names another entity")
        self._require_in_time(parked)
        await self._require_no_end(request, parked)
        if reference is None:
            if not provider.unsolicited:
                raise GatewayError(saml_codes.UNSOLICITED, f"{provider.name} may no longer begin a sign-in")
            browser = request.binding_made(self._services.token_urlsafe)
            return _authentication(provider, browser, None, parked, unused, parked.issued)
        if login is None or not under_way:
            return SignInSeenAgain(_GONE)
        browser = _require_browser(request, login)
        found = served_by(request, login.serves, provider.name)
        return _authentication(provider, browser, found, parked, unused, login.issued_at)

    # --- what is asserted

    async def _verified(
        self,
        request: PortalRequest,
        provider: SamlProvider,
        login: SamlLogin | None,
        read: Callable[[], Document],
        binding: Binding,
    ) -> Assertion:
        sp, now = service_provider(request.snapshot), int(self._services.now())

        def validated(metadata: IdpMetadata) -> Accepted:
            document = read()
            assertion = validate_response(
                document, provider=provider, metadata=metadata, sp=sp, asked=login, now=now, binding=binding
            )
            return Accepted(document, assertion, provider, metadata, sp, login, binding, now)

        accepted, _ = await verified_by_metadata(
            validated, provider=provider, federation=self._services.saml_federation, crypto_thread=self._crypto_thread
        )
        wanted = request.snapshot.gateway.second_opinion
        if wanted is not None:
            await self._opinions.ask(wanted, request, accepted)
        return accepted.assertion

    def _mapped(
        self, provider: SamlProvider, assertion: Assertion, login: SamlLogin | None, reference: str | None
    ) -> ParkedAssertion:
        """Maps the assertion, within the provider's bounds."""
        identity = map_assertion(provider, assertion, int(self._services.now()))
        check(provider, identity)
        return ParkedAssertion(
            identity=identity,
            reference=reference,
            assertion_id=assertion.id,
            replayable_until=assertion.expires,
            session_until=assertion.session_not_on_or_after,
            name_id=None if assertion.name_id is None else astuple(assertion.name_id),
            session_index=assertion.session_index,
            issued=assertion.issued,
            skew=provider.skew,
            login=login,
            at=int(self._services.now()),
        )

    # --- used once

    def _require_in_time(self, asserted: ParkedAssertion) -> None:
        """Refuses an assertion that was parked too long: after `replayable_until` its id may be forgotten, and a
        replay would pass."""
        if self._services.now() >= asserted.replayable_until:
            raise GatewayError(saml_codes.EXPIRED, "an assertion that ran out before its browser came")

    async def _require_no_end(self, request: PortalRequest, parked: ParkedAssertion) -> None:
        """Refuses a person whose sign-in ended while the assertion was parked here or held back by the browser
        (invariant 12).
        """
        index, login, who = parked.session_index, parked.login, parked.identity
        proven = ProvenPerson(
            who,
            parked.at,
            parked.issued or None,
            browser=request.binding() if login is None else login.binding,
            sid=None if index is None else sid_of(who.subject, index),
        )
        # Within the second of the verification nothing has ended here; the provider's ends are looked for once the
        # session is written.
        if int(self._services.now()) > parked.at:
            await proven.require_no_end(self._services.transactions.sign_in_ends)

    def _uses(self, asserted: ParkedAssertion) -> list[UseOnce]:
        """Profiles 4.1.4.5; invariant 6."""
        # A response is no older than its request, which the store has.
        issued = asserted.issued if asserted.reference is None else None
        once = ("assertion", asserted.identity.issuer, asserted.assertion_id)
        return self._services.transactions.uses(
            *once, issued=issued, skew=asserted.skew, until=asserted.replayable_until
        )


def _authentication(
    provider: SamlProvider,
    browser: str,
    found: Pending | None,
    asserted: ParkedAssertion,
    unused: bool,
    asked_at: int | None,
) -> Authentication:
    """`asked_at`: as in Authentication."""
    if not unused:
        raise GatewayError(saml_codes.REPLAYED, "an assertion used before, or older than the session store")
    index = asserted.session_index
    return Authentication(
        provider=provider,
        identity=asserted.identity,
        pending=found,
        browser=browser,
        sid=None if index is None else sid_of(asserted.identity.subject, index),
        name_id=asserted.name_id,
        ends_at=asserted.session_until,
        issued_at=asserted.issued or None,
        asked_at=asked_at,
    )


def _ends_in_one_step(request: PortalRequest, login: SamlLogin) -> bool:
    """Whether the next step spends the transaction: no outside call and no write comes before it."""
    snapshot, serves = request.snapshot, login.serves
    provider = snapshot.providers.get(login.provider)
    if serves is None or provider is None or provider.chooses_tenant or serves.transaction.not_before:
        return False
    return not snapshot.directories and not snapshot.gateway.scim.clients


def _require_browser(request: PortalRequest, login: SamlLogin) -> str:
    """The binding of the requesting browser."""
    request.provider = login.provider
    browser = request.held(login.binding)
    if browser is None:
        raise GatewayError(login_codes.OTHER_BROWSER, "the sign-in began in another browser")
    return browser


def _address_with_its_page(login: SamlLogin) -> str:
    """The address that repeats a passive `login` that was not enough (Core 3.4.1). The next request is not passive, so
    no loop arises."""
    parameters = {"provider": login.provider, VISIBLY: ""} | ({"t": login.serves.id} if login.serves else {})
    return f"{PREFIX}login?{urlencode(parameters)}"


def _asked_with_its_page(login: SamlLogin, error: GatewayError) -> Page:
    """A person who was asked unseen and is not signed in at the provider is asked again, with its page. Raises `error`
    otherwise."""
    if error.code is not saml_codes.NO_PASSIVE or not login.passive:
        raise error
    return redirect(_address_with_its_page(login))


def sid_of(subject: str, index: str) -> str:
    """The key that finds a session. `index`: the SessionIndex, which need not be unique among people (Core 2.7.2)."""
    return json.dumps([index, subject])


def index_of(sid: str) -> str:
    """The SessionIndex from the provider."""
    index: str = json.loads(sid)[0]
    return index
