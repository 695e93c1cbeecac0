import pytest
from lxml import etree

from gateway.saml.endpoints import endpoints
from gateway.saml.names import md
from gateway.saml.parties import Endpoint
from tests.saml.metadata_samples import BINDINGS, MD

LOCATION = "https://idp.metropole.example/slo"


def read(attributes: str, *, development: bool = False) -> tuple[Endpoint, ...]:
    role = etree.fromstring(f"<md:IDPSSODescriptor {MD}><md:SingleLogoutService {attributes}/></md:IDPSSODescriptor>")
    return endpoints(role, md("SingleLogoutService"), "redirect", "post", "soap", development=development)


def endpoint(location: str, binding: str = "HTTP-POST") -> str:
    return f'Binding="{BINDINGS}:{binding}" Location="{location}"'


@pytest.mark.parametrize(("binding", "ours"), [("HTTP-Redirect", "redirect"), ("HTTP-POST", "post"), ("SOAP", "soap")])
def test_the_bindings_that_we_use(binding: str, ours: str) -> None:
    assert read(endpoint(LOCATION, binding)) == (Endpoint(ours, LOCATION),)  # type: ignore[arg-type]


def test_where_answers_go_and_the_index() -> None:
    found = read(f'{endpoint(LOCATION)} ResponseLocation="{LOCATION}/r" index="3"')
    assert found == (Endpoint("post", LOCATION, f"{LOCATION}/r", 3),)


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        endpoint(LOCATION, "PAOS"),
        endpoint("http://idp.metropole.example/slo"),
        endpoint("javascript:alert(1)"),
        endpoint("https://user@idp.metropole.example/"),
        endpoint("https://idp.metropole.example/#fragment"),
        endpoint("https://idp.metropole.example/ x"),
        endpoint("https://idp.metropole.example\\@evil.example/"),
        endpoint("https://é.example/"),
        endpoint("/slo"),
        endpoint("HTTPS://idp.metropole.example/"),
        endpoint("https://idp.metropole.example/&#10;x"),
        endpoint(f"https://idp.metropole.example/{'a' * 2048}"),
        endpoint(LOCATION) + ' ResponseLocation="javascript:alert(1)"',
        endpoint(LOCATION) + ' index="-1"',
        endpoint(LOCATION) + ' index="65536"',
        endpoint(LOCATION) + ' index="1e1"',
    ],
)
def test_what_nobody_is_sent_to(attributes: str) -> None:
    assert read(attributes) == ()


def test_http_is_good_enough_for_development_alone() -> None:
    assert read(endpoint("http://localhost:8080/slo"), development=True) == (
        Endpoint("post", "http://localhost:8080/slo"),
    )
    assert read(endpoint("javascript:alert(1)"), development=True) == ()
