"""Responses of an application whose session the gateway keeps for a person: the session's cookies stay in the gateway,
and
a page that shows the end of the session leads to a new sign-in.
"""

from collections.abc import Callable
from typing import Final

from gateway.formlogin.addresses import ApplicationOrigins
from gateway.formlogin.marks import SEARCHED, marker_bytes, meets_head
from gateway.formlogin.spec import FormLogin, ResponseMark
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Exchange, Requester, ServerConnection
from gateway.proxy.filters.between import Between
from gateway.proxy.filters.codings import coding_of
from gateway.proxy.http1.bodies import LAST_CHUNK, chunk
from gateway.proxy.http1.response_head import ResponseHead
from gateway.wire.framing import NO_BODY

_PAGES: Final = (b"text/html", b"application/xhtml+xml")
_SETS: Final = b"set-cookie"


class ApplicationSessionWatch(Between):
    """Holds the page back until the searched part has arrived, where the page may contain a marker of an ended session.

    `_response`: the head of the held page.
    `_held`: the held bytes of the body.
    `_markers`: the texts to find.
    `_searched`: this body arrives without framing.
    `_is_over`: the application's session has ended.
    """

    __slots__ = (
        "_changed", "_ended", "_form", "_handed", "_held", "_is_over", "_is_page", "_is_sent", "_markers", "_names",
        "_origins", "_over", "_response", "_searched", "_target",
    )  # fmt: skip

    def __init__(
        self,
        client: Requester,
        upstream: Exchange,
        form: FormLogin,
        origins: ApplicationOrigins,
        target: str,
        *,
        is_page: bool,
        is_sent: bool,
        handed: bytes,
        changed: Callable[[tuple[bytes, ...]], None],
        over: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        """`target`: the requested target.
        `is_page`: the request is a navigation that may be repeated.
        `is_sent`: the request is a navigation that may not be repeated.
        `handed`: header lines that give the browser the session cookies it lacks.
        `changed`: called with the session cookies that the application sets.
        `over`: called when the session has ended and the response is sent on.
        `ended`: called instead of sending the response.
        """
        super().__init__(client, upstream)
        self._form = form
        self._names = frozenset(name.encode("ascii") for name in form.cookies)
        self._origins = origins
        self._target = target
        self._is_page = is_page
        self._is_sent = is_sent
        self._handed = handed
        self._changed = changed
        self._over = over
        self._ended = ended
        self._response: ResponseHead | None = None
        self._markers: list[bytes] = []
        self._held = b""
        self._searched = self._is_over = False

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        if self._is_page or self._is_sent or self._handed or _SETS in data[:end].lower():
            return False
        return self.client.take_usual(response, data, end)

    def response_head(self, response: ResponseHead) -> bytes:
        """b"" where the page waits. Raises GatewayError where the session has ended: `upstream_failed` follows."""
        marks = self._marks(response) if self._is_page or self._is_sent else []
        says_over = any(not mark.marker for mark in marks)
        if self._is_sent and says_over:
            # It is not sent a second time. The person is signed in before the next request of theirs.
            self._over()
            response.take_cookies(self._names, goes_on=self._form.keep == "browser")
            return self.client.response_head(response)
        if not self._take_cookies(response):
            response.ours = self._handed
        if not self._is_page:
            return self.client.response_head(response)
        if says_over:
            self._end()
        if not marks or response.framing == NO_BODY or not _is_html(response):
            return self.client.response_head(response)
        self._markers = [marker_bytes(mark, self._form.charset) for mark in marks]
        self._searched, self._response = True, response
        return b""

    def interim_response(self, response: ResponseHead) -> None:
        self._take_cookies(response)
        self.client.interim_response(response)

    def switch(self, response: ResponseHead, connection: ServerConnection, rest: bytes) -> None:
        """The response that opens a tunnel may set session cookies too. The tunnel's content is no page."""
        self._take_cookies(response)
        self.client.switch(response, connection, rest)

    def take(self, data: bytes) -> None:
        if self._response is None:
            if data:
                self.client.transport.write(self._framed(data) if self._searched else data)
            return
        self._held += data
        searched = self._held[:SEARCHED]
        if any(marker in searched for marker in self._markers):
            self._end()
        if len(self._held) >= SEARCHED:
            self._release()

    def answered(self) -> None:
        if self._response is not None:
            self._release()
        if self._searched and self.client.chunked_out:
            self.client.transport.write(LAST_CHUNK)
        self.client.answered()

    @property
    def chunked_out(self) -> bool:
        return not self._searched and self.client.chunked_out

    def upstream_failed(self, error: GatewayError) -> None:
        self.forget()
        if self._is_over:
            self._ended()
        else:
            self.client.upstream_failed(error)

    def forget(self) -> None:
        self._response, self._held = None, b""

    def _marks(self, response: ResponseHead) -> list[ResponseMark]:
        """The marks of an ended session whose head part matches; the body part is checked later."""
        location = response.find(b"location")
        target = None
        if location is not None:
            target = self._origins.target(location.decode("latin-1"), self._origins.public + self._target)
        return [mark for mark in self._form.expired if meets_head(mark, response.status, target)]

    def _take_cookies(self, response: ResponseHead) -> bool:
        """Whether the response sets any of the session's."""
        set_cookies = response.take_cookies(self._names, goes_on=self._form.keep == "browser")
        if set_cookies:
            self._changed(set_cookies)
        return bool(set_cookies)

    def _release(self) -> None:
        response, held = self._response, self._held
        assert response is not None
        self.forget()
        head = self.client.response_head(response)
        self.client.transport.write(head + (self._framed(held) if held else b""))

    def _framed(self, data: bytes) -> bytes:
        return chunk((data,)) if self.client.chunked_out else data

    def _end(self) -> None:
        """The connection goes with the rest of the response."""
        self._is_over = True
        raise GatewayError(form_login_codes.LOOP, "the application says that the person's session has ended")


def _is_html(response: ResponseHead) -> bool:
    kind = (response.find(b"content-type") or b"").partition(b";")[0].strip(b" \t").lower()
    return kind in _PAGES and not coding_of(response.find(b"content-encoding", whole=True))
