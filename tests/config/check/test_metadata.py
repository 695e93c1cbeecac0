"""A file of SAML metadata that cannot be used is a problem of the folder, at the place that names it."""

import pytest

from tests.config.saml_samples import SAML_GATEWAY, problems
from tests.config.samples import DEPARTEMENT
from tests.saml.metadata_samples import AD_FS, SSO, entity, group, key, role
from tests.saml.parties import IDP, certificate_text, pair

ID = "https://idp.departement.example/metadata"
PLACE = "policies/providers/departement.yaml:6:13: saml.metadata: "
# Where http would be good enough it could not be told from https.
STRICT = SAML_GATEWAY.replace("http://portail.localhost:8080", "https://portail.example").replace(
    "development: true", "trusted_proxies: [10.0.0.0/8]"
)


def found(content: str, gateway: str = SAML_GATEWAY) -> list[str]:
    wrong = problems(DEPARTEMENT, gateway, {"file:../certs/departement.xml": content.encode()})
    return [problem for problem in wrong if "saml.metadata" in problem]


@pytest.mark.parametrize("content", [entity(id=ID), AD_FS.replace(IDP, ID), group([entity(), entity(id=ID)])])
def test_what_providers_export_is_taken(content: str) -> None:
    assert found(content) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("%PDF-1.4", "not well-formed XML"),
        ("<html/>", "neither EntityDescriptor nor EntitiesDescriptor"),
        (f"<!DOCTYPE x>{entity(id=ID)}", "with a document type"),
        (entity(), f"{ID} is not in the metadata"),
        (entity("<md:SPSSODescriptor/>", id=ID), "no SAML 2.0 identity provider"),
        (entity(role(keys=""), id=ID), "no key that can sign"),
        (entity(role(keys=key(certificate_text(pair(kind="rsa-1024")))), id=ID), "an RSA key of 1024 bits"),
        (entity(role(sso=""), id=ID), "no SingleSignOnService"),
        ("<" + " " * (3 << 20), "this is too large"),
    ],
)
def test_what_cannot_be_used_is_told(content: str, why: str) -> None:
    (problem,) = found(content)
    assert problem.startswith(PLACE), problem
    assert why in problem


def test_http_is_good_enough_for_development_alone() -> None:
    content = entity(role(sso=SSO.replace("https:", "http:")), id=ID)
    assert found(content) == []
    assert any("no SingleSignOnService" in problem for problem in found(content, STRICT))
