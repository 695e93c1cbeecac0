"""The pages about tickets for old stacks: what their examples say is made, and read with the keys that they show."""

import re
from pathlib import Path

import pytest

from gateway.tokens.making import make
from tests.config.samples import PERMIS, sample_snapshot
from tests.tokens.aspnet_reader import Keys, read
from tests.tokens.test_ltpa import EXPORTED, PASSWORD, parts
from tests.tokens.test_making import FOREVER, HELENE, NOW

DOCS = Path(__file__).parents[2] / "docs"
ASPNET = (DOCS / "how-to/sign-in-to-aspnet.md", DOCS / "fr/connecter-a-aspnet.md")
_BLOCK = re.compile(r"^```(yaml|xml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


WEBSPHERE = (DOCS / "how-to/sign-in-to-websphere.md", DOCS / "fr/connecter-a-websphere.md")


def block(page: Path, kind: str) -> str:
    """The first of its kind: what stands behind it is another way."""
    found: str = next(text for of, text in _BLOCK.findall(page.read_text()) if of == kind)
    return str(found)


def translated(page: Path) -> str:
    """The section of the example, in an application's file."""
    section = block(page, "yaml").partition("translate:\n")[2]
    return PERMIS.replace("access:", f"{section}access:")


@pytest.mark.parametrize("page", ASPNET, ids=lambda page: page.stem)
def test_a_ticket_by_the_example_is_read_with_the_keys_of_its_web_config(page: Path) -> None:
    said = dict(re.findall(r'(\w+)="([^"]*)"', block(page, "xml").partition("<machineKey")[2].partition("/>")[0]))
    assert said["decryption"] == "AES"
    snapshot = sample_snapshot(
        {"apps/permis.yaml": translated(page)},
        {
            "file:../secrets/permis-validation.hex": said["validationKey"].encode(),
            "file:../secrets/permis-decryption.hex": said["decryptionKey"].encode(),
        },
    )
    tokens = snapshot.apps["permis"].tokens
    found = make(tokens, HELENE, (), now=NOW, not_after=FOREVER, chance=bytes).cookies.decode()
    name, _, value = found.partition("=")
    forms = dict(re.findall(r'(\w+)="([^"]*)"', block(page, "xml").partition("<forms")[2]))
    assert name == forms["name"]
    keys = Keys(said["compatibilityMode"], said["validation"], said["validationKey"], said["decryptionKey"])
    ticket = read(value, keys)
    assert (ticket.name, ticket.path, ticket.persistent) == ("helene", forms["path"], False)


@pytest.mark.parametrize("page", WEBSPHERE, ids=lambda page: page.stem)
def test_a_token_by_the_example_is_read_with_the_keys_of_the_cell(page: Path) -> None:
    snapshot = sample_snapshot(
        {"apps/permis.yaml": translated(page).replace("from: dn", "from: uid")},
        {"file:../secrets/ltpa.keys": EXPORTED.strip(), "file:../secrets/ltpa.password": PASSWORD},
    )
    tokens = snapshot.apps["permis"].tokens
    found = make(tokens, HELENE, (), now=NOW, not_after=FOREVER, chance=bytes).cookies
    (single_sign_on,) = re.findall(r'ssoCookieName="([^"]+)"', block(page, "xml"))
    assert found.startswith(f"{single_sign_on}=".encode())
    body, _ = parts(found.partition(b"=")[2])
    (realm,) = re.findall(r'realm="([^"]+)"', block(page, "xml"))
    assert body.endswith(rf"$u:user\:{realm}/helene")


@pytest.mark.parametrize("pages", [ASPNET, WEBSPHERE], ids=["aspnet", "websphere"])
def test_both_pages_show_the_same(pages: tuple[Path, Path]) -> None:
    english, french = (_BLOCK.findall(page.read_text()) for page in pages)
    assert english == french
