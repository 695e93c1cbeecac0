"""`ecluse fmt`: gives every file of the folder the same layout; with `--check`, names the files with another layout."""

import os
import secrets
import sys
from argparse import Namespace
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.saying import said_to_be_wrong, say_json
from gateway.config.folder.read import read_folder
from gateway.config.yaml.layout import NotLaidOut, lay_out


def run(told: Namespace) -> Exit:
    return fmt(told.folder, check=told.check, as_json=told.as_json)


def fmt(folder: Path, *, check: bool, as_json: bool) -> Exit:
    """Lays out every YAML file, even in a folder that cannot be served."""
    files = read_folder(folder)
    changed: list[str] = []
    refused = [problem.render() for problem in files.problems]
    for path, content in sorted(files.texts.items()):
        try:
            laid_out = lay_out(files.shown(path), content)
            if laid_out != content:
                changed.append(files.shown(path))
                if not check:
                    _write(folder / path, laid_out)
        except NotLaidOut as why:
            refused.append(str(why))
        except OSError as error:
            said_to_be_wrong(f"{files.shown(path)}: {error.strerror}")
            return Exit.USAGE
    _say(changed, refused, check=check, as_json=as_json)
    return Exit.FOUND if refused or (check and changed) else Exit.DONE


def _say(changed: list[str], refused: list[str], *, check: bool, as_json: bool) -> None:
    if as_json:
        say_json({"changed": changed, "refused": refused})
        return
    for path in changed:
        print(f"{path}: {'has another layout' if check else 'rewritten'}")
    for why in refused:
        print(why, file=sys.stderr)


def _write(path: Path, content: bytes) -> None:
    """Replaces the whole file or nothing. Keeps permissions, and a link stays a link."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, target.stat().st_mode & 0o777)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(target)
