"""From the plan: OpenID providers."""

from base64 import b64decode

from gateway.config.compile.build_saml import build_certificate, build_levels, build_perimeter
from gateway.config.compile.plan import ClientKeyPlan, EncryptionPlan, ProviderPlan, RequestPlan
from gateway.model.provider import (
    ApiAccess,
    AttributeSource,
    AuthorizationParameters,
    ClientKey,
    Encryption,
    OidcProvider,
    ProviderLogout,
)


def _api(plan: ProviderPlan) -> ApiAccess | None:
    api = plan["api"]
    if api is None:
        return None
    # A MAC under the client secret is for the client alone: anybody else's token is signed.
    algorithms = frozenset(name for name in plan["algorithms"] if not name.startswith("HS"))
    return ApiAccess(
        audience=frozenset(api["audience"]),
        scopes=frozenset(api["scopes"]),
        algorithms=algorithms,
        introspection=api["introspection"],
        clients=frozenset(api["clients"]),
        introspection_algorithms=frozenset(api["introspection_algorithms"]),
        prefix=api["prefix"],
        without_tenant=api["without_tenant"],
    )


def build_oidc_provider(plan: ProviderPlan) -> OidcProvider:
    return OidcProvider(
        name=plan["name"],
        label=plan["label"],
        labels=plan["labels"],
        issuer=plan["issuer"],
        client_id=plan["client_id"],
        client_secret=plan["client_secret"],
        client_authentication=plan["client_authentication"],
        scopes=tuple(plan["scopes"]),
        algorithms=frozenset(plan["algorithms"]),
        userinfo=plan["userinfo"],
        keys_max_age=plan["keys_max_age"],
        ca=None if plan["ca"] is None else b64decode(plan["ca"]),
        private_addresses=plan["private_addresses"],
        development=plan["development"],
        attributes={name: AttributeSource(tuple(claim)) for name, claim in plan["attributes"].items()},
        tenant_attribute=plan["tenant"],
        perimeter=build_perimeter(plan),
        session_idle=plan["session_idle"],
        session_absolute=plan["session_absolute"],
        skew=plan["skew"],
        client_keys=_keys(plan["client_keys"]),
        client_certificate=build_certificate(plan["client_certificate"]),
        assertion_audience=plan["assertion_audience"],
        userinfo_algorithms=frozenset(plan["userinfo_algorithms"]),
        userinfo_token=plan["userinfo_token"],
        request=_request(plan["request"]),
        encryption=_encryption(plan["encryption"]),
        levels=build_levels(plan["levels"]),
        refresh=plan["refresh"],
        refresh_userinfo=plan["refresh_userinfo"],
        refresh_ends_on=frozenset(plan["refresh_ends_on"]),
        api=_api(plan),
        logout=ProviderLogout(
            plan["logout_method"], plan["front_channel_logout"], plan["logout_client_id"], plan["logout_revoke"]
        ),
    )


def _keys(plan: list[ClientKeyPlan]) -> tuple[ClientKey, ...]:
    return tuple(ClientKey(key["id"], key["algorithm"], b64decode(key["pem"]), key["x5t"]) for key in plan)


def _encryption(plan: EncryptionPlan | None) -> Encryption | None:
    if plan is None:
        return None
    return Encryption(
        _keys(plan["keys"]), frozenset(plan["content"]), plan["id_token"], plan["userinfo"], plan["introspection"]
    )


def _request(plan: RequestPlan) -> AuthorizationParameters:
    return AuthorizationParameters(
        response_mode=plan["response_mode"],
        acr_values=tuple(plan["acr_values"]),
        prompt=tuple(plan["prompt"]),
        max_age=plan["max_age"],
        claims=plan["claims"],
        essential_acr=frozenset(plan["essential_acr"]),
        parameters=plan["parameters"],
        passed_on=frozenset(plan["passed_on"]),
        pushed=plan["pushed"],
        signed=plan["signed"],
    )
