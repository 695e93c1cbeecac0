"""One seam for both protocols: who speaks for a provider, and that nothing beside it tells them apart."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.identity import Identity
from gateway.model.session import Session
from gateway.portal.flow.source import IdentitySource, IdentitySources
from gateway.portal.flow.steps import Handlers
from tests.portal.installation import PORTAL, Installation
from tests.portal.saml.region import PROVIDER

PACKAGE = Path(__file__).resolve().parents[3] / "gateway" / "portal"
SESSION = Session("id", Identity("metropole", "https://op", "s-1", {}), None, 0, 1, 1)
NAME_ID = ("jdupont", None, None, None, None)


class Named(IdentitySource):
    def __init__(self, *paths: str) -> None:
        self.paths: dict[str, Handlers] = {path: {} for path in paths}

    def handlers(self, path: str) -> Handlers | None:
        return self.paths.get(path)


def test_the_configuration_says_which_protocol_speaks_for_a_provider(here: Installation) -> None:
    sources = IdentitySources(Named(), Named())
    snapshot = replace(here.snapshot, providers={**here.snapshot.providers, "region": PROVIDER})
    assert sources.of(snapshot, "metropole") is sources.openid
    assert sources.of(snapshot, "region") is sources.saml
    assert sources.of(snapshot, "nowhere") is sources.openid


def test_a_session_is_logged_out_by_the_protocol_that_made_it() -> None:
    sources = IdentitySources(Named(), Named())
    assert sources.of_session(SESSION) is sources.openid
    assert sources.of_session(replace(SESSION, name_id=NAME_ID)) is sources.saml


@pytest.mark.parametrize(
    "path",
    ["callback", "callback/", "callback/a/b", "oidc/backchannel", "oidc/jwks/a", "a/logged-out", "saml/acs/a", ""],
)
async def test_a_path_that_is_nearly_one_of_a_protocol_is_none(here: Installation, path: str) -> None:
    await here.browser().get(here.url(PORTAL, f"/_ecluse/{path}"))
    assert here.codes() == ["route.reserved"]


def test_providers_are_told_apart_in_one_file() -> None:
    offenders = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "isinstance"
        and {"OidcProvider", "SamlProvider"} & set(ast.unparse(node.args[1]).strip("()").split(", "))
    ]
    assert {offender.partition(":")[0] for offender in offenders} == {"flow/source.py"}
