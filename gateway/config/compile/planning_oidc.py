"""Validated models to the plan, for what is OpenID Connect's."""

import json
from base64 import b64encode
from collections.abc import Sequence

from gateway.config.check.pem import thumbprint
from gateway.config.compile.plan import ApiAccessPlan, ClientKeyPlan, EncryptionPlan, ProviderPlan, RequestPlan
from gateway.config.compile.planning_saml import Material, plan_client_certificate, plan_levels
from gateway.config.problems import Path
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.oidc import (
    Api,
    ClaimDemand,
    ClaimsRequest,
    ClientKey,
    DecryptionKey,
    Encryption,
    Request,
)
from gateway.config.schema.provider import ProviderFile


def encoded(material: Material, file: str, path: Path) -> str | None:
    content = material.get((file, path))
    return None if content is None else b64encode(content).decode("ascii")


def _api(api: Api) -> ApiAccessPlan:
    return {
        "audience": api.audience,
        "clients": api.clients,
        "scopes": api.scopes,
        "introspection": api.introspection,
        "introspection_algorithms": sorted(set(api.introspection_algorithms)),
        "prefix": api.prefix or "",
        "without_tenant": api.without_tenant,
    }


def plan_oidc_provider(file: str, model: ProviderFile, gateway: GatewayFile, material: Material) -> ProviderPlan:
    oidc, asserts = model.oidc, model.asserts
    labels = model.label or {"": model.provider}
    secret = material.get((file, ("oidc", "client_secret")))
    return {
        "name": model.provider,
        "label": next(iter(labels.values())),
        "labels": {language: text for language, text in labels.items() if language},
        "issuer": oidc.issuer,
        "client_id": oidc.client_id,
        "client_secret": None if secret is None else secret.decode(),
        "client_authentication": oidc.client_authentication,
        "client_keys": _keys(file, ("oidc", "client_keys"), oidc.client_keys, material),
        "client_certificate": plan_client_certificate(file, ("oidc", "client_certificate"), material),
        "assertion_audience": oidc.assertion_audience,
        "userinfo_algorithms": sorted(set(oidc.userinfo_algorithms)),
        "userinfo_token": oidc.userinfo_token,
        "request": _request(oidc.request),
        "encryption": _encryption(file, oidc.encryption, material),
        "levels": plan_levels(model),
        "logout_method": model.logout.method,
        "refresh": oidc.refresh,
        "refresh_userinfo": oidc.refresh_userinfo,
        "refresh_ends_on": sorted(set(oidc.refresh_ends_on)),
        "api": None if oidc.api is None else _api(oidc.api),
        "front_channel_logout": model.logout.front_channel,
        "logout_client_id": model.logout.client_id,
        "logout_revoke": model.logout.revoke,
        "scopes": list(oidc.scopes),
        "algorithms": sorted(set(oidc.algorithms)),
        "userinfo": oidc.userinfo,
        "keys_max_age": oidc.keys_max_age,
        "ca": encoded(material, file, ("oidc", "ca")),
        "private_addresses": oidc.private_addresses,
        "development": gateway.development,
        "attributes": {name: list(claim) for name, claim in sorted(model.attributes.items())},
        "tenant": model.tenant,
        "siret": asserts.siret,
        "email_domains": asserts.email_domains,
        "asserted_scopes": asserts.scopes,
        "listed": asserts.attributes,
        "session_idle": model.session.idle,
        "session_absolute": model.session.absolute,
        "skew": model.skew,
    }


def _keys(file: str, path: Path, keys: Sequence[ClientKey | DecryptionKey], material: Material) -> list[ClientKeyPlan]:
    return [
        {
            "id": key.id,
            "algorithm": key.algorithm,
            "pem": encoded(material, file, (*path, index, "key")) or "",
            "x5t": _thumbprint(material.get((file, (*path, index, "certificate")))),
        }
        for index, key in enumerate(keys)
    ]


def _thumbprint(certificate: bytes | None) -> str | None:
    return None if certificate is None else thumbprint(certificate)


def _encryption(file: str, encryption: Encryption | None, material: Material) -> EncryptionPlan | None:
    if encryption is None:
        return None
    return {
        "keys": _keys(file, ("oidc", "encryption", "keys"), encryption.keys, material),
        "content": sorted(set(encryption.content)),
        "id_token": encryption.id_token,
        "userinfo": encryption.userinfo,
        "introspection": encryption.introspection,
    }


def _request(request: Request) -> RequestPlan:
    claims = request.claims
    acr = claims.id_token.get("acr") if claims else None
    return {
        "response_mode": request.response_mode,
        "acr_values": list(request.acr_values),
        "prompt": list(dict.fromkeys(request.prompt)),
        "max_age": request.max_age,
        "claims": None if claims is None else _claims(claims),
        "essential_acr": _demanded(acr) if acr and acr.essential else [],
        "parameters": dict(sorted(request.parameters.items())),
        "passed_on": sorted(set(request.pass_on)),
        "pushed": request.pushed,
        "signed": request.signed,
    }


def _demanded(demand: ClaimDemand) -> list[str]:
    return sorted({*(demand.values or ()), *((demand.value,) if demand.value else ())})


def _claims(claims: ClaimsRequest) -> str:
    """OIDC Core 5.5: a claim of which nothing is demanded is null."""
    asked = claims.model_dump(exclude_defaults=True)
    spoken = {place: {name: demand or None for name, demand in of.items()} for place, of in asked.items()}
    return json.dumps(spoken, separators=(",", ":"))
