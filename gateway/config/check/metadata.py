"""Whether a file of SAML metadata can be used for the provider that names it; until when is not asked here."""

from gateway.config.schema.scalars import Wrong
from gateway.model.errors import GatewayError


def check_metadata(entity_id: str, content: bytes, *, development: bool) -> None:
    """Raises Wrong."""
    # Imported late: most folders have no such file, and lxml is slow to come.
    from gateway.saml.metadata import find_entity, idp_metadata
    from gateway.saml.metadata_document import LARGEST_ENTITY, given

    if len(content) > LARGEST_ENTITY:
        raise Wrong(f"this is too large: {len(content)} bytes", "a file holds the provider's own metadata alone")
    try:
        idp_metadata(find_entity(given([content]), entity_id), development=development)
    except GatewayError as error:
        raise Wrong(
            f"this is not metadata of {entity_id}: {error.detail}", "the file as the provider exports it"
        ) from None
