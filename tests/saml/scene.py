"""The scene of the tests of the validation core: one provider, one request under way, one moment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.model.assertion import Assertion
from gateway.model.provider import SamlProvider
from gateway.model.transaction import SamlLogin
from gateway.saml.document import parse
from gateway.saml.parties import IdpMetadata
from gateway.saml.response import validate_response
from tests.saml import parties
from tests.saml.idp import Scene

NOW = int(parties.NOW)
KEY = parties.pair("idp")
STRANGER = parties.pair("stranger")
OURS = parties.pair("sp-1")
OLD = parties.pair("sp-0")
SP = parties.service_provider(OURS, OLD)
METADATA = parties.idp(KEY)
ASKED = SamlLogin(
    provider="metropole",
    request_id="_request-1",
    authn_context=(),
    comparison="exact",
    fresh=False,
    binding="b" * 64,
    serves=None,
    issued_at=NOW - 60,
)
# What a case of tests.saml.forgeries calls what was asked for
ASKED_FOR: Mapping[str, SamlLogin | None] = {
    "usual": ASKED,
    "nothing": None,
    "fresh": replace(ASKED, fresh=True),
    "strong": replace(ASKED, authn_context=("urn:oasis:names:tc:SAML:2.0:ac:classes:X509",)),
    "at least": replace(ASKED, authn_context=("http://eidas.europa.eu/LoA/substantial",), comparison="minimum"),
}
SCENE = Scene(
    now=NOW,
    issuer=parties.IDP,
    acs=SP.acs,
    audience=SP.entity_id,
    request_id=ASKED.request_id,
    key=KEY,
    stranger=STRANGER,
    recipient_key=OURS,
)


def provider(**changes: Any) -> SamlProvider:
    return replace(parties.PROVIDER, **changes)


def validated(
    document: bytes,
    *,
    of: SamlProvider = parties.PROVIDER,
    metadata: IdpMetadata = METADATA,
    asked: SamlLogin | None = ASKED,
    now: int = NOW,
    binding: Any = "post",
) -> Assertion:
    return validate_response(
        parse(document), provider=of, metadata=metadata, sp=SP, asked=asked, now=now, binding=binding
    )
