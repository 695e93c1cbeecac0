from pathlib import Path

import pytest

from gateway.federation.metadata_index import Copy, read_copy, read_entity
from gateway.federation.metadata_indexing import LONGEST_VALIDITY, index_document
from gateway.federation.metadata_source import MetadataSource, source_of
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.metadata import require_valid
from tests.federation.metadata_server import Kind, MetadataServer
from tests.saml.metadata_samples import AD_FS, entity, group, key, role, signed
from tests.saml.parties import IDP, NOW, certificate_text, pair

OTHER = "https://other.example"
EARLY = '<md:IDPSSODescriptor validUntil="2027-01-16T00:00:00Z"'


def source(kind: Kind, signer: str | None = "federation") -> MetadataSource:
    found = source_of(MetadataServer(1).provider("/", kind, signer))
    assert found is not None
    return found


def index(folder: Path, kind: Kind, document: bytes, signer: str | None = "federation") -> Copy:
    return index_document(source(kind, signer), [document], folder, NOW)


def refusal(folder: Path, kind: Kind, document: bytes, signer: str | None = "federation") -> Code:
    with pytest.raises(GatewayError) as refused:
        index(folder, kind, document, signer)
    assert read_copy(folder, source(kind, signer).id) is None
    return refused.value.code


# --- one entity -------------------------------------------------------------------------------------------------------


def test_a_provider_that_signs_its_own(tmp_path: Path) -> None:
    assert index(tmp_path, "entity", signed(entity())) == Copy(int(NOW), 3600, int(NOW) + LONGEST_VALIDITY, 1)
    found = read_entity(tmp_path, source("entity").id, IDP)
    assert found is not None
    assert found.entity_id == IDP


def test_unsigned_metadata_where_the_provider_file_names_no_key(tmp_path: Path) -> None:
    index(tmp_path, "entity", AD_FS.encode(), None)
    assert refusal(tmp_path, "entity", AD_FS.encode()) == saml_codes.METADATA_SIGNATURE


@pytest.mark.parametrize("kind", ["aggregate", "mdq", "mdq_sha1"])
def test_what_others_publish_is_never_believed_unsigned(tmp_path: Path, kind: Kind) -> None:
    assert refusal(tmp_path, kind, group([entity()]).encode(), None) == saml_codes.METADATA_SIGNATURE


def test_the_faults_of_the_one_entity_are_those_of_the_source(tmp_path: Path) -> None:
    assert refusal(tmp_path, "entity", signed(entity(role(keys="")))) == saml_codes.METADATA_KEY
    assert refusal(tmp_path, "entity", signed(entity(id=OTHER))) == saml_codes.METADATA_ENTITY
    assert refusal(tmp_path, "entity", b"<html/>") == saml_codes.METADATA


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "attributes", "code"),
    [
        ("entity", 'validUntil="2027-01-15T08:00:00Z"', saml_codes.METADATA_EXPIRED),
        ("aggregate", 'validUntil="2027-01-15T08:00:00Z"', saml_codes.METADATA_EXPIRED),
        ("aggregate", "", saml_codes.METADATA_VALIDITY),
        ("mdq", "", saml_codes.METADATA_VALIDITY),
        ("aggregate", 'validUntil="2027-02-16T00:00:00Z"', saml_codes.METADATA_VALIDITY),
        ("mdq", 'validUntil="2127-01-15T08:00:00Z"', saml_codes.METADATA_VALIDITY),
    ],
)
def test_how_long_metadata_may_be_believed(tmp_path: Path, kind: Kind, attributes: str, code: Code) -> None:
    assert refusal(tmp_path, kind, signed(entity(attributes=attributes))) == code


