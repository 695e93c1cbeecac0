"""From a plan to the values of the snapshot, for what is SAML's."""

from base64 import b64decode

from gateway.config.compile.plan import GatewayPlan, LevelsPlan, ProviderPlan, SamlMetadataPlan, SamlProviderPlan
from gateway.model.levels import ProviderLevels
from gateway.model.provider import ClientCertificate, MetadataFile, MetadataUrl, Perimeter, SamlProvider
from gateway.saml.parties import Contact, KeyPair, Organization, ServiceProvider

_PREFIX = "/_ecluse/saml/"


def build_service_provider(plan: GatewayPlan) -> ServiceProvider | None:
    own, portal = plan["saml"], plan["portal_url"] + _PREFIX
    if own is None:
        return None
    return ServiceProvider(
        entity_id=own["entity_id"],
        acs=f"{portal}acs",
        artifact_acs=f"{portal}artifact",
        logout=f"{portal}logout",
        logout_soap=f"{portal}soap",
        keys=tuple(KeyPair(id, b64decode(key), b64decode(certificate)) for id, key, certificate in own["keys"]),
        contacts=tuple(Contact(kind, email, name) for kind, email, name in own["contacts"]),
        organization=None if own["organization"] is None else Organization(*own["organization"]),
        requested=None if own["requested"] is None else tuple(own["requested"]),
    )


def build_levels(plan: LevelsPlan) -> ProviderLevels:
    return ProviderLevels(frozenset(plan["can"]), plan["acr"], plan["amr"], plan["ask"])


def build_certificate(plan: tuple[str, str] | None) -> ClientCertificate | None:
    return None if plan is None else ClientCertificate(*map(b64decode, plan))


def build_saml_provider(plan: SamlProviderPlan) -> SamlProvider:
    return SamlProvider(
        name=plan["name"],
        label=plan["label"],
        labels=plan["labels"],
        issuer=plan["issuer"],
        metadata=_metadata(plan["metadata"]),
        signed=plan["signed"],
        encrypted=plan["encrypted"],
        cbc=plan["cbc"],
        cbc_in_unsigned_response=plan["cbc_in_unsigned_response"],
        request_binding=plan["request_binding"],
        response_binding=plan["response_binding"],
        name_id_format=plan["name_id_format"],
        subject_without_name_id=plan["subject_without_name_id"],
        levels=build_levels(plan["levels"]),
        authn_context=tuple(plan["authn_context"]),
        authn_context_comparison=plan["authn_context_comparison"],
        force_authn=plan["force_authn"],
        passive_first=plan["passive_first"],
        unsolicited=plan["unsolicited"],
        friendly_names=plan["friendly_names"],
        digit_ids=plan["digit_ids"],
        ca=None if plan["ca"] is None else b64decode(plan["ca"]),
        client_certificate=build_certificate(plan["client_certificate"]),
        private_addresses=plan["private_addresses"],
        development=plan["development"],
        attributes={name: tuple(names) for name, names in plan["attributes"].items()},
        tenant_attribute=plan["tenant"],
        perimeter=build_perimeter(plan),
        session_idle=plan["session_idle"],
        session_absolute=plan["session_absolute"],
        skew=plan["skew"],
    )


def _metadata(plan: SamlMetadataPlan) -> MetadataFile | MetadataUrl:
    if plan["file"] is not None:
        return MetadataFile(b64decode(plan["file"]))
    return MetadataUrl(plan["url"], plan["kind"], tuple(b64decode(key) for key in plan["keys"]))


def build_perimeter(plan: ProviderPlan | SamlProviderPlan) -> Perimeter:
    return Perimeter(
        siret=_set(plan["siret"]),
        email_domains=_set(plan["email_domains"]),
        scopes=_set(plan["asserted_scopes"]),
        attributes={name: frozenset(values) for name, values in plan["listed"].items()} if plan["listed"] else None,
    )


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
