"""`ecluse provider add`: a provider by its address. What is refused leaves nothing behind."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from gateway.cli.fingerprints import fingerprint
from gateway.cli.folder import compiled
from gateway.cli.key import first_keyring
from gateway.cli.main import main
from gateway.federation.metadata_indexing import index_document
from gateway.federation.metadata_source import source_of
from gateway.model.provider import SamlProvider
from gateway.oidc.discovery import WELL_KNOWN
from gateway.saml.metadata_offer import read_offer
from tests.cli.terminal import END, INTERRUPT, at_a_terminal
from tests.federation.metadata_server import MetadataServer, running_metadata_server
from tests.federation.servers import Op, running_op, web_server
from tests.saml.metadata_samples import AD_FS, entity, signed_with_its_key

GATEWAY = """\
version: 1
portal: http://portail.localhost:8088
listen: [{address: 127.0.0.1:8088}]
development: true
store: {type: memory, keyring: {file: ../certs/store.keyring}}
saml: {keyring: {file: ../certs/saml.keyring}}
"""
BOUNDS = ("--email-domain", "ville.example")
CLIENT = ("--client-id", "ecluse", "--client-secret", "secret")
SECRET = "a-secret-of-the-tests"


@pytest.fixture(scope="session")
def keyrings() -> dict[str, bytes]:
    now = int(time.time()) - 60
    return {"store.keyring": first_keyring("store", "", now), "saml.keyring": first_keyring("saml", "", now)}


@pytest.fixture
def place(tmp_path: Path, keyrings: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with `policies`, where the command is called."""
    for name in ("policies", "certs"):
        (tmp_path / name).mkdir()
    for name, content in keyrings.items():
        (tmp_path / "certs" / name).write_bytes(content)
    (tmp_path / "policies/gateway.yaml").write_text(GATEWAY)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
async def op() -> AsyncIterator[Op]:
    async with running_op() as op:
        yield op


@pytest.fixture
async def idp() -> AsyncIterator[MetadataServer]:
    async with running_metadata_server() as server:
        server.documents = {
            "/signed": signed_with_its_key(entity()),
            "/bare": entity().encode(),
            "/adfs": AD_FS.encode(),
        }
        yield server


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def added(*words: str) -> int:
    return await asyncio.to_thread(main, ("provider", "add", *words))


