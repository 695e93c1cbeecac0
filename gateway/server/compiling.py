"""Compiles the folder to a plan while the supervisor's loop goes on: a thread reads, and a helper process compiles."""

import asyncio
import hashlib
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway import __version__
from gateway.config.compile.build import build_gateway
from gateway.config.compile.plan import Compiled, names_of
from gateway.config.compile.process import OTHER_RELEASE, decode_outcome, encode_files, fingerprint_of, split_answer
from gateway.config.folder.files import Files, digest_of, is_app
from gateway.config.folder.read import read_folder, read_for_good, read_known_hosts
from gateway.config.problems import ProblemsFound
from gateway.config.schema.scalars import Reference
from gateway.config.snapshot import Gateway
from gateway.ops.counters import Dump
from gateway.ops.zeros import zeros
from gateway.server.faults import where

COMPILED_WITHIN = 120.0
# CPU seconds for a file. A file of 1 MB, the largest size, takes half of them. After a file that is too slow, the
# helper starts again from the first file, so later slow files get less.
_FILE_SECONDS, _LEAST_SECONDS = 2.0, 1.0

# -P: never imports modules from the current folder.
_HELPER = (sys.executable, "-P", "-m", "gateway.trial.compile_process")


class Refused(Exception):
    """The folder cannot be taken. The text lists the problems for the operator."""


@dataclass(frozen=True, slots=True)
class Live:
    """A plan that may be served.

    `plan`: the bytes from which every worker builds its snapshot.
    `revision`: the hash of the plan.
    `files`: the fingerprint of the files that were compiled.
    `left_out`: the problems of app files that were not taken.
    `kept`: the app files that stay in their last served form.
    `closed`: the app files whose hosts are closed.
    `good`: the app files in the plan, by path.
    `zeros`: the counters of the plan, at zero.
    `keyrings`: the digest of the keys in force, by keyring."""

    plan: bytes
    revision: str
    gateway: Gateway
    files: bytes = b""
    left_out: str = ""
    kept: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    good: Mapping[str, bytes] = field(default_factory=dict)
    zeros: Dump = field(default_factory=dict)
    keyrings: Mapping[Reference, bytes] = field(default_factory=dict)


async def compile_folder(folder: Path, within: float = COMPILED_WITHIN, *, live: Live | None = None) -> Live:
    """`live`: the plan that is served now; None at start. Raises Refused with every problem of every file, or with the
    reason why the folder cannot be compiled."""
    try:
        files = await asyncio.to_thread(read_folder, folder)
        encoded = encode_files(files)
        good = {} if live is None else live.good
        known = await asyncio.to_thread(read_known_hosts, files)
        files = await asyncio.to_thread(read_for_good, folder, files, good)
        asked = replace(files, good=good, known=known, starting=live is None)
        return _live(await _compiled(asked, within), files, fingerprint_of(encoded), good)
    except ProblemsFound as found:
        raise Refused(str(found)) from found
    except OSError as error:
        raise Refused(f"{folder}: the compiling process cannot be started: {error}") from error
    except (ValueError, KeyError) as error:
        raise Refused(f"{folder}: the compiling process returned no plan: {where(error)}") from error


def _live(compiled: Compiled, files: Files, fingerprint: bytes, before: Mapping[str, bytes]) -> Live:
    taken = {path: content for path, content in files.texts.items() if is_app(path) and path not in compiled.closed}
    return Live(
        compiled.plan,
        compiled.revision,
        build_gateway(compiled.plan),
        fingerprint,
        left_out=str(ProblemsFound(compiled.left_out)),
        kept=compiled.kept,
        closed=compiled.closed,
        good={**taken, **{path: before[path] for path in compiled.kept}},
        zeros=zeros(*names_of(compiled.plan)),
        keyrings={ring: digest(files.secrets.get(ring.key, b"")) for ring in files.keyrings},
    )


def digest(ring: bytes) -> bytes:
    return hashlib.sha256(ring).digest()


async def _compiled(files: Files, within: float) -> Compiled:
    """Compiles in a helper. If a file takes too long, asks again and names the file as wrong. Raises the errors of
    `decode_outcome`, and Refused, also after `within` seconds."""
    seconds, too_slow = _FILE_SECONDS, frozenset[str]()
    try:
        async with asyncio.timeout(within):
            while True:
                status, written = await _in_helper(encode_files(replace(files, too_slow=too_slow)), seconds)
                begun, answer = split_answer(written)
                if status == -signal.SIGPROF and begun not in too_slow:
                    too_slow |= {begun}
                    seconds = max(seconds / 2, _LEAST_SECONDS)
                elif status == OTHER_RELEASE:
                    raise Refused(
                        f"the program on disk has another release than the running gateway ({__version__}): "
                        "`ecluse restart` takes the new release and the folder"
                    )
                elif status:
                    raise Refused(f"the compiling process ended with status {status}")
                else:
                    return decode_outcome(answer)
    except TimeoutError:
        slow = sorted(path for path, content in files.texts.items() if digest_of(content) in too_slow)
        lines = [f"{files.folder}: not compiled within {within:.0f} s"]
        lines += [f"{files.shown(path)}: it takes too long to compile" for path in slow]
        raise Refused("\n".join(lines)) from None


async def _in_helper(files: bytes, seconds: float) -> tuple[int, bytes]:
    """Runs the helper. Returns its exit status and output. `seconds`: CPU time for each file."""
    process = await asyncio.create_subprocess_exec(
        *_HELPER, str(seconds), __version__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        written, _ = await process.communicate(files)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, written
