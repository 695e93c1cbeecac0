"""Our metadata for SAML providers: `/_ecluse/saml/metadata`."""

from gateway.config.snapshot import Snapshot
from gateway.model.codes import route_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.flow.source import saml_providers
from gateway.portal.http.request import SECRET_BYTES, PortalRequest
from gateway.portal.http.responses import BARE
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.services import PortalServices
from gateway.saml.own_messages import message_id
from gateway.saml.sp_metadata import requested_attributes, sp_metadata

# Metadata 2.4.1: what a reader may keep, and for how long it may be believed at most.
_CACHED_SECONDS = 6 * 3600
_VALID_SECONDS = 14 * 86400
# Seconds. Signs rarely, not at each request of a stranger.
_KEPT_SECONDS = 600


class OwnMetadata:
    def __init__(self, services: PortalServices, crypto_thread: CryptoThread) -> None:
        self._services = services
        self._crypto_thread = crypto_thread
        self._made: tuple[str, float, Page] | None = None

    async def metadata(self, request: PortalRequest) -> Page:
        snapshot, now = request.snapshot, self._services.now()
        if snapshot.gateway.service_provider is None:
            raise GatewayError(route_codes.RESERVED, "gateway.yaml has no keys for SAML")
        if self._made is None or self._made[0] != snapshot.revision or not 0 <= now - self._made[1] < _KEPT_SECONDS:
            document = await self._crypto_thread.do(lambda: self._signed(snapshot, now))
            headers = (*BARE, (b"Content-Type", b"application/samlmetadata+xml"))
            self._made = (snapshot.revision, now, Page(200, headers, document))
        return self._made[2]

    def _signed(self, snapshot: Snapshot, now: float) -> bytes:
        sp = snapshot.gateway.service_provider
        assert sp is not None
        providers = list(saml_providers(snapshot.providers.values()))
        return sp_metadata(
            sp,
            id=message_id(self._services.token_urlsafe(SECRET_BYTES)),
            service_name=snapshot.gateway.portal_host,
            requested=requested_attributes(sp, providers),
            valid_until=now + _VALID_SECONDS,
            cache_duration=_CACHED_SECONDS,
        )
