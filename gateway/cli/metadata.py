"""`ecluse metadata`: prints the gateway's SAML metadata, for a provider that cannot fetch them from the portal."""

import secrets
import sys
from argparse import Namespace
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.folder import compiled
from gateway.cli.saying import said_to_be_wrong, say_problems
from gateway.config.problems import ProblemsFound
from gateway.model.provider import SamlProvider
from gateway.saml.sp_metadata import requested_attributes, sp_metadata


def run(told: Namespace) -> Exit:
    return metadata(told.folder)


def metadata(folder: Path) -> Exit:
    try:
        _, _, snapshot = compiled(folder)
    except ProblemsFound as problems:
        say_problems(problems, as_json=False)
        return Exit.FOUND
    own = snapshot.gateway.service_provider
    if own is None:
        said_to_be_wrong(f"{folder}/gateway.yaml has no saml: keys")
        return Exit.FOUND
    document = sp_metadata(
        own,
        # An ID begins with no digit (XML Namespaces 3).
        id=f"_{secrets.token_hex(16)}",
        service_name=snapshot.gateway.portal_host,
        requested=requested_attributes(
            own, (provider for provider in snapshot.providers.values() if isinstance(provider, SamlProvider))
        ),
        # No validUntil: a provider that keeps the metadata as a file would refuse the gateway from that day on.
    )
    sys.stdout.buffer.write(document + b"\n")
    return Exit.DONE
