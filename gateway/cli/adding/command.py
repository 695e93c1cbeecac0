"""`ecluse provider add URL`: looks at a provider, proposes a file, asks the operator, and writes the file.

Writes only after the last answer, and only if the folder takes the file.
"""

import asyncio
import os
import shlex
import sys
from argparse import Namespace

from gateway.cli.adding.addition import Addition, say_rows
from gateway.cli.adding.openid import ask_openid
from gateway.cli.adding.place import PolicyFolder, policy_folder
from gateway.cli.adding.saml import ask_saml
from gateway.cli.exits import Exit
from gateway.cli.folder import uncollected
from gateway.cli.new_files import NewFile, created
from gateway.cli.questions import NotWritten, Prompts
from gateway.cli.saying import problem_json, said_to_be_wrong, say_json
from gateway.config.compile.compiler import compile_files
from gateway.config.draft.provider import AssertedBounds, Chosen
from gateway.config.folder.files import PROVIDERS, SUFFIX, Files
from gateway.config.folder.read import read_folder, with_file
from gateway.config.problems import Problem, ProblemsFound
from gateway.config.schema import scalars
from gateway.config.schema.scalars import Wrong
from gateway.federation.first_look import OpenidLook, ProviderReach, SamlLook, look_at
from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError


def add(told: Namespace) -> Exit:
    try:
        return _add(told)
    except NotWritten as why:
        return _refused(told, str(why), why.status, why.code)
    except GatewayError as error:
        more = " (--private-addresses)" if error.code is oidc_codes.ADDRESS else ""
        return _refused(told, f"{error.detail}{more}; nothing is written", Exit.FOUND, error.code.id)
    except KeyboardInterrupt:
        return _refused(told, "interrupted; nothing is written", Exit.FOUND, "")


def _add(told: Namespace) -> Exit:
    questions = Prompts(asks=not (told.yes or told.as_json) and sys.stdin.isatty())
    if not questions.asks and not told.yes:
        raise NotWritten("this command asks questions: run it at a terminal, or answer by flags and --yes")
    place = policy_folder(told.folder)
    address = _address(told.url, development=place.gateway.development)
    chosen = Chosen(
        "", AssertedBounds(), {"": told.label} if told.label else {}, _ca(told, place), told.private_addresses
    )
    reach = ProviderReach(
        None if told.ca is None else told.ca.read_bytes(), told.private_addresses, place.gateway.development
    )
    look = asyncio.run(look_at(address, reach, told.entity_id))
    addition = _asked(told, place, look, questions, chosen)
    if questions.asks:
        print(f"\n{place.provider_file(addition.name)}:\n")
        print("".join(f"    {line}\n" if line else "\n" for line in addition.text.decode().splitlines()))
        if not questions.agrees("Write it?", usually=True):
            raise NotWritten("nothing is written", Exit.FOUND)
    others = _write(place, addition)
    _say(told, place, addition, others)
    return Exit.DONE


def _asked(
    told: Namespace, place: PolicyFolder, look: OpenidLook | SamlLook, questions: Prompts, chosen: Chosen
) -> Addition:
    if isinstance(look, OpenidLook):
        return ask_openid(told, place, look, questions, chosen)
    return ask_saml(told, place, look, questions, chosen)


def _address(text: str, *, development: bool) -> str:
    try:
        address = scalars.web_address(text)
    except Wrong as wrong:
        raise NotWritten(f"{text}: {wrong.message}" + (f" ({wrong.hint})" if wrong.hint else "")) from None
    if address.startswith("http:") and not development:
        raise NotWritten(f"{text}: a provider is asked by https alone")
    return address


def _ca(told: Namespace, place: PolicyFolder) -> str:
    if told.ca is None:
        return ""
    try:
        told.ca.read_bytes()
    except OSError as error:
        raise NotWritten(f"--ca {told.ca}: {error.strerror}") from None
    return place.reference(told.ca)


# --- writing


def _write(place: PolicyFolder, addition: Addition) -> list[Problem]:
    """Writes the files if the folder stays valid. Returns the problems of the folder before. Raises NotWritten."""
    before = _problems(place.files)
    path = f"{PROVIDERS}/{addition.name}{SUFFIX}"
    _make_folders(place)
    with created(addition.beside):
        # The new file in memory, its references on disk.
        found = _problems(with_file(place.path, read_folder(place.path), path, addition.text))
        if new := [problem for problem in found if problem not in before]:
            listed = "\n".join(problem.render() for problem in new)
            raise NotWritten(
                f"the folder would not take the new file; nothing is written\n{listed}", Exit.FOUND, new[0].code
            )
        with created((NewFile(place.provider_file(addition.name), addition.text),)):
            return before


def _problems(files: Files) -> list[Problem]:
    try:
        with uncollected():
            compile_files(files)
    except ProblemsFound as found:
        return list(found.problems)
    return []


def _make_folders(place: PolicyFolder) -> None:
    """The folders of a first provider and of a first key, with the owner of the policy folder."""
    above = place.path.stat()
    for folder, mode in ((place.path / PROVIDERS, 0o755), (place.certs, 0o700)):
        if not folder.exists():
            try:
                folder.mkdir(mode)
                if os.geteuid() == 0:
                    os.chown(folder, above.st_uid, above.st_gid)
            except OSError as error:
                raise NotWritten(f"{folder}: {error.strerror}; nothing is written") from None


# --- saying


def _say(told: Namespace, place: PolicyFolder, addition: Addition, others: list[Problem]) -> None:
    files = [place.provider_file(addition.name), *(file.path for file in addition.beside)]
    if told.as_json:
        problems = [problem_json(problem) for problem in others]
        say_json({"provider": addition.name, "files": list(map(str, files)), **addition.facts, "problems": problems})
        return
    print()
    for file in files:
        print(f"written: {file}")
    if addition.facts["protocol"] == "saml":
        say_rows("\nWhat the provider's administrator enters for this gateway:", addition.register)
    folder = shlex.quote(str(place.path))
    print("\nNext:")
    print(f"  list {addition.name} in `providers:` of the applications that shall listen to it")
    if others:
        print(f"  correct the {len(others)} other problem(s) of the folder: ecluse check {folder}")
    print(f"  ecluse reload {folder}")


def _refused(told: Namespace, why: str, status: Exit, code: str) -> Exit:
    if told.as_json:
        say_json({"code": code, "problem": why})
    said_to_be_wrong(f"{code}: {why}" if code else why)
    return status
