"""A folder with a SAML provider, for the tests of whatever reads one."""

from collections.abc import Mapping

import trustme

from gateway.config.snapshot import Snapshot
from tests.config.samples import DEPARTEMENT, GATEWAY, sample_snapshot
from tests.config.samples import problems as problems_of
from tests.saml.metadata_samples import entity, group

_LEAF = trustme.CA().issue_cert("portail.localhost")
METADATA = group(
    [entity(id="https://idp.departement.example/metadata"), entity(id="urn:autre")], attributes=""
).encode()
SECRETS = {
    "file:../certs/saml.crt": _LEAF.cert_chain_pems[0].bytes().strip(),
    "file:../certs/saml.key": _LEAF.private_key_pem.bytes().strip(),
    "file:../certs/departement.xml": METADATA,
}
SAML_GATEWAY = f"""{GATEWAY}\
saml: {{keys: [{{id: k1, key: {{file: ../certs/saml.key}}, certificate: {{file: ../certs/saml.crt}}}}]}}
"""
FILES = {"gateway.yaml": SAML_GATEWAY, "providers/departement.yaml": DEPARTEMENT}


def saml_snapshot(
    changes: Mapping[str, str | None] | None = None, secrets: Mapping[str, bytes] | None = None
) -> Snapshot:
    return sample_snapshot({**FILES, **(changes or {})}, {**SECRETS, **(secrets or {})})


def problems(provider: str, gateway: str = SAML_GATEWAY, secrets: Mapping[str, bytes] | None = None) -> list[str]:
    """The first line of each problem with this as the SAML provider's file."""
    changes = {"gateway.yaml": gateway, "providers/departement.yaml": provider}
    return problems_of(changes, {**SECRETS, **(secrets or {})})
