"""A federation of 10,000 identity providers in one signed document: what the helper takes, and what a worker does.

`cpu_s`, `peak_mb`: of the helper process, from its start to its end, fetching from a server on this machine included.
`nested_cpu_s`, `nested_peak_mb`: where all members are in a group of a group.
`found_ms`: one entity, read from the index by a worker that never asked for it before, less what it waited for a core,
the best of three; the median and the longest of 100.
`start_ms`: a gateway that starts with the copy on disk. `worker_added_mb`: after 100 entities were asked for.
"""

import asyncio
import base64
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from threading import Thread

from gateway.federation.metadata_helper import HELPER
from gateway.federation.metadata_index import index_path
from gateway.federation.metadata_keeper import MetadataKeeper
from gateway.federation.metadata_lanes import limits_of
from gateway.federation.metadata_process import FetchTask, decode_outcome, encode_task
from gateway.federation.metadata_source import MetadataSource, source_of
from gateway.federation.saml import SamlFederation
from gateway.model.provider import MetadataUrl, SamlProvider
from gateway.ops.log import Log
from gateway.saml.times import instant
from gateway.server.loop_stalls import Waited
from tests.bench.processes import rss_megabytes
from tests.saml.metadata_samples import MD, SHIBBOLETH, group, signed
from tests.saml.parties import IDP, PROVIDER, pair, spki

NAME = "saml_aggregate_10000"
_ENTITIES = 10_000
_ASKED = 100


def row(folder: Path) -> dict[str, object]:
    folder.mkdir()
    key = spki(pair("federation"))
    # In a process of its own: Linux counts what its parent once had as the helper's peak.
    writer = get_context("fork").Process(target=_write, args=(folder,))
    writer.start()
    writer.join()
    size = (folder / "all.xml").stat().st_size
    with _served(folder) as port:
        provider, source = _fetched(f"http://127.0.0.1:{port}/all.xml", key)
        cpu, peak = _indexed(folder, source)
        _, nested = _fetched(f"http://127.0.0.1:{port}/nested.xml", key)
        nested_cpu, nested_peak = _indexed(folder, nested)
    found, added = asyncio.run(_asked(folder, provider))
    return {
        "bench": NAME,
        "document_mb": round(size / 1e6, 1),
        "cpu_s": round(cpu, 2),
        "peak_mb": round(peak),
        "nested_cpu_s": round(nested_cpu, 2),
        "nested_peak_mb": round(nested_peak),
        "index_mb": round(index_path(folder, source.id).stat().st_size / 1e6, 1),
        "found_ms": [round(median(found) * 1000, 2), round(max(found) * 1000, 2)],
        "start_ms": round(asyncio.run(_started(folder, source)) * 1000, 1),
        "worker_added_mb": round(added, 1),
    }


def _fetched(url: str, key: bytes) -> tuple[SamlProvider, MetadataSource]:
    provider = replace(PROVIDER, metadata=MetadataUrl(url, "aggregate", (key,)), development=True)
    source = source_of(provider)
    if source is None:
        raise TypeError("not fetched")
    return provider, source


def _write(folder: Path) -> None:
    """As federations publish them: 10 KB an entity, half of it texts for people."""
    chance = random.Random(0)
    members = [_member(number, base64.b64encode(chance.randbytes(60)).decode()) for number in range(_ENTITIES)]
    lives = f'validUntil="{instant(time.time() + 7 * 86400)}" cacheDuration="PT1H"'
    (folder / "all.xml").write_bytes(signed(group(members, attributes=lives)))
    nested = group([group([group(members, id="_i")], id="_h")], attributes=lives)
    (folder / "nested.xml").write_bytes(signed(nested))


def _member(number: int, text: str) -> str:
    people = "".join(
        f'<md:ContactPerson contactType="technical"><md:GivenName>{text}</md:GivenName>'
        f"<md:EmailAddress>mailto:dsi{each}@idp{number}.example</md:EmailAddress></md:ContactPerson>"
        for each in range(6)
    )
    told = "".join(f'<mdui:Description xml:lang="l{each}">{text * 3}</mdui:Description>' for each in range(10))
    organization = "".join(
        f'<md:Organization{part} xml:lang="l{each}">{text}</md:Organization{part}>'
        for part in ("Name", "DisplayName", "URL")
        for each in range(8)
    )
    return (
        SHIBBOLETH.replace(IDP, _name(number))
        .replace(f" {MD}", "")
        .replace("</mdui:UIInfo>", f"{told}</mdui:UIInfo>")
        .replace(
            "</md:EntityDescriptor>", f"<md:Organization>{organization}</md:Organization>{people}</md:EntityDescriptor>"
        )
    )


def _name(number: int) -> str:
    return f"https://idp{number}.example/metadata"


@contextmanager
def _served(folder: Path) -> Iterator[int]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _indexed(folder: Path, source: MetadataSource) -> tuple[float, float]:
    """CPU seconds and megabytes at the most of the helper as the supervisor starts it."""
    helper = subprocess.Popen(HELPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if helper.stdin is None or helper.stdout is None:
        raise OSError("no pipes")
    helper.stdin.write(encode_task(FetchTask(folder, source, limits_of("large", aggregate=True))))
    helper.stdin.close()
    outcome = decode_outcome(helper.stdout.readline())
    _, _, used = os.wait4(helper.pid, 0)
    helper.stdout.close()
    helper.returncode = 0
    if outcome.copy is None or outcome.copy.entities != _ENTITIES:
        raise RuntimeError(f"{outcome.code}: {outcome.detail}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class _Nobody:
    async def refresh_metadata(self, source_id: str) -> None:
        raise RuntimeError(source_id)


async def _asked(folder: Path, provider: SamlProvider) -> tuple[list[float], float]:
    before, waited = rss_megabytes(os.getpid()), Waited()
    found = [
        min(
            [await _found(folder, replace(provider, name=f"p{number}", issuer=_name(number)), waited) for _ in range(3)]
        )
        for number in range(0, _ENTITIES, _ENTITIES // _ASKED)
    ]
    return found, rss_megabytes(os.getpid()) - before


async def _found(folder: Path, provider: SamlProvider, waited: Waited) -> float:
    federation = SamlFederation(folder, _Nobody(), time.time)
    started, waited_before = time.perf_counter(), waited.seconds()
    await federation.idp_metadata(provider)
    return time.perf_counter() - started - (waited.seconds() - waited_before)


async def _started(folder: Path, source: MetadataSource) -> float:
    """Of the supervisor: the copy is found and nothing is fetched."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    log = Log(nowhere)
    keeper = MetadataKeeper(folder, log, helper=(sys.executable, "-c", "raise SystemExit(1)"))
    started = time.perf_counter()
    await keeper.use({source: ("federation",)})
    took = time.perf_counter() - started
    await keeper.close()
    log.close()
    os.close(nowhere)
    return took
