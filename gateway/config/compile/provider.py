"""Compiles provider files: the values of their models, and derived values."""

import json
from collections.abc import Sequence
from typing import Literal, cast

from gateway.config.check.pem import public_key_der, thumbprint
from gateway.config.compile.frozen import Material, frozen
from gateway.config.keyring import read_keyring
from gateway.config.problems import Path
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.oidc import (
    ClaimDemandSection,
    ClaimsRequestSection,
    ClientKeySection,
    DecryptionKeySection,
    EncryptionSection,
    OidcSection,
    RequestSection,
)
from gateway.config.schema.provider import AssertsSection, ProviderBase, ProviderFile, SamlProviderFile
from gateway.config.schema.scalars import Reference
from gateway.model.levels import ProviderLevels
from gateway.model.provider import (
    ApiAccess,
    AttributeSource,
    AuthorizationParameters,
    ClientCertificate,
    ClientKey,
    Encryption,
    MetadataFile,
    MetadataUrl,
    OidcProvider,
    Perimeter,
    SamlProvider,
    SigningAlgorithm,
)


def plan_oidc_provider(file: str, model: ProviderFile, gateway: GatewayFile, material: Material) -> OidcProvider:
    oidc, api = model.oidc, model.oidc.api
    secret = material.get((file, ("oidc", "client_secret")))
    return frozen(
        OidcProvider,
        model,
        oidc,
        **_of_either(file, "oidc", model, gateway, material),
        client_secret=None if secret is None else secret.decode(),
        client_keys=_client_keys(file, oidc, material),
        attributes={name: AttributeSource(tuple(claim)) for name, claim in sorted(model.attributes.items())},
        encryption=None if oidc.encryption is None else _encryption(file, oidc.encryption, material),
        request=_request(oidc.request),
        api=None if api is None else frozen(ApiAccess, api, oidc, prefix=api.prefix or ""),
    )


def plan_saml_provider(file: str, model: SamlProviderFile, gateway: GatewayFile, material: Material) -> SamlProvider:
    saml = model.saml
    return frozen(
        SamlProvider,
        model,
        saml,
        **_of_either(file, "saml", model, gateway, material),
        issuer=saml.entity_id,
        metadata=_metadata(file, model, material),
        cbc=saml.aes_cbc_inside_a_signed_response,
        cbc_in_unsigned_response=saml.aes_cbc_although_the_response_is_not_signed,
        digit_ids=saml.ids_begin_with_a_digit,
        attributes=dict(sorted(model.sources().items())),
    )


def _of_either(
    file: str, section: str, model: ProviderBase, gateway: GatewayFile, material: Material
) -> dict[str, object]:
    """The fields that OidcProvider and SamlProvider have in common. `section`: the key of its protocol."""
    labels = model.label or {"": model.provider}
    return {
        "name": model.provider,
        "label": next(iter(labels.values())),
        "labels": {language: text for language, text in labels.items() if language},
        "tenant_attribute": model.tenant,
        "chooses_tenant": model.tenants == "choose",
        "perimeter": _perimeter(model.asserts),
        "session_idle": model.session.idle,
        "session_absolute": model.session.absolute,
        "levels": frozen(ProviderLevels, model, model.levels),
        "ca": material.get((file, (section, "ca"))),
        "client_certificate": _certificate(file, (section, "client_certificate"), material),
        "development": gateway.development,
    }


def _perimeter(asserts: AssertsSection) -> Perimeter:
    listed = asserts.attributes or {}
    attributes = {name: frozenset(values) for name, values in listed.items()}
    return frozen(Perimeter, asserts, attributes=attributes or None)


def _certificate(file: str, path: Path, material: Material) -> ClientCertificate | None:
    certificate, key = material.get((file, (*path, "certificate"))), material.get((file, (*path, "key")))
    return None if certificate is None or key is None else ClientCertificate(certificate, key)


def _client_keys(file: str, oidc: OidcSection, material: Material) -> tuple[ClientKey, ...]:
    if (ring := material.get((file, ("oidc", "client_keyring")))) is None:
        return _keys(file, ("oidc", "client_keys"), oidc.client_keys, material)
    return tuple(
        ClientKey(key.id, cast(SigningAlgorithm, key.parts["algorithm"]), key.parts["key"].encode())
        for key in read_keyring(ring).keys
    )


def _keys(
    file: str, path: Path, keys: Sequence[ClientKeySection | DecryptionKeySection], material: Material
) -> tuple[ClientKey, ...]:
    return tuple(
        frozen(
            ClientKey,
            key,
            pem=material[file, (*path, index, "key")],
            x5t=_thumbprint(material.get((file, (*path, index, "certificate")))),
        )
        for index, key in enumerate(keys)
    )


def _thumbprint(certificate: bytes | None) -> str | None:
    return None if certificate is None else thumbprint(certificate)


def _encryption(file: str, encryption: EncryptionSection, material: Material) -> Encryption:
    return frozen(Encryption, encryption, keys=_keys(file, ("oidc", "encryption", "keys"), encryption.keys, material))


def _request(request: RequestSection) -> AuthorizationParameters:
    claims = request.claims
    acr = claims.id_token.get("acr") if claims else None
    return frozen(
        AuthorizationParameters,
        request,
        prompt=tuple(dict.fromkeys(request.prompt)),
        claims=None if claims is None else _claims(claims),
        essential_acr=_demanded(acr) if acr and acr.essential else frozenset(),
        parameters=dict(sorted(request.parameters.items())),
        passed_on=frozenset(request.pass_on),
    )


def _demanded(demand: ClaimDemandSection) -> frozenset[str]:
    return frozenset((*(demand.values or ()), *((demand.value,) if demand.value else ())))


def _claims(claims: ClaimsRequestSection) -> str:
    """OIDC Core 5.5: a claim is null where nothing is demanded of it."""
    asked = claims.model_dump(exclude_defaults=True)
    spoken = {place: {name: demand or None for name, demand in of.items()} for place, of in asked.items()}
    return json.dumps(spoken, separators=(",", ":"))


def _metadata(file: str, model: SamlProviderFile, material: Material) -> MetadataFile | MetadataUrl:
    source = model.saml.metadata
    if isinstance(source, Reference):
        return MetadataFile(material[file, ("saml", "metadata")])
    keys = [material[file, ("saml", "metadata", "keys", index)] for index in range(len(source.keys))]
    der = tuple(map(public_key_der, keys))
    if source.aggregate is not None:
        return MetadataUrl(source.aggregate, "aggregate", der)
    if source.mdq is not None:
        kind: Literal["mdq", "mdq_sha1"] = "mdq_sha1" if source.mdq_identifier == "sha1" else "mdq"
        return MetadataUrl(source.mdq, kind, der)
    return MetadataUrl(source.url or "", "entity", der)
