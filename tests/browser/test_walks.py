"""Chromium before the demo. Each file of walks/ is one walk and says itself what it expects."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo.place import copy_policies, free_ports
from deploy.demo.stack import PORTAL_HOST, Demo
from tests.browser import chromium
from tests.browser.notebook import Notebook
from tests.patience import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

WALKS = (
    *("sign_in", "ten_tabs", "back_and_reload", "form_without_session", "logout", "frame", "background"),
    *("language", "home", "back_from_memory"),
)

# Of one site with the portal's host, as browsers see it.
INTRANET = """\
version: 1
app: intranet
hosts: [intranet.portail.localhost, autre.portail.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole]
access:
  - {{path: /**, allow: anyone}}
"""
EMBEDDED = """\
version: 1
app: agenda
hosts: [agenda.portail.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole, departement]
embedded_by: [intranet.portail.localhost]
access:
  - {{path: /**, allow: signed_in}}
"""

NOTEBOOK = """\
version: 1
app: carnet
hosts: [carnet.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole, departement]
translate: {{headers: {{X-Remote-User: {{from: uid}}}}}}
tunnel: {{protocols: [websocket]}}
access:
  - {{path: /**, allow: signed_in}}
  - {{path: /ferme/**, deny: anyone}}
"""
# Of which nobody opens a page before they have signed in by two factors.
VAULT = """\
version: 1
app: coffre
label: Coffre des actes
hosts: [coffre.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [proconnect]
access:
  - {{path: /**, allow: {{acr_min: eidas2}}}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def notebook() -> AsyncIterator[tuple[Notebook, int]]:
    notebook = Notebook()
    yield notebook, await notebook.start()
    await notebook.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory, notebook: tuple[Notebook, int]) -> AsyncIterator[Demo]:
    folder, ports = tmp_path_factory.mktemp("demo"), free_ports()
    copy_policies(folder, ports)
    for name, text in (("carnet", NOTEBOOK), ("coffre", VAULT), ("intranet", INTRANET), ("agenda", EMBEDDED)):
        (folder / f"policies/apps/{name}.yaml").write_text(text.format(port=notebook[1]))
    async with Demo(folder, ports) as running:
        yield running


async def walked(demo: Demo, name: str, **more: str) -> str:
    site = {
        "permis": demo.origin("permis.localhost"),
        "subventions": demo.origin("subventions.localhost"),
        "portal": demo.origin(PORTAL_HOST),
        "provider": demo.issuer("metropole"),
        **more,
    }
    return await chromium.walked(name, site)


@pytest.mark.parametrize(("language", "locale"), [("fr", "fr-FR"), ("en", "en-GB")])
async def test_the_story_is_walked_as_it_is_told(demo: Demo, language: str, locale: str) -> None:
    """Each link and each step of the demo's first page."""
    hosts = ("elections", "avis", "astreinte", "examens")
    applications = {name: demo.origin(f"{name}.localhost") for name in hosts}
    await walked(demo, "story.mjs", story=demo.story, language=language, locale=locale, **applications)


@pytest.mark.parametrize("name", WALKS)
async def test_walk(demo: Demo, name: str) -> None:
    await walked(demo, f"{name}.mjs")


async def test_the_reference_on_a_denied_page_is_in_the_log(demo: Demo) -> None:
    reference = json.loads(await walked(demo, "denied.mjs"))["reference"]

    def told() -> list[dict[str, object]]:
        # The last may be half written.
        whole = demo.gateway.log.read_text().rpartition("\n")[0]
        lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("reference") == reference]

    await until(told)
    (line,) = told()
    assert (line["event"], line["app"], line["code"]) == ("access.denied", "permis", "policy.not_allowed")
    assert str(line["rule"]).startswith("policies/apps/permis.yaml:")


async def test_a_frame_on_a_listed_page_needs_no_visit(demo: Demo) -> None:
    names = ("intranet", "autre", "agenda")
    await walked(demo, "embedded.mjs", **{name: demo.origin(f"{name}.portail.localhost") for name in names})


async def test_home_leads_to_what_a_stronger_sign_in_opens(demo: Demo) -> None:
    await walked(
        demo, "stronger_home.mjs", **{name: demo.origin(f"{name}.localhost") for name in ("elections", "coffre")}
    )


async def test_nobody_is_told_of_an_account_before_they_sign_in(demo: Demo) -> None:
    await walked(demo, "closed.mjs", carnet=demo.origin("carnet.localhost"))


async def test_a_websocket_ends_with_its_session(demo: Demo, notebook: tuple[Notebook, int]) -> None:
    await walked(demo, "websocket.mjs", notebook=demo.origin("carnet.localhost"))
    await until(lambda: notebook[0].ends)
    assert notebook[0].ends == [1008]


async def test_no_walk_met_a_fault(demo: Demo) -> None:
    """The last test of this file."""
    assert "gateway.fault" not in demo.gateway.log.read_text()
