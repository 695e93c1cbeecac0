"""From the folder to a plan, without the supervisor ever standing still: read in a thread, compiled in a helper."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from gateway.config.build import build_gateway
from gateway.config.compile_process import decode_answer, encode_files
from gateway.config.problems import ProblemsFound
from gateway.config.read import read_folder
from gateway.config.snapshot import Gateway

_COMPILED_WITHIN = 120.0


class Refused(Exception):
    """The folder cannot be taken; the text is the operator's, problem by problem."""


@dataclass(frozen=True, slots=True)
class Live:
    """A plan that may be served: the bytes that every worker builds its snapshot from, and their hash."""

    plan: bytes
    revision: str
    gateway: Gateway


async def compile_folder(folder: Path) -> Live:
    """Raises Refused with every problem of every file."""
    try:
        files = await asyncio.to_thread(read_folder, folder)
        compiled = decode_answer(await _in_helper(encode_files(files)))
    except ProblemsFound as found:
        raise Refused(str(found)) from found
    return Live(compiled.plan, compiled.revision, build_gateway(compiled.plan))


async def _in_helper(files: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.config.compile_process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        answer, _ = await asyncio.wait_for(process.communicate(files), _COMPILED_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Refused(f"not compiled within {_COMPILED_WITHIN:.0f} s") from None
    if process.returncode != 0:
        raise Refused(f"the compiling process ended with status {process.returncode}")
    return answer
