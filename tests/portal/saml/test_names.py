"""What people read of a SAML provider whose file calls it nothing: what its metadata say (MDUI), as text."""

from gateway.model.provider import MetadataFile
from tests.portal.installation import PERMIS
from tests.portal.saml.region import ENTITY, Region
from tests.portal.test_organisations import links
from tests.saml.metadata_samples import entity, role

NAMES = (
    '<md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang="fr">Région Nord</mdui:DisplayName>'
    '<mdui:DisplayName xml:lang="en">Northern &lt;b&gt;Region&lt;/b&gt;</mdui:DisplayName>'
    "</mdui:UIInfo></md:Extensions>"
)


async def shown(region: Region, names: str) -> str:
    """The page of choice, in English, of an application that listens to it and another."""
    document = entity(role(names), id=ENTITY).encode()
    region.change(label="region", labels={}, metadata=MetadataFile(document))
    region.here.change("permis", providers=("region", "departement"))
    reply = await region.here.browser().get(region.here.url(PERMIS))
    assert links(reply)
    return reply.text


async def test_it_has_the_name_of_its_metadata_in_the_language_of_the_page(region: Region) -> None:
    page = await shown(region, NAMES)
    assert ">Northern &lt;b&gt;Region&lt;/b&gt;</a>" in page, "as text"
    assert "Région" not in page


async def test_the_operators_own_name_comes_first(region: Region) -> None:
    await shown(region, NAMES)
    region.change(label="Chez nous")
    page = (await region.here.browser().get(region.here.url(PERMIS))).text
    assert ">Chez nous</a>" in page
    assert "Northern" not in page


async def test_without_a_name_or_metadata_it_has_that_of_its_file(region: Region) -> None:
    assert ">region</a>" in await shown(region, "")
    region.change(metadata=MetadataFile(b"no metadata"))
    assert ">region</a>" in (await region.here.browser().get(region.here.url(PERMIS))).text


async def test_a_name_in_another_language_is_marked_as_such(region: Region) -> None:
    german = called("de", "Nordregion")
    assert 'lang="de">Nordregion</a>' in await shown(region, german)


def called(language: str, name: str) -> str:
    return (
        f'<md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang="{language}">{name}</mdui:DisplayName>'
        "</mdui:UIInfo></md:Extensions>"
    )
