"""What a provider on pysaml2 sends to a service whose metadata ask for attributes as ours do."""

import re
import shutil
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config.schema.saml_attributes import COMMON
from gateway.saml.sp_metadata import RequestedAttribute, requested_attributes, sp_metadata
from tests.idp.keys import new_pair
from tests.saml.parties import PROVIDER, service_provider

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
    from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
    from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

    from tests.idp.pysaml_program import configured

pytestmark = [pytest.mark.service, pytest.mark.filterwarnings("ignore")]

SP = service_provider()
TAKEN = replace(PROVIDER, attributes={name: COMMON[name] for name in ("uid", "mail", "given_name", "groups")})
PERSON = {"uid": ["alice"], "mail": ["alice@corp.example"], "givenName": ["Alice"], "isMemberOf": ["one", "two"]}


def sent(folder: Path, requested: tuple[RequestedAttribute, ...]) -> Mapping[str, int]:
    """How often each value of the person stands in the Response."""
    pair = new_pair("idp")
    files = {"key": pair.key, "certificate": pair.certificate, "service_provider": ""}
    told = {name: str(folder / name) for name in files} | {"url": "http://127.0.0.1:1"}
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "service_provider").write_bytes(sp_metadata(SP, id="_m", service_name="x", requested=requested))
    response = configured({**told, "xmlsec1": shutil.which("xmlsec1") or ""}).create_authn_response(
        PERSON,
        userid="alice",
        name_id=NameID(text="a", format=NAMEID_FORMAT_PERSISTENT),
        authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": "u"},
        sign_alg=SIG_RSA_SHA256,
        digest_alg=DIGEST_SHA256,
        in_response_to="_x",
        destination=SP.acs,
        sp_entity_id=SP.entity_id,
    )
    return Counter(re.findall(r"AttributeValue [^>]*>([^<]+)<", str(response)))


def test_each_value_comes_once(tmp_path: Path) -> None:
    once = {value: 1 for values in PERSON.values() for value in values}
    assert sent(tmp_path, requested_attributes(SP, [TAKEN])) == once
    assert sent(tmp_path, requested_attributes(replace(SP, requested=None), [TAKEN])) == once


def test_under_every_alias_it_would_come_many_times(tmp_path: Path) -> None:
    """Why each attribute is asked for under one name."""
    aliases = tuple(RequestedAttribute(name, ours) for ours, names in TAKEN.attributes.items() for name in names)
    assert sent(tmp_path, aliases)["alice@corp.example"] == 32
