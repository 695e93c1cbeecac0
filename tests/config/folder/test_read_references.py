"""What application files may have read for them, on real files with real links."""

import os
from pathlib import Path

import pytest

from gateway.config.folder.read import read_folder, read_for_good

GATEWAY = """\
state: ../var
store: {keys: [{secret: {file: ../certs/store.key}}, {secret: {env: STORE_KEY}}]}
teams: {urba: {secrets: [../teams/urba]}}
"""
PROVIDER = "oidc: {client_secret: {credential: op}, ca: {file: ../certs/ca.pem}}\n"
SECRET = "this is a secret of the gateway or of a provider: no application's file names it"
SYSTEM = "this is in the state folder, or of the system: no application's file names it"
BEYOND = "team urba may not read this: gateway.yaml lists its folders at teams.urba.secrets"
LINK = "a link is on the way, and none is followed here"
FILES_ALONE = "team urba names files alone, below teams.urba.secrets of gateway.yaml"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path, text in {
        "policies/gateway.yaml": GATEWAY,
        "policies/providers/a.yaml": PROVIDER,
        "certs/store.key": "store",
        "certs/ca.pem": "pem",
        "credentials/op": "op",
        "credentials/other": "other",
        "certs/app.secret": "app",
        "var/sessions.sqlite": "sessions",
        "teams/urba/mine": "mine",
        "teams/urba/deep/mine": "mine",
        "teams/urbanism/theirs": "theirs",
        "teams/education/theirs": "theirs",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    monkeypatch.setenv("STORE_KEY", "planted")
    monkeypatch.setenv("APP_SECRET", "app")
    return tmp_path


def read(place: Path, kind: str, name: str, path: str = "apps/permis.yaml") -> str:
    """What an application's file gets, or why it gets nothing."""
    text = f"translate: {{headers: {{X-A: {{value: {{{kind}: '{name}'}}}}}}}}\n"
    (place / "policies" / path).parent.mkdir(parents=True, exist_ok=True)
    (place / "policies" / path).write_text(text)
    files = read_folder(place / "policies")
    key = f"apps/{'urba' if '/urba/' in path else ''}:{kind}:{name}"
    assert (key in files.secrets) != (key in files.unreadable)
    return files.secrets[key].decode() if key in files.secrets else files.unreadable[key]


TEAM = "apps/urba/x.yaml"


@pytest.mark.parametrize(
    ("kind", "name"), [("file", "../certs/app.secret"), ("env", "APP_SECRET"), ("credential", "other")]
)
def test_the_operators_own_application_names_what_its_operator_likes(place: Path, kind: str, name: str) -> None:
    assert read(place, kind, name) in {"app", "other"}


def test_an_authority_is_no_secret(place: Path) -> None:
    assert read(place, "file", "../certs/ca.pem") == "pem"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("file", "../certs/store.key"),
        ("file", "../certs/../certs/store.key"),
        ("file", "../linked/store.key"),
        ("file", "../link"),
        ("file", "../hard"),
        ("file", "../credentials/op"),
        ("env", "STORE_KEY"),
        ("credential", "op"),
    ],
)
def test_no_application_names_a_secret_of_the_gateway_or_a_provider(place: Path, kind: str, name: str) -> None:
    (place / "linked").symlink_to(place / "certs")
    (place / "link").symlink_to(place / "certs/store.key")
    os.link(place / "certs/store.key", place / "hard")
    assert read(place, kind, name) == SECRET
    files = read_folder(place / "policies")
    assert files.secrets["file:../certs/store.key"] == b"store"
    assert not [key for key in files.secrets if key.startswith("apps/")]


@pytest.mark.parametrize("name", ["../var/sessions.sqlite", "../link", "/proc/self/environ", "../environ"])
def test_nor_the_state_folder_nor_what_the_system_tells_of_us(place: Path, name: str) -> None:
    (place / "link").symlink_to(place / "var/sessions.sqlite")
    (place / "environ").symlink_to("/proc/self/environ")
    assert read(place, "file", name) == SYSTEM


def test_a_state_folder_that_is_a_link_is_where_it_leads(place: Path) -> None:
    (place / "var").rename(place / "real")
    (place / "var").symlink_to(place / "real")
    assert read(place, "file", "../real/sessions.sqlite") == SYSTEM


def test_what_a_file_refers_to_as_it_was_served_is_read_too(place: Path) -> None:
    """Of a file that is wrong now, and stays as it was."""
    assert read(place, "file", "../certs/app.secret") == "app"
    good = {"apps/permis.yaml": (place / "policies/apps/permis.yaml").read_bytes()}
    (place / "policies/apps/permis.yaml").write_text("x: [")
    files = read_folder(place / "policies")
    key = "apps/:file:../certs/app.secret"
    assert key not in files.secrets
    assert read_for_good(place / "policies", files, good).secrets[key] == b"app"
    assert read_for_good(place / "policies", files, {}) is files


