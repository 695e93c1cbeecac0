"""Makes a session from a provider's proof: the same perimeter, tenant and session, whatever the protocol."""

import asyncio
from dataclasses import replace
from zlib import crc32

from gateway.config.snapshot import Snapshot
from gateway.directories.orders import LookUpOrders
from gateway.identity.acting import acting_directories, in_the_name_of, named_by
from gateway.identity.directories import due_at, missing_from
from gateway.identity.perimeter import check, establish, in_one_name, organisations
from gateway.model.codes import directory_codes, login_codes, oidc_codes
from gateway.model.directory import Directory
from gateway.model.errors import GatewayError
from gateway.model.identity import Established, Identity
from gateway.model.ports import Page
from gateway.model.provider import Provider
from gateway.model.session import Seat, SeatLimits, Session, Tokens
from gateway.portal.flow.acting import ActingFor
from gateway.portal.flow.one_person import end_others
from gateway.portal.flow.proven import ProvenPerson
from gateway.portal.flow.session_limit import keep_within_limit
from gateway.portal.flow.source import openid_provider_of
from gateway.portal.flow.steps import Authentication, Continue, SignInSeenAgain
from gateway.portal.http.provider_cookie import remember_provider
from gateway.portal.http.request import PortalRequest, portal_home
from gateway.portal.services import PortalServices
from gateway.stores.sessions.new_session import NewSession
from gateway.wire.cookies import presented_seat, set_seat


class SignIns:
    """The end of a sign-in, for every protocol."""

    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._acting = ActingFor(services)

    async def complete(self, request: PortalRequest, authentication: Authentication) -> Continue | Page:
        """Makes the session. Without a transaction, writes the session; otherwise the step that spends the transaction
        writes it. A person who may act for several organisations gets a page to choose one, and comes again.

        Raises GatewayError as `_established` does; then no session is made.
        """
        pending = authentication.pending
        person = await self._established(request, authentication)
        if isinstance(person, Page):
            return person
        made = await self._session(request, authentication, person)
        if pending is not None:
            return Continue(pending, made=made)
        await self._services.sessions.add(made)
        await give_seat(request, made, self._services)
        return self._services.pages.signed_in(request.reader, home(request), again=False)

    # --- the person: perimeter, tenant, directories

    async def _established(self, request: PortalRequest, authentication: Authentication) -> Established | Page:
        """Asks the perimeter, then the tenant, then the directories, once each. A directory that names organisations
        is asked for the tenant; the others are asked in the tenant's name. Returns a page where the person has to
        choose an organisation.

        Raises GatewayError: login_codes.OUTSIDE_PERIMETER; login_codes.MAPPING; directory_codes.AWAY where the
        application of the sign-in refuses people of whom a directory says nothing; scim_codes.DEACTIVATED.
        """
        directories = tuple(request.snapshot.directories.values())
        naming = acting_directories(directories, authentication.provider.name) if directories else ()
        check(authentication.provider, authentication.identity)
        if naming:
            asked = await self._ask(naming, authentication, authentication.identity, None)
            authentication = replace(authentication, identity=asked)
        person = await self._act_for_one(request, authentication)
        if isinstance(person, Page):
            return person
        if directories:
            said = in_the_name_of(person.tenant, person.identity, naming).findings
            others = tuple(one for one in directories if one not in naming)
            asked = await self._ask(others, authentication, replace(person.identity, findings=()), person.tenant)
            person = replace(person, identity=replace(asked, findings=(*said, *asked.findings)))
            if person.identity.findings:
                _require_answers(person.identity, authentication)
        if request.snapshot.gateway.scim.clients:
            await self._services.active_people.require(person.identity, person.tenant)
        return person

    async def _act_for_one(self, request: PortalRequest, authentication: Authentication) -> Established | Page:
        """Returns the person acting for one organisation: the only organisation, or the last choice in this browser.
        Returns a page if the person must choose."""
        provider, identity, chosen = authentication.provider, authentication.identity, authentication.tenant
        directories = request.snapshot.directories.values()
        named = named_by(identity, directories, self._services.now()) if directories else ()
        if chosen is None and (provider.chooses_tenant or identity.findings):
            among = organisations(provider, identity, named)
            only = among[0] if len(among) == 1 else None
            chosen = only or self._acting.find_last_choice(request, authentication, among)
            if chosen is None and len(among) > 1:
                return await self._acting.ask(request, authentication)
        person = in_one_name(provider, identity, chosen, named)
        if chosen is not None and person.tenant != chosen:
            raise GatewayError(
                login_codes.MAPPING, "a directory no longer lets the person act for the organisation chosen"
            )
        return person

    async def _ask(
        self, directories: tuple[Directory, ...], authentication: Authentication, identity: Identity, tenant: str | None
    ) -> Identity:
        """Asks these directories side by side. Waits for the directories of the transaction's application; without a
        transaction for all, because the person may go to any application."""
        pending = authentication.pending
        needed = None if pending is None else pending.app.directories
        return await self._services.directories.look_up(directories, identity, tenant, needed=needed)

    async def seen_again(self, request: PortalRequest, step: SignInSeenAgain) -> Page:
        """Tells a signed-in person so, without a request to a provider.

        Raises GatewayError(login_codes.TRANSACTION_GONE) without a session.
        """
        error = GatewayError(login_codes.TRANSACTION_GONE, step.detail)
        cookie = presented_seat(request.cookie_line)
        if cookie is None or await self._services.sessions.load(request.host, cookie) is None:
            raise error
        self._services.report.refused(request, error)
        return self._services.pages.signed_in(request.reader, home(request), again=True)

    async def _session(self, request: PortalRequest, authentication: Authentication, person: Established) -> NewSession:
        """Makes a session under a new id; the browser's old session is not continued (no fixation)."""
        provider, app = authentication.provider, request.app
        absolute = provider.session_absolute
        if authentication.ends_at is not None:
            absolute = max(1, min(absolute, authentication.ends_at - int(self._services.now())))
        return await self._services.sessions.new_session(
            host=request.host,
            person=person,
            browser=authentication.browser,
            idle=provider.session_idle,
            absolute=absolute,
            id_token=authentication.id_token,
            sid=authentication.sid,
            replaces=presented_seat(request.cookie_line),
            # Where one host serves portal and app, the portal's seat is the app's.
            limits=app.seat_limits if app else SeatLimits(),
            app=app.name if app else "",
            name_id=authentication.name_id,
            tokens=authentication.tokens,
            issued_at=authentication.issued_at,
        )


