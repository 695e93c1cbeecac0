"""The settings of a SAML provider, proposed from the metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.config.presets.products import SamlProduct, saml_product
from gateway.config.schema.saml_attributes import COMMON
from gateway.saml.metadata_offer import MetadataOffer

# Where the metadata list no attribute.
_USUAL: Final = ("uid", "mail", "given_name", "family_name", "groups")
# A first file takes no more of the offered attributes: data without a use are not asked for.
_FIRST: Final = (*_USUAL, "upn", "eppn", "siret")


@dataclass(frozen=True, slots=True)
class SamlProposal:
    """`common`: attributes under their usual names.
    `attributes`: our names and the provider's names, beside `common`.
    `tenant`: the attribute with the organisation; may be empty.
    `others`: offered attributes without an attribute of ours.
    """

    product: SamlProduct | None
    entity_id: str
    common: tuple[str, ...]
    attributes: Mapping[str, str]
    tenant: str
    others: tuple[str, ...]
    labels: Mapping[str, str]
    scopes: tuple[str, ...]


def propose_saml(offer: MetadataOffer, attributes: Mapping[str, str] | None = None) -> SamlProposal:
    """`attributes`: the operator's own mapping, in addition to the proposed mapping."""
    metadata, product = offer.metadata, saml_product(offer.metadata)
    attributes = {**dict(product.attributes if product is not None else ()), **(attributes or {})}
    offered = [name for name in _FIRST if any(one in COMMON[name] for one in offer.attributes)]
    common = tuple(name for name in offered or _USUAL if name not in attributes)
    taken = {*attributes.values(), *(one for name in common for one in COMMON[name])}
    return SamlProposal(
        product=product,
        entity_id=metadata.entity_id,
        common=common,
        attributes=attributes,
        tenant="siret" if "siret" in (*common, *attributes) else "",
        others=tuple(one for one in offer.attributes if one not in taken),
        labels={language: text for language, text in metadata.display_names.items() if language in ("fr", "en")},
        scopes=tuple(scope for scope, is_pattern in metadata.scopes if not is_pattern),
    )