async def refused(place: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    before = tree(place)
    status = await added(*words)
    assert tree(place) == before
    return status, capsys.readouterr().err


def prints(document: bytes) -> tuple[str, str]:
    """The fingerprints of the signer and of the provider's own key."""
    offer = read_offer(document, development=True)
    return "" if offer.signer is None else fingerprint(offer.signer), fingerprint(offer.keys[0])


# --- what is written --------------------------------------------------------------------------------------------------


async def test_an_openid_provider(place: Path, op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--siret", "21590350100017", "--attribute", "siret=organization.siret")
    assert await added(op.issuer, "--yes", "--name", "ville", *CLIENT, *BOUNDS, *more) == 0
    assert (place / "policies/providers/ville.yaml").read_text() == (
        "version: 1\nprovider: ville\n\n"
        f"oidc:\n  issuer: {op.issuer}\n  client_id: ecluse\n  client_secret: {{file: ../secret}}\n\n"
        "attributes:\n  uid: preferred_username\n  mail: email\n"
        "  given_name: given_name\n  family_name: family_name\n  siret: organization.siret\ntenant: siret\n\n"
        'asserts:\n  siret: ["21590350100017"]\n  email_domains: [ville.example]\n'
    )
    said = capsys.readouterr().out
    assert "redirect URI              http://portail.localhost:8088/_ecluse/callback/ville\n" in said
    assert "post-logout redirect URI  http://portail.localhost:8088/_ecluse/logged-out\n" in said
    assert main(["check"]) == 0
    assert main(["fmt", "--check"]) == 0


async def test_for_programs(place: Path, op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        op.issuer,
        "--yes",
        "--name",
        "ville",
        *CLIENT,
        "--no-perimeter",
        "--preset",
        "keycloak",
        "--output",
        "json",
    )
    assert await added(*words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == ["policies/providers/ville.yaml"]
    assert told["preset"] == "keycloak"
    assert told["register"]["redirect_uri"] == "http://portail.localhost:8088/_ecluse/callback/ville"
    assert told["problems"] == []
    assert "# No perimeter" in (place / "policies/providers/ville.yaml").read_text()


async def test_a_key_of_ours_where_the_provider_wants_no_secret(
    place: Path, op: Op, capsys: pytest.CaptureFixture[str]
) -> None:
    op.metadata = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    assert await added(op.issuer, "--yes", "--name", "ville", "--client-id", "ecluse", *BOUNDS) == 0
    ring = place / "certs/ville-client.keyring"
    assert oct(ring.stat().st_mode) == "0o100600"
    assert "JWKS URI                  http://portail.localhost:8088/_ecluse/oidc/jwks\n" in capsys.readouterr().out
    assert main(["check"]) == 0


async def test_a_first_provider_and_a_first_key_make_their_folders(place: Path, op: Op) -> None:
    shutil.move(place / "certs", place / "keys")
    gateway = place / "policies/gateway.yaml"
    gateway.write_text(GATEWAY.replace("../certs", "../keys"))
    op.metadata = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    assert await added(op.issuer, "--yes", "--name", "ville", "--client-id", "ecluse", *BOUNDS) == 0
    assert oct((place / "certs").stat().st_mode) == "0o40700"
    assert main(["check"]) == 0


async def test_signed_metadata_are_fetched_again_by_the_key_that_was_compared(place: Path, idp: MetadataServer) -> None:
    signer, _ = prints(idp.documents["/signed"])
    words = (
        "--name",
        "ville",
        *BOUNDS,
        "--fingerprint",
        signer,
        "--entity-id",
        "https://idp.metropole.example/metadata",
    )
    assert await added(idp.url("/signed"), "--yes", *words) == 0
    _, _, snapshot = compiled(place / "policies")
    provider = snapshot.providers["ville"]
    assert isinstance(provider, SamlProvider)
    source = source_of(provider)
    assert source is not None
    assert (source.url, source.kind) == (idp.url("/signed"), "entity")
    (place / "copies").mkdir()
    assert index_document(source, [idp.documents["/signed"]], place / "copies", time.time()).entities == 1
    with pytest.raises(Exception, match=r"saml\.metadata\.signature"):
        index_document(source, [signed_with_its_key(entity(), "stranger")], place / "copies", time.time())


@pytest.mark.parametrize(("flag", "line"), [
    ("--keep-copy", "  metadata: {file: ../certs/ville.xml}\n"),
    ("--trust-tls", "    unsigned_metadata_believed_from_tls_alone: true\n"),
])  # fmt: skip
async def test_unsigned_metadata(place: Path, idp: MetadataServer, flag: str, line: str) -> None:
    _, own = prints(idp.documents["/bare"])
    words = ("--name", "ville", *BOUNDS, "--fingerprint", own, "--entity-id", "https://idp.metropole.example/metadata")
    assert await added(idp.url("/bare"), "--yes", flag, *words) == 0
    assert line in (place / "policies/providers/ville.yaml").read_text()
    copy = place / "certs/ville.xml"
    assert (copy.read_bytes() if copy.exists() else b"") == (idp.documents["/bare"] if flag == "--keep-copy" else b"")
    assert main(["check"]) == 0


async def test_a_folder_with_other_problems_still_takes_it(
    place: Path, op: Op, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "policies/apps").mkdir()
    (place / "policies/apps/old.yaml").write_text("version: 1\napp: old\n")
    assert await added(op.issuer, "--yes", "--name", "ville", *CLIENT, *BOUNDS) == 0
    said = capsys.readouterr().out
    assert "correct the 4 other problem(s) of the folder: ecluse check policies\n" in said


# --- what is refused --------------------------------------------------------------------------------------------------


async def test_without_answers_it_says_each_flag_that_is_missing(
    place: Path, op: Op, idp: MetadataServer, capsys: pytest.CaptureFixture[str]
) -> None:
    perimeter = "--email-domain DOMAIN, --siret NUMBER or --scope SCOPE (each can be repeated), or --no-perimeter"
    flags = f"  --name NAME\n  --client-id ID\n  --client-secret FILE\n  {perimeter}\n"
    assert await refused(place, capsys, op.issuer, "--yes") == (2, f"ecluse: these questions have no answer:\n{flags}")
    words = ("--yes", "--name", "ville", "--entity-id", "https://idp.metropole.example/metadata")
    status, said = await refused(place, capsys, idp.url("/signed"), *words)
    assert status == 2
    assert '--fingerprint SHA256, as the provider\'s administrator gives it, of the key "CN=federation"' in said
    assert perimeter in said
    # No terminal, and nothing that says to go on without one.
    status, said = await refused(place, capsys, op.issuer, "--name", "ville", *CLIENT, *BOUNDS)
    assert (status, said) == (
        2, "ecluse: this command asks questions: run it at a terminal, or answer by flags and --yes\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--name", "Ville"), "--name Ville: a name is made of a-z, 0-9 and -"),
        (("--email-domain", "Ville.example"), "--email-domain: Ville.example is not a domain"),
        (("--siret", "12345678901234"), "--siret: 12345678901234 is not a SIRET"),
        (("--no-perimeter", *BOUNDS), "--no-perimeter and a perimeter contradict each other"),
        (("--preset", "keycloack"), "--preset keycloack: no such preset (did you mean keycloak?)"),
        (("--client-secret", "nowhere"), "--client-secret nowhere: No such file or directory"),
        (("--attribute", "siret"), "--attribute siret: write NAME=SOURCE"),
        (("--ca", "nowhere"), "--ca nowhere: No such file or directory"),
        (("--fingerprint", "0" * 64), "--fingerprint, --entity-id, --trust-tls and --keep-copy are for SAML"),
    ],
)
async def test_wrong_flags(
    place: Path, op: Op, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    status, error = await refused(place, capsys, op.issuer, "--yes", "--client-id", "ecluse", *words)
    assert status == 2
    assert error.startswith(f"ecluse: {said}")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--fingerprint", "0" * 64), 1, "config.fingerprint: no key of the provider has the fingerprint 0000"),
        (("--fingerprint", "0" * 40), 2, f"--fingerprint {'0' * 40}: this is a SHA-1 fingerprint"),
        (("--trust-tls",), 2, "--trust-tls is for metadata without a signature, and these are signed"),
        (("--trust-tls", "--keep-copy"), 2, "--keep-copy and --trust-tls contradict each other"),
        (("--client-id", "x"), 2, "--client-id, --client-secret and --preset are for OpenID Connect"),
        (("--entity-id", "https://other.example"), 1, 'saml.metadata.entity: "https://other.example" is not one of'),
    ],
)
async def test_wrong_flags_of_saml(
    place: Path, idp: MetadataServer, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], status: int, said: str
) -> None:
    usual = ("--entity-id", "https://idp.metropole.example/metadata") if "--entity-id" not in words else ()
    found, error = await refused(place, capsys, idp.url("/signed"), "--yes", "--name", "ville", *BOUNDS, *usual, *words)
    assert found == status
    assert error.startswith(f"ecluse: {said}")