def _require_answers(identity: Identity, authentication: Authentication) -> None:
    pending = authentication.pending
    missing = None if pending is None else missing_from(identity, pending.app.directories)
    if missing is not None:
        raise GatewayError(directory_codes.AWAY, f"directory {missing.name} could not answer about this person")


def renewed(
    session: Session,
    provider: Provider,
    identity: Identity | None,
    tokens: Tokens,
    id_token: str | None,
    named: tuple[str, ...] = (),
) -> Session:
    """The session with newer tokens.

    `identity`: the provider's present statement about the person; None: the provider was not asked.
    `named`: the organisations for which directories let the person act.
    Raises GatewayError as `establish` does, and oidc_codes.REFRESH_SUBJECT for another tenant.
    """
    after = replace(session, tokens=tokens, id_token=id_token or session.id_token)
    if identity is None:
        return after
    person = establish(provider, identity, chosen=session.tenant, named=named)
    if person.tenant != session.tenant:
        raise GatewayError(oidc_codes.REFRESH_SUBJECT, "the person acts for another organisation now")
    return replace(after, identity=person.identity)


def next_due_at(snapshot: Snapshot, session: Session, orders: LookUpOrders) -> float:
    """When the next thing is to be asked about a session, of its provider or a directory: Unix seconds."""
    return min(next_look_up_at(snapshot, session, orders), next_refresh_at(snapshot, session))


def next_refresh_at(snapshot: Snapshot, session: Session) -> float:
    """When to ask the session's provider again: Unix seconds; infinite: never."""
    tokens = session.tokens
    provider = None if tokens is None else openid_provider_of(snapshot, session)
    return float("inf") if tokens is None or provider is None or not provider.refresh else tokens.refresh_at


def next_look_up_at(snapshot: Snapshot, session: Session, orders: LookUpOrders) -> float:
    """Returns when a directory is next asked about the person: Unix seconds; infinite: never."""
    directories = snapshot.directories
    if not directories:
        return float("inf")
    share, since = crc32(session.id.encode()) / 0xFFFFFFFF, orders.since(session.id)
    return due_at(session.identity, directories.values(), share, since)


def program_seat(
    provider: Provider, identity: Identity, host: str, *, deadline: float, end: float, tenant_optional: bool
) -> Seat:
    """Makes a seat without a cookie, which no store knows, and without an idle limit, so that requests never touch it.

    `deadline`: when the token is verified again; `end`: when streams end (both monotonic seconds). Raises as
    `establish` does: the provider's perimeter bounds programs too.
    """
    person = establish(provider, identity, tenant_optional=tenant_optional)
    return Seat(b"", host, "", person.identity, person.tenant, 0.0, deadline, end, deadline)


async def give_seat(request: PortalRequest, made: NewSession, services: PortalServices) -> None:
    """Gives the browser the cookie of the stored session, and remembers its provider as the browser's first choice.
    Only a successful sign-in may do so: a link of any site can begin a sign-in with any provider. Raises
    GatewayError if no browser may have the session."""
    if request.snapshot.gateway.scim.clients:
        await services.active_people.confirm(made)
    # Read side by side: no sign-in waits longer for the second answer.
    await asyncio.gather(end_others(request, made, services), _require_no_end_at_provider(made, services))
    most = request.snapshot.gateway.limits.sessions_per_person
    if most is not None:
        await keep_within_limit(request, made, most, services)
    request.cookies_to_set.append(set_seat(made.cookie))
    if request.snapshot.organisations or len(request.snapshot.providers) > 1:
        request.cookies_to_set.append(remember_provider(made.session.identity.provider))
    services.report.signed_in(request, made.session)


async def _require_no_end_at_provider(made: NewSession, services: PortalServices) -> None:
    """Ends the session if its provider has signed the person out since the ID token or assertion was issued: a logout
    token that came before the session was written has found no session to end (invariant 12). Raises GatewayError."""
    session, ends = made.session, services.transactions.sign_in_ends
    proven = ProvenPerson(session.identity, session.created_at, made.issued_at, browser=None, sid=session.sid)
    try:
        await proven.require_no_later_end_at_provider(ends)
    except GatewayError:
        await services.revoker.revoked(await services.sessions.end((session.id,)))
        raise


def home(request: PortalRequest) -> str:
    return "/" if request.app is not None else portal_home(request)
