"""The policy folder for a new provider file."""

import os
import re
from argparse import Namespace
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.cli.exits import Exit
from gateway.cli.folder import uncollected
from gateway.cli.questions import NotWritten, Prompts
from gateway.config.folder.files import GATEWAY_FILE, PROVIDERS, SUFFIX, Files
from gateway.config.folder.read import read_folder
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import load
from gateway.config.schema.types import NAME

CERTS = "certs"
# First labels of hosts that say what a server does, not whose it is.
_OF_SERVERS = frozenset(
    ("www", "sso", "idp", "id", "op", "auth", "login", "connect", "connexion", "identite", "identity", "accounts", "fs",
     "adfs", "cas", "saml", "oidc", "keycloak", "portail", "portal", "federation", "authentification")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PolicyFolder:
    """`names`: the names of the providers that have a file."""

    path: Path
    files: Files
    gateway: GatewayFile
    names: Set[str]

    @property
    def certs(self) -> Path:
        """The folder of keys and secrets, beside the policy folder."""
        return self.path.absolute().parent / CERTS

    def reference(self, file: Path) -> str:
        """A path in the form of provider files: relative, below the parent of the policy folder."""
        absolute, above = os.path.abspath(file), self.path.absolute()
        if absolute.startswith(f"{above.parent}/"):
            return os.path.relpath(absolute, above)
        return absolute

    def provider_file(self, name: str) -> Path:
        return self.path / PROVIDERS / f"{name}{SUFFIX}"


def policy_folder(folder: Path) -> PolicyFolder:
    """Raises NotWritten for a folder without a usable gateway.yaml."""
    with uncollected():
        files = read_folder(folder)
        loaded, problems = load(files)
    if loaded.gateway_file is None:
        of_it = [problem.render() for problem in problems if problem.place.file == files.shown(GATEWAY_FILE)]
        why = "\n".join(of_it) or f"{files.shown(GATEWAY_FILE)} is missing: `ecluse init` makes a first one"
        raise NotWritten(why, Exit.FOUND)
    names = {written for one in loaded.providers if (written := one.written("provider"))}
    return PolicyFolder(folder, files, loaded.gateway_file, names)


def ask_name(told: Namespace, place: PolicyFolder, questions: Prompts, host: str) -> str:
    """The name of the new provider. Raises NotWritten for a wrong or used name in `--name`."""

    def wrong(name: str) -> str:
        if not re.fullmatch(NAME, name):
            return "a name is made of a-z, 0-9 and -, at most 63"
        if name in place.names:
            return f"there is a provider {name} already"
        return f"{place.provider_file(name)} is there already" if place.provider_file(name).exists() else ""

    if told.name is not None:
        if why := wrong(told.name):
            raise NotWritten(f"--name {told.name}: {why}")
        return str(told.name)
    usual = usual_name(host)
    return questions.text("Name of the provider", "--name NAME", "" if wrong(usual) else usual, wrong)


def mapped(told: Namespace) -> dict[str, str]:
    """The attributes of `--attribute`. Raises NotWritten."""
    found = {}
    for given in told.attribute:
        name, equals, source = given.partition("=")
        if not (name and equals and source):
            raise NotWritten(f"--attribute {given}: write NAME=SOURCE, as in siret=organization.siret")
        found[name] = source
    return found


def usual_name(host: str) -> str:
    """A name from the host of the provider's address: the first label that names the organisation."""
    labels = host.lower().split(".")[:-1] if not host.replace(".", "").isdigit() else []
    found = next((label for label in labels if label not in _OF_SERVERS), "")
    return found if re.fullmatch(NAME, found) else ""


def host_of(address: str) -> str:
    return urlsplit(address).hostname or ""
