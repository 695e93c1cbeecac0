"""The messages to and from the process that compiles: files one way, a plan or the problems the other way, as bytes.

Before its answer the process reports the file that it works on, so that a caller who ends a slow process knows the
file.

A message is four bytes of length, a JSON head of that length, and payloads whose sizes the head gives."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from gateway.config.compile.plan import Compiled
from gateway.config.folder.files import Files
from gateway.config.folder.read import read_folder
from gateway.config.problems import Place, Problem, ProblemsFound

_LENGTH = 4

OTHER_RELEASE: Final = 3
"""Exit status of the process that compiles: the program on disk is of another release than its caller."""


def encode_files(files: Files) -> bytes:
    texts, secrets = list(files.texts.items()), list(files.secrets.items())
    head = {
        "folder": files.folder,
        "root": files.root,
        "texts": [[path, len(content)] for path, content in texts],
        "secrets": [[key, len(content)] for key, content in secrets],
        "unreadable": dict(files.unreadable),
        "problems": [asdict(problem) for problem in files.problems],
        "good": [[path, len(content)] for path, content in files.good.items()],
        "known": {path: list(hosts) for path, hosts in files.known.items()},
        "starting": files.starting,
        "too_slow": sorted(files.too_slow),
    }
    return _message(head, [*(content for _, content in texts + secrets), *files.good.values()])


def decode_files(message: bytes) -> Files:
    """Raises ValueError where this is no message of ours."""
    head, payloads = _parts(message)
    texts, payloads = _named(head["texts"], payloads)
    secrets, payloads = _named(head["secrets"], payloads)
    good, _ = _named(head["good"], payloads)
    return Files(
        head["folder"],
        head["root"],
        texts,
        secrets,
        head["unreadable"],
        tuple(map(_problem, head["problems"])),
        good=good,
        known={path: tuple(hosts) for path, hosts in head["known"].items()},
        starting=head["starting"],
        too_slow=frozenset(head["too_slow"]),
    )


def fingerprint(folder: Path) -> bytes:
    """The fingerprint of every byte of the folder's files and references, secrets included. A swapped link, a bind
    mount and a change on NFS each change the fingerprint. Never raises."""
    return fingerprint_of(encode_files(read_folder(folder)))


def fingerprint_of(encoded: bytes) -> bytes:
    """The fingerprint of files, from the output of `encode_files`."""
    return hashlib.sha256(encoded).digest()


def encode_outcome(outcome: Compiled | ProblemsFound) -> bytes:
    if isinstance(outcome, Compiled):
        left_out = [asdict(problem) for problem in outcome.left_out]
        head = {"revision": outcome.revision, "left_out": left_out, "kept": outcome.kept, "closed": outcome.closed}
        return _message(head, [outcome.plan])
    return _message({"problems": [asdict(problem) for problem in outcome.problems]}, [])


def decode_outcome(message: bytes) -> Compiled:
    """The compiled plan. Raises ProblemsFound if the message carries problems, ValueError if it is no message of
    ours."""
    head, payload = _parts(message)
    if "problems" in head:
        raise ProblemsFound(map(_problem, head["problems"]))
    left_out = tuple(map(_problem, head["left_out"]))
    return Compiled(payload, head["revision"], left_out, tuple(head["kept"]), tuple(head["closed"]))


ANSWER: Final = b"\n\n"
"""Between what was begun and the answer: digests of contents (`folder.files.digest_of`), each behind a line end."""


def split_answer(written: bytes) -> tuple[str, bytes]:
    """The digest of the content that was begun last, and the answer. Each is empty if it is missing."""
    begun, _, answer = written.partition(ANSWER)
    return begun.rpartition(b"\n")[2].decode("ascii"), answer


def _message(head: object, payloads: Iterable[bytes]) -> bytes:
    # ASCII, because names of files may hold lone surrogates.
    encoded = json.dumps(head).encode("ascii")
    return b"".join((len(encoded).to_bytes(_LENGTH, "big"), encoded, *payloads))


def _parts(message: bytes) -> tuple[dict[str, Any], bytes]:
    end = _LENGTH + int.from_bytes(message[:_LENGTH], "big")
    head = json.loads(message[_LENGTH:end])
    if not isinstance(head, dict):
        raise ValueError("not an object")
    return head, message[end:]


def _named(sizes: Iterable[tuple[str, int]], payloads: bytes) -> tuple[dict[str, bytes], bytes]:
    named = {}
    start = 0
    for name, size in sizes:
        named[name] = payloads[start : start + size]
        start += size
    if start > len(payloads):
        raise ValueError("cut short")
    return named, payloads[start:]


def _problem(value: dict[str, Any]) -> Problem:
    others = tuple((word, Place(**place)) for word, place in value["others"])
    return Problem(Place(**value["place"]), value["key"], value["message"], value["suggestion"], others, value["code"])
