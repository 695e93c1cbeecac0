"""Validated models to the plan, for what is SAML's."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Literal

from gateway.config.check.pem import public_key_der
from gateway.config.compile.plan import LevelsPlan, SamlMetadataPlan, SamlProviderPlan, SamlSelfPlan
from gateway.config.problems import Path
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.provider import ProviderBase, SamlProviderFile
from gateway.config.schema.saml import SamlOrganization
from gateway.config.schema.scalars import Reference

Material = Mapping[tuple[str, Path], bytes]
"""What the references of the files gave, by file and key path."""

METADATA_PATH = "/_ecluse/saml/metadata"


def plan_saml_self(file: str, model: GatewayFile, material: Material) -> SamlSelfPlan | None:
    own = model.saml
    if own is None:
        return None
    return {
        "entity_id": own.entity_id or model.portal.origin + METADATA_PATH,
        "keys": [
            (
                key.id,
                _text(material[file, ("saml", "keys", index, "key")]),
                _text(material[file, ("saml", "keys", index, "certificate")]),
            )
            for index, key in enumerate(own.keys)
        ],
        "contacts": [(contact.kind, contact.email, contact.name) for contact in own.contacts],
        "organization": None if own.organization is None else _organization(own.organization),
        "requested": None if own.requested == "none" else list(own.requested),
    }


def _organization(organization: SamlOrganization) -> tuple[str, str, str, str]:
    shown = organization.display_name or organization.name
    return organization.name, shown, organization.url, organization.language


def plan_saml_provider(
    file: str, model: SamlProviderFile, gateway: GatewayFile, material: Material
) -> SamlProviderPlan:
    saml, asserts = model.saml, model.asserts
    labels = model.label or {"": model.provider}
    ca = material.get((file, ("saml", "ca")))
    return {
        "name": model.provider,
        "label": next(iter(labels.values())),
        "labels": {language: text for language, text in labels.items() if language},
        "issuer": saml.entity_id,
        "metadata": _metadata(file, model, material),
        "signed": saml.signed,
        "encrypted": saml.encrypted,
        "cbc": saml.aes_cbc_inside_a_signed_response,
        "cbc_in_unsigned_response": saml.aes_cbc_although_the_response_is_not_signed,
        "request_binding": saml.request_binding,
        "response_binding": saml.response_binding,
        "name_id_format": saml.name_id_format,
        "subject_without_name_id": saml.subject_without_name_id,
        "levels": plan_levels(model),
        "authn_context": saml.authn_context,
        "authn_context_comparison": saml.authn_context_comparison,
        "force_authn": saml.force_authn,
        "passive_first": saml.passive_first,
        "unsolicited": saml.unsolicited,
        "friendly_names": saml.friendly_names,
        "digit_ids": saml.ids_begin_with_a_digit,
        "ca": None if ca is None else _text(ca),
        "client_certificate": plan_client_certificate(file, ("saml", "client_certificate"), material),
        "private_addresses": saml.private_addresses,
        "development": gateway.development,
        "attributes": {name: list(names) for name, names in sorted(model.sources().items())},
        "tenant": model.tenant,
        "siret": asserts.siret,
        "email_domains": asserts.email_domains,
        "asserted_scopes": asserts.scopes,
        "listed": asserts.attributes,
        "session_idle": model.session.idle,
        "session_absolute": model.session.absolute,
        "skew": model.skew,
    }


def plan_levels(model: ProviderBase) -> LevelsPlan:
    return {
        "can": sorted(set(model.can)),
        "acr": model.levels.acr,
        "amr": model.levels.amr,
        "ask": model.levels.ask,
    }


def plan_client_certificate(file: str, path: Path, material: Material) -> tuple[str, str] | None:
    certificate, key = material.get((file, (*path, "certificate"))), material.get((file, (*path, "key")))
    return None if certificate is None or key is None else (_text(certificate), _text(key))


def _metadata(file: str, model: SamlProviderFile, material: Material) -> SamlMetadataPlan:
    source = model.saml.metadata
    if isinstance(source, Reference):
        content = _text(material[file, ("saml", "metadata")])
        return {"file": content, "kind": "entity", "url": "", "keys": []}
    keys = [material[file, ("saml", "metadata", "keys", index)] for index in range(len(source.keys))]
    der = [_text(public_key_der(key)) for key in keys]
    if source.aggregate is not None:
        return {"file": None, "kind": "aggregate", "url": source.aggregate, "keys": der}
    if source.mdq is not None:
        kind: Literal["mdq", "mdq_sha1"] = "mdq_sha1" if source.mdq_identifier == "sha1" else "mdq"
        return {"file": None, "kind": kind, "url": source.mdq, "keys": der}
    return {"file": None, "kind": "entity", "url": source.url or "", "keys": der}


def _text(content: bytes) -> str:
    return b64encode(content).decode("ascii")
