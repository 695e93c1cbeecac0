"""The logo that the metadata of a SAML provider name (MDUI), on the page of choice: a file of ours, or none."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from gateway.federation.metadata_index import LOGO, Copy, logos_folder, write_index
from gateway.federation.metadata_source import logo_source
from gateway.federation.saml import metadata_of_file
from gateway.model.provider import MetadataFile, SamlProvider
from gateway.portal.saml.logos import logo_link
from tests.portal.installation import PERMIS, PORTAL
from tests.portal.saml.region import ENTITY, Region
from tests.portal.saml.test_names import NAMES
from tests.saml.metadata_samples import entity, role

PICTURE = b"\x89PNG\r\n\x1a\n, of ours"
HERE = NAMES.replace("</mdui:UIInfo>", '<mdui:Logo height="64" width="64">https://a/l.png</mdui:Logo></mdui:UIInfo>')


def logo_at_hand(region: Region, folder: Path, picture: bytes) -> None:
    """The logo that its metadata name, if any, has been fetched into `folder`."""
    region.here.saml_metadata._folder = folder
    provider = region.here.snapshot.providers["region"]
    assert isinstance(provider, SamlProvider)
    logo = logo_source(provider, metadata_of_file(provider))
    if logo is not None:
        logos_folder(folder).mkdir()
        write_index(logos_folder(folder), logo.id, Copy(0, 0, None, 0), [(LOGO, picture)])


async def shown(region: Region, folder: Path, names: str, *, had: bool = True, **changes: object) -> tuple[str, str]:
    """The page of choice, and its policy; `had`: the logo has been fetched."""
    region.here.saml_metadata._folder = folder
    document = entity(role(names), id=ENTITY).encode()
    region.change(**{"label": "region", "labels": {}, "metadata": MetadataFile(document), **changes})
    if had:
        logo_at_hand(region, folder, PICTURE)
    region.here.change("permis", providers=("region", "departement"))
    reply = await region.here.browser().get(region.here.url(PERMIS))
    return reply.text, reply.headers["Content-Security-Policy"]


@pytest.mark.parametrize("label", ["region", "Chez nous"])
async def test_it_stands_beside_the_name_and_is_a_file_of_ours(region: Region, tmp_path: Path, label: str) -> None:
    page, policy = await shown(region, tmp_path, HERE, label=label)
    name = "Chez nous" if label == "Chez nous" else "Northern &lt;b&gt;Region&lt;/b&gt;"
    found = re.search(
        rf'>{re.escape(name)}<img src="(/_ecluse/saml/logo\?of=[0-9a-f]{{32}})" alt="" height="32">', page
    )
    assert found is not None, page
    assert "https://a/l.png" not in page
    assert "; img-src 'self';" in policy
    reply = await region.here.browser().get(region.here.url(PORTAL, found[1]))
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "image/png", PICTURE)
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("names", "had"), [(NAMES, True), (HERE, False)])
async def test_without_one_the_name_stands_alone(region: Region, tmp_path: Path, names: str, had: bool) -> None:
    page, _ = await shown(region, tmp_path, names, had=had)
    assert ">Northern &lt;b&gt;Region&lt;/b&gt;</a>" in page
    assert "<img" not in page


@pytest.mark.parametrize("id", ["", "0" * 32, "../../metadata/x", "0" * 31 + "/", "0" * 33, "\u0660" * 32])
async def test_no_other_file_is_served(region: Region, tmp_path: Path, id: str) -> None:
    region.here.saml_metadata._folder = tmp_path
    logos_folder(tmp_path).mkdir()
    reply = await region.here.browser().get(region.here.url(PORTAL, f"/_ecluse/saml/logo?of={quote(id, safe='')}"))
    assert reply.status == 404
    assert (await region.here.browser().get(region.here.url(PORTAL, logo_link("0" * 32)))).status == 404


async def test_it_is_of_the_portals_host_alone(region: Region, tmp_path: Path) -> None:
    page, _ = await shown(region, tmp_path, HERE)
    found = re.search(r'src="([^"]*)"', page)
    assert found is not None
    reply = await region.here.browser().get(region.here.url(PERMIS, found[1]))
    assert reply.headers.get("Content-Type") != "image/png"
