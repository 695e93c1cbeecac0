"""The configuration with which a gateway replaces a running gateway. The result is the same as after a reload."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from gateway.server.compiling import Live, Refused, compile_folder
from gateway.server.faults import CannotServe
from gateway.server.replacement import IndexesFiles, decode_good, refusal, standing_from
from gateway.server.succession import Link


async def take_over(
    elder: Link,
    live: Live,
    folder: Path,
    with_token_keys: Callable[[Live], Awaitable[Live]],
    reads: IndexesFiles,
    *,
    fewer_hosts: bool,
) -> Live:
    """The configuration that replaces the running gateway's. If a reload would refuse the folder, tells the running
    gateway why, and raises CannotServe or Refused.

    `live`: the compiled folder by the rules of a start.
    `fewer_hosts`: the operator agrees to lose hosts."""
    before = standing_from(await elder.standing())
    if before is None:
        return live
    try:
        if live.left_out:
            # A start omits wrong files. A reload keeps their last served form, or refuses the folder.
            kept = replace(live, good=decode_good(await elder.good()))
            live = await with_token_keys(await compile_folder(folder, live=kept))
    except Refused as wrong:
        await elder.refuse("", str(wrong))
        raise
    refused = await refusal(before, live, reads, fewer_hosts=fewer_hosts)
    if refused.detail:
        await elder.refuse(refused.code, refused.detail)
        raise CannotServe(refused.detail)
    return live
