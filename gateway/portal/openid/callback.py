"""On the portal host: the provider's answer. Validated in full, then a new session, then back to the transaction."""

from collections.abc import Callable
from urllib.parse import quote

from gateway.identity.mapping import map_claims
from gateway.model.codes import (
    LOGIN_OTHER_BROWSER,
    LOGIN_OTHER_PROVIDER,
    OIDC_RESPONSE_PARAMETER,
)
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import Parameters, response_state
from gateway.oidc.jarm import unverified_parameters
from gateway.portal.flow.establish import Authentication, SignIns
from gateway.portal.flow.pending import answered
from gateway.portal.flow.steps import NextStep
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.openid.login import provider_of
from gateway.portal.openid.renewal import first_tokens
from gateway.portal.ports import Federation
from gateway.stores.transactions import Transactions

_PARKED = "parked"
# No id that a store gives, and none that it looks for.
_NOT_KEPT = ""


class Callback:
    def __init__(
        self,
        *,
        transactions: Transactions,
        federation: Federation,
        sign_ins: SignIns,
        now: Callable[[], float],
    ) -> None:
        self._transactions = transactions
        self._federation = federation
        self._sign_ins = sign_ins
        self._now = now

    async def callback(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/callback/NAME`. The sign-in is taken by its `state` first: whoever fails has used it up."""
        parameters = await self._parameters(request)
        login = None
        if parameters is not None:
            login = await self._transactions.take_login(response_state(unverified_parameters(parameters)))
        if parameters is None or login is None:
            return await self._sign_ins.seen_again(request, "a callback whose state is unknown, used, or too old")
        provider = self._asked(request, login)
        _require_form(request, provider)
        # What the sign-in is for, before anything is asked of the provider.
        found = answered(request, login.serves, provider.name)
        code = await self._federation.authorization_code(provider, login, parameters, self._now())
        token, claims = await self._federation.sign_in(provider, code, login, self._now())
        identity = map_claims(provider, claims, token.acr, token.amr, token.auth_time, int(self._now()))
        return await self._sign_ins.complete(
            request,
            Authentication(
                provider=provider,
                identity=identity,
                pending=found,
                browser=request.binding() or login.binding,
                id_token=token.raw,
                sid=token.sid,
                tokens=first_tokens(token.grant, self._now()),
            ),
        )

    async def park(self, request: PortalRequest) -> Page:
        """The provider's page posts the response (`form_post`): a POST from another site brings no cookie of ours. It
        is kept for a minute, once, and the GET that follows brings the cookie; nothing is asked of anybody before. The
        sign-in itself is not taken yet: whoever posts here may be anybody."""
        provider = provider_of(request.snapshot, request.path.removeprefix(f"{PREFIX}callback/"))
        if not (provider.request.response_mode or "").startswith("form_post"):
            raise GatewayError(OIDC_RESPONSE_PARAMETER, "a response by POST, which was not asked for")
        parameters = list(request.form().items())
        state = response_state(unverified_parameters(parameters))
        # Invariant 15: nothing is kept of a response to nothing. The GET then says whether somebody is signed in.
        known = await self._transactions.knows_login(state)
        id = await self._transactions.park(parameters, state) if known else _NOT_KEPT
        return redirect(f"{request.snapshot.gateway.portal_url}{request.path}?{_PARKED}={quote(id, safe='')}")

    async def _parameters(self, request: PortalRequest) -> Parameters | None:
        """None: parked, and taken since or too old."""
        parameters = request.parameters()
        if parameters.keys() != {_PARKED}:
            return parameters.items()
        return await self._transactions.take_parked(parameters[_PARKED])

    def _asked(self, request: PortalRequest, login: OidcLogin) -> OidcProvider:
        """Invariant 7: path and transaction name one provider, else the code goes nowhere."""
        name = request.path.removeprefix(f"{PREFIX}callback/")
        request.provider = login.provider
        if name != login.provider:
            raise GatewayError(LOGIN_OTHER_PROVIDER, f"asked {login.provider}, answered at another's callback")
        if not request.holds(login.binding):
            raise GatewayError(LOGIN_OTHER_BROWSER, "the sign-in was begun in another browser")
        return provider_of(request.snapshot, name)


def _require_form(request: PortalRequest, provider: OidcProvider) -> None:
    """What was asked for by a form is not taken from an address, where histories and logs keep it; but an error is."""
    by_form = (provider.request.response_mode or "").startswith("form_post")
    if by_form and {"code", "response"} & request.parameters().keys():
        raise GatewayError(OIDC_RESPONSE_PARAMETER, "a response in the address, and a form was asked for")
