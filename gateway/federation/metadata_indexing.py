"""A document that was fetched, to the index that workers read: verified first, and its lifetime bounded."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.federation.metadata_index import Copy, Record, write_index
from gateway.federation.metadata_source import Source
from gateway.model.codes import SAML_METADATA_EXPIRED, SAML_METADATA_VALIDITY
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
from gateway.saml.metadata_document import MetadataDocument, given, verified

# A federation renews its metadata every few hours and lets them live for days. Whoever got hold of an old document,
# with a key in it that was withdrawn since, may serve it for no longer than this.
LONGEST_VALIDITY = 31 * 86400
SHORTEST_FRESH = 300
LONGEST_FRESH = 86400
USUAL_FRESH = 3600


def index_document(source: Source, pieces: Iterable[bytes], folder: Path, now: float) -> Copy:
    """GatewayError: what is wrong with the document; the copy before it stays. OSError, sqlite3.Error: the folder's."""
    document = _believed(source, pieces)
    until, fresh_for = _valid_until(source, document, now), _fresh_for(document)
    records = list(_records(source, document))
    copy = Copy(int(now), fresh_for, until, len(records))
    write_index(folder, source.id, copy, records)
    return copy


def _believed(source: Source, pieces: Iterable[bytes]) -> MetadataDocument:
    """Unsigned metadata are believed only where the provider file says so: it then names no key."""
    return verified(pieces, source.key_bytes) if source.keys or source.kind != "entity" else given(pieces)


def _valid_until(source: Source, document: MetadataDocument, now: float) -> int | None:
    until = valid_until(document)
    if until is not None and until <= now:
        raise GatewayError(SAML_METADATA_EXPIRED, "what is served there has run out")
    if source.kind != "entity" and (until is None or until > now + LONGEST_VALIDITY):
        detail = f"no validUntil, or one of more than {LONGEST_VALIDITY // 86400} days ahead"
        raise GatewayError(SAML_METADATA_VALIDITY, detail)
    return until


def _fresh_for(document: MetadataDocument) -> int:
    return min(max(cache_duration(document) or USUAL_FRESH, SHORTEST_FRESH), LONGEST_FRESH)


def _records(source: Source, document: MetadataDocument) -> Iterator[tuple[str, Record]]:
    """The one entity, whose faults are the source's; or every identity provider, each with its own faults."""
    if source.kind != "aggregate":
        entity = find_entity(document, source.entity_id)
        yield entity.id, idp_metadata(entity, development=source.development)
        return
    for entity in entities(document):
        if is_identity_provider(entity):
            yield entity.id, _record(source, entity)


def _record(source: Source, entity: Entity) -> Record:
    try:
        return idp_metadata(entity, development=source.development)
    except GatewayError as error:
        return error
