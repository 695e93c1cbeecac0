"""A form or an upload sent after the end of its session: the page for its person, and the click that sends it.

All paths are on the application's own host. `/_ecluse/kept?post=` shows a post. The button of the page posts to
`/_ecluse/kept/ID`, followed by the post's own address, so that relative links in the application's response still work
(`lead_back`).
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from urllib.parse import quote

from gateway.config.snapshot import App, Snapshot
from gateway.identity.naming import name_of
from gateway.model.codes import kept_post_codes, route_codes, store_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeptFile, KeptPost, SendOn
from gateway.model.ports import Page
from gateway.model.session import Seat
from gateway.portal.flow.steps import BeginTransaction, NextStep
from gateway.portal.http.choices import NamedOrganisation
from gateway.portal.http.request import KEPT, PREFIX, PortalRequest, WayBack, app_here, return_target
from gateway.portal.http.responses import redirect
from gateway.portal.organisation_names import organisation_line
from gateway.portal.services import PortalServices
from gateway.stores.posts.kept_posts import KeptPosts
from gateway.wire.cookies import presented_seat
from gateway.wire.navigation import is_same_origin

# Seconds between one try to write to the store and the next.
_TOLD_AGAIN = (0.0, 1.0, 5.0, 30.0)


def keeps_posts(snapshot: Snapshot) -> bool:
    """Whether an application keeps posts."""
    return any(app.keep_posts is not None for app in snapshot.apps.values())


class KeptPostPages:
    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._tasks: set[asyncio.Task[None]] = set()

    async def keep(self, request: PortalRequest) -> NextStep:
        """Shows the browser the page of the kept post, after its body is in a file."""
        posts, file = self._posts(), request.inbound.kept
        if file is None:
            raise GatewayError(kept_post_codes.NOT_KEPT, "no body was kept")
        try:
            return await self._keep(request, posts, file)
        except BaseException:
            # Without a page, the file is unreachable and only takes space.
            self._later(posts.remove(file))
            raise

    async def _keep(self, request: PortalRequest, posts: KeptPosts, file: KeptFile) -> NextStep:
        app, now = app_here(request), int(self._services.now())
        if app.keep_posts is None:
            raise GatewayError(kept_post_codes.NOT_KEPT, "the application's file no longer has keep_posts")
        post = KeptPost(
            app=app.name,
            host=request.host,
            target=request.target,
            content_type=request.header(b"content-type") or "",
            binding=request.binding_made(self._services.token_urlsafe),
            kept_at=now,
            expires_at=now + app.keep_posts.lasts,
            file=file,
        )
        id = await posts.keep(post)
        self._services.report.post_kept(request, file)
        return self._services.pages.post_kept(
            request.reader, until=post.expires_at, login_url=_sign_in(app, request.host, id)
        )

    async def show(self, request: PortalRequest) -> NextStep:
        """Answers `/_ecluse/kept?post=`: shows the person the form, its destination and the button."""
        app, id = _keeping(request), request.parameter("post")
        post = await self._found(request, app, id)
        seat = await self._signed_in(request, app)
        if seat is None:
            request.require_navigation()
            return BeginTransaction(app, _page(id))
        return await self._refused(request, post, seat) or self._services.pages.send_post(
            request.reader,
            action=f"{KEPT}/{id}{post.target}",
            post=post,
            person=name_of(seat.identity),
            organisation=await self._organisation(request, seat),
        )

    async def send(self, request: PortalRequest) -> NextStep:
        """Answers the button. Checks the request before taking the post; a taken post is sent once."""
        app, id = _keeping(request), _id_in(request)
        if request.body:
            # The browser shows the application's page at this address, and the page's own form goes to the same
            # address.
            return self.to_application(request, app, 307)
        origin, site = (
            None if one is None else one.encode("latin-1")
            for one in map(request.header, (b"origin", b"sec-fetch-site"))
        )
        if not is_same_origin(origin, site, app.origin(request.host).encode("ascii")):
            raise GatewayError(kept_post_codes.CROSS_SITE, "sent by a page that is not ours")
        post = await self._found(request, app, id)
        seat = await self._signed_in(request, app)
        if seat is None:
            return BeginTransaction(app, _page(id))
        if (refused := await self._refused(request, post, seat)) is not None:
            return refused
        posts = self._posts()
        body = await posts.open(post)
        try:
            taken = await posts.take(id)
        except BaseException:
            body.close()
            raise
        if not taken:
            body.close()
            raise GatewayError(kept_post_codes.GONE, "it was sent on by another click at the same moment")

        def give_back() -> None:
            self._later(self._give_back(request, id, post))

        def done() -> None:
            self._services.report.post_sent(request, post.file)
            self._later(posts.remove(post.file))

        return SendOn(post.target, post.content_type, _sign_in(app, request.host, id), body, give_back, done)

    async def lead_back(self, request: PortalRequest) -> NextStep:
        """Answers a relative link of the application's response to a kept post."""
        return self.to_application(request, _keeping(request), 303)

    def to_application(self, request: PortalRequest, app: App, status: int) -> Page:
        _, _, behind = request.target.removeprefix(f"{KEPT}/").partition("/")
        page = redirect(app.origin(request.host) + return_target(app, f"/{behind}"))
        return replace(page, status=status)

    # --- steps

    def _posts(self) -> KeptPosts:
        if self._services.posts is None:
            raise GatewayError(route_codes.RESERVED, "no post is kept here")
        return self._services.posts

    async def _found(self, request: PortalRequest, app: App, id: str) -> KeptPost:
        request.way_back = WayBack(app, request.host, "/")
        post = await self._posts().find(id, request.host)
        request.way_back = WayBack(app, request.host, _page(id), again=True)
        if post.app != app.name or not request.holds(post.binding):
            raise GatewayError(kept_post_codes.GONE, "it was kept for another browser")
        return post

    async def _refused(self, request: PortalRequest, post: KeptPost, seat: Seat) -> Page | None:
        """Returns None if the person may send the form. Otherwise returns a page that names the person and the
        organisation of this session, and offers to sign out."""
        if not self._posts().is_of(post, seat.identity):
            error = GatewayError(kept_post_codes.OTHER_PERSON, "the session that had ended was another person's")
        elif not self._posts().is_for(post, seat.tenant):
            acting = f"for {seat.tenant}" if seat.tenant else "for no organisation"
            error = GatewayError(kept_post_codes.OTHER_ORGANISATION, f"its person is now signed in {acting}")
        else:
            return None
        self._services.report.refused(request, error)
        return self._services.pages.not_to_send(
            request.reader,
            error.code,
            person=name_of(seat.identity),
            organisation=await self._organisation(request, seat),
            reference=request.request_id,
        )

    async def _organisation(self, request: PortalRequest, seat: Seat) -> NamedOrganisation | None:
        """Returns the organisation for which the person acts."""
        return None if seat.tenant is None else await organisation_line(self._services, request, seat.tenant)

    async def _signed_in(self, request: PortalRequest, app: App) -> Seat | None:
        cookie = presented_seat(request.cookie_line)
        seat = await self._services.sessions.load(request.host, cookie) if cookie else None
        return seat if seat is not None and seat.live and app.accepts(seat.identity) else None

    async def _give_back(self, request: PortalRequest, id: str, post: KeptPost) -> None:
        """Gives the post back to the store, repeatedly until the store takes it. Until then the post cannot be sent."""
        for wait in _TOLD_AGAIN:
            await asyncio.sleep(wait)
            try:
                await self._posts().give_back(id, post)
            except GatewayError:
                continue
            self._services.report.post_returned(request, post.file)
            return
        self._services.report.refused(
            request, GatewayError(store_codes.UNREACHABLE, "a kept post could not be given back")
        )

    async def close(self) -> None:
        """Waits, for a while, until posts are given back."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_TOLD_AGAIN[1])

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _keeping(request: PortalRequest) -> App:
    """Returns the application of this host that keeps posts. Applications that divide a host have at most one."""
    return next((app for app in request.apps_here if app.keep_posts is not None), None) or app_here(request)


def _id_in(request: PortalRequest) -> str:
    return request.path.removeprefix(f"{KEPT}/").partition("/")[0]


def _page(id: str) -> str:
    return f"{KEPT}?post={quote(id, safe='')}"


def _sign_in(app: App, host: str, id: str) -> str:
    return f"{app.origin(host)}{PREFIX}login?to={quote(_page(id), safe='/')}"