async def test_one_of_two_keys_is_not_enough(
    place: Path, idp: MetadataServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """During a roll-over AD FS has two, and whoever adds a third signs people in too."""
    _, first = prints(idp.documents["/adfs"])
    words = ("--yes", "--name", "ville", *BOUNDS, "--entity-id", "https://idp.metropole.example/metadata")
    status, said = await refused(place, capsys, idp.url("/adfs"), *words, "--fingerprint", first)
    assert status == 2
    assert 'of the key "CN=idp-next"' in said
    assert 'of the key "CN=idp"' not in said


async def test_an_entity_id_of_another_host(
    place: Path, idp: MetadataServer, capsys: pytest.CaptureFixture[str]
) -> None:
    signer, _ = prints(idp.documents["/signed"])
    words = ("--yes", "--name", "ville", *BOUNDS, "--fingerprint", signer)
    status, said = await refused(place, capsys, idp.url("/signed"), *words)
    assert status == 1
    assert said.startswith(
        "ecluse: saml.metadata.entity: the entityID https://idp.metropole.example/metadata is not on "
    )


async def test_an_issuer_of_another_address(place: Path, op: Op, capsys: pytest.CaptureFixture[str]) -> None:
    op.metadata = {"issuer": "https://other.example"}
    status, said = await refused(place, capsys, op.issuer, "--yes", "--name", "ville", *CLIENT, *BOUNDS)
    assert status == 1
    assert said.startswith('ecluse: oidc.discovery.issuer: discovery document: issuer "https://other.example", not "')


async def test_pages_redirects_and_endless_answers(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removesuffix(WELL_KNOWN)
        if path == "/page":
            return web.Response(text="<html>", content_type="text/html")
        if path == "/redirect":
            return web.Response(status=301, headers={"Location": "https://evil.example/"})
        return web.Response(body=bytes(100 << 20), content_type="text/xml")

    async with web_server(answer) as port:
        for path, code in (("page", "oidc.discovery"), ("redirect", "oidc.discovery"), ("huge", "oidc.answer")):
            words = (f"http://127.0.0.1:{port}/{path}", "--yes", "--name", "ville", *CLIENT, *BOUNDS)
            status, said = await refused(place, capsys, *words)
            assert status == 1
            assert said.startswith(f"ecluse: {code}: ")
            assert said.endswith("; nothing is written\n")


async def test_a_private_address_and_http_outside_development(
    place: Path, op: Op, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = place / "policies/gateway.yaml"
    gateway.write_text(
        GATEWAY.replace("development: true\n", "").replace("http://portail.localhost:8088", "https://portail.example")
    )
    words = ("--yes", "--name", "ville", *CLIENT, *BOUNDS)
    status, said = await refused(place, capsys, op.issuer, *words)
    assert (status, said) == (2, f"ecluse: {op.issuer}: a provider is asked by https alone\n")
    status, said = await refused(place, capsys, op.issuer.replace("http:", "https:"), *words)
    assert status == 1
    assert "which is private" in said
    assert said.endswith("(--private-addresses); nothing is written\n")


@pytest.mark.parametrize(
    "address", ["", "ftp://a.example", "op.example.org", "https://a.example/#x", "https://u:p@a.example"]
)
async def test_what_is_no_address(place: Path, capsys: pytest.CaptureFixture[str], address: str) -> None:
    status, said = await refused(place, capsys, address, "--yes")
    assert status == 2
    assert said.startswith(f"ecluse: {address}: ")


async def test_a_folder_that_could_not_take_it(
    place: Path, op: Op, idp: MetadataServer, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--yes", *CLIENT, *BOUNDS)
    assert await added(op.issuer, *words, "--name", "ville") == 0
    capsys.readouterr()
    status, said = await refused(place, capsys, op.issuer, *words, "--name", "ville")
    assert (status, said) == (2, "ecluse: --name ville: there is a provider ville already\n")
    # The same entity under another name: found by the check of the folder.
    signer, _ = prints(idp.documents["/signed"])
    entity_id = ("--entity-id", "https://idp.metropole.example/metadata")
    saml = (idp.url("/signed"), "--yes", *BOUNDS, "--fingerprint", signer, *entity_id)
    assert await added(*saml, "--name", "saml") == 0
    capsys.readouterr()
    status, said = await refused(place, capsys, *saml, "--name", "other")
    assert status == 1
    assert said.startswith("ecluse: config.conflict: the folder would not take the new file; nothing is written\n")
    assert "policies/providers/saml.yaml" in said
    (place / "policies/gateway.yaml").write_text(GATEWAY.replace("saml:", "# saml:"))
    status, said = await refused(place, capsys, idp.url("/signed"), "--yes")
    assert status == 1
    assert "ecluse key new saml" in said
    (place / "policies/gateway.yaml").unlink()
    status, said = await refused(place, capsys, op.issuer, *words)
    assert (status, said) == (1, "ecluse: policies/gateway.yaml is missing: `ecluse init` makes a first one\n")


async def test_a_file_that_comes_in_between_is_kept(
    place: Path, op: Op, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operators at once: the second one writes nothing, not even its secret."""
    theirs = place / "policies/providers/ville.yaml"
    op.metadata = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}

    def meanwhile(path: str) -> None:
        if path == "/jwks":
            theirs.parent.mkdir(exist_ok=True)
            theirs.write_text("theirs")

    monkeypatch.setattr("gateway.cli.adding.place.Path.exists", lambda path: False)
    op.before = meanwhile
    assert await added(op.issuer, "--yes", "--name", "ville", "--client-id", "x", *BOUNDS) != 0
    assert theirs.read_text() == "theirs"
    assert not (place / "certs/ville-client.keyring").exists()


# --- at a terminal ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_the_questions_of_openid(place: Path, op: Op) -> None:
    answers = (
        ("Name of the provider: ", "Métropole"),
        ("a name is made of a-z", ""),
        ("an answer is needed", "ville"),
        ("Client id", "ecluse"),
        ("Client secret", SECRET),
        ("Domains of e-mail addresses: ", "Ville.example"),
        ("is not a domain", "ville.example, agglo.example"),
        ("Write it? [Y/n] ", ""),
    )
    status, seen = await asyncio.to_thread(at_a_terminal, place, ("provider", "add", op.issuer), *answers)
    assert status == 0, seen
    assert SECRET not in seen
    secret = place / "certs/ville.secret"
    assert (secret.read_text(), oct(secret.stat().st_mode)) == (f"{SECRET}\n", "0o100600")
    assert "email_domains: [ville.example, agglo.example]" in (place / "policies/providers/ville.yaml").read_text()
    assert main(["check"]) == 0


@pytest.mark.slow
async def test_the_questions_of_saml(place: Path, idp: MetadataServer) -> None:
    answers = (
        ("Is this the provider's entityID? [y/N] ", "oui"),
        ("Keep a copy? [Y/n] ", "n"),
        ("Are they the same? [y/N] ", "y"),
        ("Name of the provider: ", "ville"),
        ("Domains of e-mail addresses: ", "any"),
        ("Write it? [Y/n] ", "y"),
    )
    status, seen = await asyncio.to_thread(at_a_terminal, place, ("provider", "add", idp.url("/bare")), *answers)
    assert status == 0, seen
    assert prints(idp.documents["/bare"])[1] in seen
    assert "unsigned_metadata_believed_from_tls_alone" in (place / "policies/providers/ville.yaml").read_text()
    assert main(["check"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((("entityID? [y/N] ", ""),), "ecluse: nothing is written"),
        ((("entityID? [y/N] ", "y"), ("the same? [y/N] ", "")), "ecluse: the fingerprints are not confirmed: nothing"),
        ((("entityID? [y/N] ", END),), "ecluse: the input ended before the last question: nothing is written"),
        ((("entityID? [y/N] ", INTERRUPT),), "ecluse: interrupted; nothing is written"),
        (
            (
                ("entityID? [y/N] ", "y"),
                ("same? [y/N] ", "y"),
                ("provider: ", "a"),
                ("addresses: ", "any"),
                ("it? ", "n"),
            ),
            "ecluse: nothing is written",
        ),
    ],
)
async def test_who_does_not_agree_writes_nothing(
    place: Path, idp: MetadataServer, answers: tuple[tuple[str, str], ...], said: str
) -> None:
    before = tree(place)
    status, seen = await asyncio.to_thread(at_a_terminal, place, ("provider", "add", idp.url("/signed")), *answers)
    assert status == 1
    assert said in seen
    assert tree(place) == before