@pytest.mark.parametrize(("signer", "document"), [("federation", signed(entity())), (None, AD_FS.encode())])
def test_a_provider_that_names_no_end_is_believed_for_a_month_from_when_it_was_had(
    tmp_path: Path, signer: str | None, document: bytes
) -> None:
    end = int(NOW) + LONGEST_VALIDITY
    assert index(tmp_path, "entity", document, signer).valid_until == end
    found = read_entity(tmp_path, source("entity", signer).id, IDP)
    assert found is not None
    require_valid(found, end - 1)
    with pytest.raises(GatewayError) as refused:
        require_valid(found, end)
    assert refused.value.code == saml_codes.METADATA_EXPIRED


def test_a_provider_may_promise_much_of_itself_and_its_role_less(tmp_path: Path) -> None:
    far = index(tmp_path, "entity", signed(entity(attributes='validUntil="2030-01-01T00:00:00Z"')))
    assert far.valid_until == 1893456000
    index(tmp_path, "entity", signed(entity(role().replace("<md:IDPSSODescriptor", EARLY))))
    found = read_entity(tmp_path, source("entity").id, IDP)
    assert found is not None
    assert found.valid_until == 1800057600


@pytest.mark.parametrize(
    ("said", "kept"), [("PT1S", 300), ("PT0S", 3600), ("PT6H", 21600), ("P30D", 86400), ("PT20M", 1200)]
)
def test_when_it_is_asked_again(tmp_path: Path, said: str, kept: int) -> None:
    assert index(tmp_path, "entity", signed(entity(attributes=f'cacheDuration="{said}"'))).fresh_for == kept


# --- a federation -----------------------------------------------------------------------------------------------------


def test_every_identity_provider_of_an_aggregate(tmp_path: Path) -> None:
    weak = entity(role(keys=key(certificate_text(pair(kind="rsa-1024")))), id=OTHER)
    members = [entity(), entity("<md:SPSSODescriptor/>", id="https://sp.example"), weak]
    assert index(tmp_path, "aggregate", signed(group(members))).entities == 2
    id = source("aggregate").id
    found = read_entity(tmp_path, id, IDP)
    assert found is not None
    assert found.valid_until == 1800403200
    for missing, code in ((OTHER, saml_codes.METADATA_KEY), ("https://sp.example", saml_codes.METADATA_ENTITY)):
        with pytest.raises(GatewayError) as refused:
            read_entity(tmp_path, id, missing)
        assert refused.value.code == code


def test_a_member_that_says_nonsense_of_its_time_spoils_no_other(tmp_path: Path) -> None:
    members = [entity(), entity(id=OTHER, attributes='validUntil="2027-01-16T00:00:00+01:00"')]
    assert index(tmp_path, "aggregate", signed(group(members))).entities == 2
    assert read_entity(tmp_path, source("aggregate").id, IDP) is not None
    with pytest.raises(GatewayError) as refused:
        read_entity(tmp_path, source("aggregate").id, OTHER)
    assert refused.value.code == saml_codes.TIME


def test_a_member_that_runs_out_before_its_group(tmp_path: Path) -> None:
    early = entity(attributes='validUntil="2027-01-16T00:00:00Z"')
    index(tmp_path, "aggregate", signed(group([early])))
    found = read_entity(tmp_path, source("aggregate").id, IDP)
    assert found is not None
    assert found.valid_until == 1800057600


def test_an_entity_that_is_there_twice_spoils_the_aggregate(tmp_path: Path) -> None:
    assert refusal(tmp_path, "aggregate", signed(group([entity(), entity()]))) == saml_codes.METADATA_ENTITY


def test_what_is_wrong_leaves_the_last_good_copy(tmp_path: Path) -> None:
    copy = index(tmp_path, "aggregate", signed(group([entity()])))
    for document in (signed(group([entity()]), "stranger"), group([entity()]).encode(), b"", b"<a/>"):
        with pytest.raises(GatewayError):
            index(tmp_path, "aggregate", document)
    assert read_copy(tmp_path, source("aggregate").id) == copy
    assert read_entity(tmp_path, source("aggregate").id, IDP) is not None