# --- under a team's fence ---


@pytest.mark.parametrize("name", ["../teams/urba/mine", "../teams/urba/deep/mine", "../teams/x/../urba/mine"])
def test_a_teams_file_names_what_is_below_its_folders(place: Path, name: str) -> None:
    assert read(place, "file", name, TEAM) == "mine"
    assert read(place, "file", str(place / "teams/urba/mine"), TEAM) == "mine"


@pytest.mark.parametrize(
    "name",
    ["../certs/app.secret", "../certs/store.key", "../teams/education/theirs", "../teams/urbanism/theirs",
     "../teams/urba/../education/theirs", "../teams/urba", "../var/sessions.sqlite", "/etc/hostname", "nowhere"],
)  # fmt: skip
def test_and_nothing_beyond_not_even_whether_it_is_there(place: Path, name: str) -> None:
    assert read(place, "file", name, TEAM) == BEYOND


@pytest.mark.parametrize(("kind", "name"), [("env", "APP_SECRET"), ("env", "STORE_KEY"), ("credential", "other")])
def test_no_environment_and_no_credential(place: Path, kind: str, name: str) -> None:
    assert read(place, kind, name, TEAM) == FILES_ALONE


@pytest.mark.parametrize("name", ["link", "inside", "folder/store.key", "deep/up/education/theirs"])
def test_no_link_is_followed_there(place: Path, name: str) -> None:
    """Also not to what would be its own: a link can be turned elsewhere between two looks."""
    urba = place / "teams/urba"
    (urba / "link").symlink_to(place / "certs/store.key")
    (urba / "inside").symlink_to("mine")
    (urba / "folder").symlink_to(place / "certs")
    (urba / "deep/up").symlink_to(place / "teams")
    assert read(place, "file", f"../teams/urba/{name}", TEAM) == LINK


def test_a_second_name_of_a_secret_is_that_secret(place: Path) -> None:
    os.link(place / "certs/store.key", place / "teams/urba/hard")
    assert read(place, "file", "../teams/urba/hard", TEAM) == SECRET


def test_the_fences_own_folder_may_be_behind_a_link(place: Path) -> None:
    """The operator says where it is."""
    (place / "teams").rename(place / "elsewhere")
    (place / "teams").symlink_to(place / "elsewhere")
    assert read(place, "file", "../teams/urba/mine", TEAM) == "mine"


def test_a_pipe_is_not_waited_for(place: Path) -> None:
    os.mkfifo(place / "teams/urba/pipe")
    assert read(place, "file", "../teams/urba/pipe", TEAM) == "this is not a file"


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        (GATEWAY.replace("{secrets: [../teams/urba]}", "{}"), BEYOND),
        (GATEWAY.replace("urba: {", "other: {"), BEYOND),
        (GATEWAY.replace("secrets: [../teams/urba]", "secrets: ../teams/urba"), BEYOND),
        ("teams: [", BEYOND),
        ("teams: {}\n", "mine"),
        ("version: 1\n", "mine"),
    ],
)
def test_without_a_fence_there_is_nothing_within_it(place: Path, gateway: str, said: str) -> None:
    """A folder below apps/ is a team's as soon as there is one; where nothing can be known, too."""
    (place / "policies/gateway.yaml").write_text(gateway)
    text = "translate: {headers: {X-A: {value: {file: ../teams/urba/mine}}}}\n"
    (place / "policies/apps/urba").mkdir(parents=True)
    (place / "policies" / TEAM).write_text(text)
    files = read_folder(place / "policies")
    found = {**files.unreadable, **{key: value.decode() for key, value in files.secrets.items()}}
    assert [value for key, value in found.items() if key.endswith("teams/urba/mine")] == [said]


def test_a_keyring_is_one_that_the_gateway_or_a_provider_names(place: Path) -> None:
    """Twice, and it is one; what an application's file calls so is none."""
    for path, key, name in (
        ("gateway.yaml", "keyring", "store.key"),
        ("providers/a.yaml", "client_keyring", "ca.pem"),
        ("providers/b.yaml", "client_keyring", "ca.pem"),
        ("apps/permis.yaml", "keyring", "app.secret"),
    ):
        (place / "policies" / path).parent.mkdir(exist_ok=True)
        (place / "policies" / path).write_text(f"{key}: {{file: ../certs/{name}}}\n")
    files = read_folder(place / "policies")
    assert [one.key for one in files.keyrings] == ["file:../certs/store.key", "file:../certs/ca.pem"]
    assert files.secrets["apps/:file:../certs/app.secret"] == b"app"
