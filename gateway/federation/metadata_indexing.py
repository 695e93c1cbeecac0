"""Turns a fetched document into the index that workers read: verifies the document first and bounds its lifetime."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from gateway.federation.logo_images import written_anew
from gateway.federation.metadata_index import LOGO, Copy, Record, write_index
from gateway.federation.metadata_source import NO_VALIDATORS, MetadataSource, Validators
from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.metadata import (
    Entity,
    cache_duration,
    entities,
    find_entity,
    idp_metadata,
    is_identity_provider,
    valid_until,
)
from gateway.saml.metadata_document import MetadataPart, given, verified

# A federation renews its metadata every few hours, and gives them a validity of days. A thief with an old document that
# holds a withdrawn key can serve the document for no longer than this. A provider's own metadata without an end are
# believed for as long after the fetch: if the provider is out of reach, the gateway would otherwise believe a withdrawn
# key for ever.
LONGEST_VALIDITY = 31 * 86400
SHORTEST_FRESH = 300
LONGEST_FRESH = 86400
USUAL_FRESH = 3600


def index_document(
    source: MetadataSource, pieces: Iterable[bytes], folder: Path, now: float, version: Validators = NO_VALIDATORS
) -> Copy:
    """Writes the index of one document.

    Raises GatewayError for a fault of the document; the previous copy stays. Raises OSError, sqlite3.Error for a fault
    of the folder.
    """
    parts = _believed(source, pieces)
    first = next(parts)
    until, fresh_for = _valid_until(source, first, now), _fresh_for(first)
    copy = Copy(int(now), fresh_for, until, 0, version.etag, version.last_modified)
    # Only the last part decides whether the document is believed: the index is put in place after the last part.
    return write_index(folder, source.id, copy, _records(source, chain((first,), parts), until))


def index_gone(source: MetadataSource, folder: Path, now: float, why: str) -> Copy:
    """Replaces the copy by a refusal of the provider. The new copy is already expired, so the next fetch is
    unconditional.

    `why`: the reason for the refusal.
    """
    copy = Copy(int(now), SHORTEST_FRESH, int(now), 0)
    return write_index(folder, source.id, copy, [(source.entity_id, GatewayError(saml_codes.METADATA_GONE, why))])


def index_logo(source: MetadataSource, content: bytes, folder: Path, now: float) -> Copy:
    """Writes the index of a logo. The copy never expires: an old logo stays while no new logo can be fetched.

    Raises GatewayError(saml_codes.LOGO), else as `index_document`.
    """
    copy = Copy(int(now), LONGEST_FRESH, None, 0)
    return write_index(folder, source.id, copy, [(LOGO, written_anew(content))])


def _believed(source: MetadataSource, pieces: Iterable[bytes]) -> Iterator[MetadataPart]:
    """Accepts unsigned metadata only if the provider file says so, by naming no key."""
    return verified(pieces, source.key_bytes) if source.keys or source.kind != "entity" else given(pieces)


def _valid_until(source: MetadataSource, first: MetadataPart, now: float) -> int:
    """Returns the end of the metadata's validity, in Unix seconds. A federation must name an end, a provider may."""
    until = valid_until(first)
    if until is not None and until <= now:
        raise GatewayError(saml_codes.METADATA_EXPIRED, "the metadata served there have expired")
    if source.kind != "entity" and (until is None or until > now + LONGEST_VALIDITY):
        detail = f"no validUntil, or one of more than {LONGEST_VALIDITY // 86400} days ahead"
        raise GatewayError(saml_codes.METADATA_VALIDITY, detail)
    return int(now) + LONGEST_VALIDITY if until is None else until


def _fresh_for(first: MetadataPart) -> int:
    return min(max(cache_duration(first) or USUAL_FRESH, SHORTEST_FRESH), LONGEST_FRESH)


def _records(source: MetadataSource, parts: Iterable[MetadataPart], until: int) -> Iterator[tuple[str, Record]]:
    """Yields the provider's entity, whose faults become the source's; or every identity provider of an aggregate,
    with a fault recorded per entity.
    """
    if source.kind != "aggregate":
        entity = find_entity(parts, source.entity_id)
        metadata = idp_metadata(entity, development=source.development)
        yield entity.id, replace(metadata, valid_until=min(until, metadata.valid_until or until))
        return
    for entity in entities(parts):
        if is_identity_provider(entity):
            yield entity.id, _record(source, entity)


def _record(source: MetadataSource, entity: Entity) -> Record:
    try:
        return idp_metadata(entity, development=source.development)
    except GatewayError as error:
        return error
