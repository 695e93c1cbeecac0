"""K009 to K102, those of files, clocks, logs and the sources: what is started, read, written and never done."""

import asyncio
import contextlib
import json
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

from gateway.config.compile.compiler import compile_files
from gateway.config.folder.read import read_folder
from gateway.config.problems import ProblemsFound
from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.cross_site import to_callback
from tests.attacks.exchange import Answer, Door
from tests.attacks.outbound import check
from tests.attacks.outcomes import denied, passed, unseen
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import PORTAL, SEAT, Stage, World
from tests.patience import until

PAGE = "/private/page"
APP = "prefix-public"

# --- files ---

# (file, what is put in place of what, what the problem has to name)
MISTAKES = (
    ("apps/levels.yaml", "allow: signed_in}\n", "alow: signed_in}\n", "alow"),
    ("apps/both.yaml", "providers: [alpha, beta]", "provider: [alpha, beta]", "provider"),
    ("apps/short.yaml", "then: sign_in", "than: sign_in", "than"),
    ("apps/lists.yaml", "join: ", "joint: ", "joint"),
    ("apps/nocase.yaml", "{case: insensitive}", "{case: INSENSITIVE}", "case"),
    ("apps/latin.yaml", "{encoding: latin1}", "{encodings: latin1}", "encodings"),
    ("apps/exact-deny.yaml", "deny: {not: {group: admins}}", "deny: {nor: {group: admins}}", "nor"),
    ("apps/regex-deny.yaml", "allow: anyone", "allow: everyone", "access[1].allow"),
    ("apps/renamed.yaml", "allow: anyone", 'when: "1 == 1"', "when"),
    ("apps/odd-names.yaml", "Note:", "X Note:", "X Note"),
    ("apps/wsgi.yaml", "X-Dept:", "x.remote.user:", "x.remote.user"),
    ("apps/beta-only.yaml", "path: /public/**", "path: /public/../x", ".."),
    ("providers/beta.yaml", "email_domains", "email_domain", "email_domain"),
    ("providers/alpha.yaml", "siret: siret", "tenant: siret", "tenant"),
    ("gateway.yaml", "trusted_proxies", "trusted_proxy", "trusted_proxy"),
)
# What only the files together show.
CONTRADICTIONS = (
    ("apps/legacy.yaml", "hosts: [legacy.localhost]", "hosts: [both.localhost]", "hosts[0]"),
    ("apps/lists.yaml", "providers: [alpha]", "providers: [alhpa]", "providers[0]"),
)
# K096: names of the gateway's own, which no mapping may write over.
OWN_NAMES = ("iss", "sub", "aud", "exp", "nonce", "tenant", "session", "provider", "issuer", "subject", "acr", "amr",
             "auth_time", "authenticated_at", "left_out", "sid")  # fmt: skip


async def unknown_keys(world: World) -> None:
    """K009: a key that is not known stops the start, each with its place; and so does what says nothing."""
    for mistakes in (MISTAKES, CONTRADICTIONS):
        with copied(world) as policies:
            for path, old, new, _ in mistakes:
                put(policies / path, old, new)
            checked = await check(policies)
            expect(checked.returncode == 1, f"accepted: {checked.stdout}")
            missing = [path for path, *_, name in mistakes if not told_of(checked.stderr, path, name)]
            expect(not missing, f"no problem is told of {missing}: {checked.stderr[:2000]}")
    with copied(world) as policies:
        checked = await check(policies)
        expect(checked.returncode == 0, f"the control: as it is, it is accepted: {checked.stderr[:500]}")


async def own_names(world: World) -> None:
    """K096"""
    for number, name in enumerate(OWN_NAMES):
        with copied(world) as policies:
            put(policies / "providers/alpha.yaml", "note: note", f"{name}: note")
            # Aside, for the providers answer from this loop.
            problems = (await check(policies)).stderr if number == 0 else await asyncio.to_thread(problems_of, policies)
            expect(told_of(problems, "providers/alpha.yaml", name), f"{name}: {problems[:400]}")


def problems_of(policies: Path) -> str:
    """What `ecluse check` prints, without a process of its own."""
    try:
        compile_files(read_folder(policies))
    except ProblemsFound as found:
        return str(found)
    return ""


def told_of(problems: str, path: str, name: str) -> bool:
    return any(path in line and name in line for line in problems.splitlines())


def put(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    expect(old in text, f"{path.name} does not hold {old!r}")
    path.write_text(text.replace(old, new))


class copied:  # noqa: N801 - read as a word of the test
    """The live policy folder with its certificates and its directory, elsewhere."""

    def __init__(self, world: World) -> None:
        self._from = world.folder

    def __enter__(self) -> Path:
        self._folder = tempfile.TemporaryDirectory(prefix="ecluse-policies-")
        folder = Path(self._folder.name)
        for name in ("policies", "certs"):
            shutil.copytree(self._from / name, folder / name)
        shutil.copy(self._from / "offices.db", folder)
        return folder / "policies"

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()


async def missing_files(world: World) -> None:
    """K032: a key, a certificate or a file that is gone at a reload: refused, and the old folder stays in force."""
    cookie = await world.cookie(APP)
    for name in (
        "certs/store.key",
        "certs/tls.key",
        "certs/tls.pem",
        "policies/gateway.yaml",
        "policies/providers/alpha.yaml",
    ):
        path = world.folder / name
        kept, mark = path.read_bytes(), world.gateway.mark()
        path.unlink()
        try:
            world.gateway.signal(signal.SIGHUP)
            told = await world.logged(mark, event="config.refused")
        finally:
            path.write_bytes(kept)
        expect(path.stem in str(told), f"{name} is not named: {told}")
        for _ in range(4):
            passed(world, await world.send(request(APP, PAGE, cookie=cookie)))
            denied(world, await world.send(request(APP, PAGE)))
    mark = world.gateway.mark()
    world.gateway.signal(signal.SIGHUP)
    await world.logged(mark, event="config.loaded")


# --- the store out of reach ---


async def store_out_of_reach(world: World) -> None:
    """FAILSAFE, on a gateway of its own: 503 with Retry-After for what needs a person, no way through and no way to
    sign in; what is public goes on; and when the store is back, so is everything."""
    with tempfile.TemporaryDirectory(prefix="ecluse-failsafe-") as name:
        async with Stage(Path(name)) as stage:
            here = stage.world
            cookie = await here.cookie(APP)
            passed(here, await here.send(request(APP, PAGE, cookie=cookie)))
            var = here.folder / "var"
            var.rename(here.folder / "away")
            var.write_text("no folder")
            await failsafe(here, cookie)
            var.unlink()
            (here.folder / "away").rename(var)
            for _ in range(600):
                seen = await here.send(request(APP, PAGE, cookie=cookie))
                if seen.answer.status == 200:
                    break
                await asyncio.sleep(0.1)
            passed(here, await here.send(request(APP, PAGE, cookie=cookie)))
            expect(not here.faults(0), f"{here.faults(0)[:3]}")


async def failsafe(here: World, cookie: bytes) -> None:
    unknown = f"{SEAT}={'A' * 22}.{'B' * 43}".encode()
    # What a worker has in memory it answers by, for a second.
    known_until = time.monotonic() + 1.5
    while time.monotonic() < known_until:
        seen = await here.send(request(APP, PAGE, cookie=cookie))
        expect(seen.answer.status in (200, 503), f"{seen}")
        await asyncio.sleep(0.05)
    for held in (cookie, unknown):
        for lines in (NAVIGATION, ()):
            for _ in range(4):
                seen = await here.send(request(APP, PAGE, *lines, cookie=held))
                unseen(here, seen)
                expect(seen.answer.status == 503 and seen.answer.header(b"retry-after") != b"", f"{seen}")
                expect(not seen.answer.header(b"location"), f"sent to sign in: {seen}")
                passed(here, await here.send(request(APP, "/public/page", *lines, cookie=held)))
    callback = f"/_ecluse/callback/alpha?state={'a' * 43}"
    targets = ((APP, PAGE), (APP, "/_ecluse/enter?code=x"), (PORTAL, "/_ecluse/start?t=x"), (PORTAL, callback))
    for place, target in (*targets, (PORTAL, "/_ecluse/login?provider=alpha")):
        seen = await here.send(request(place, target, *NAVIGATION))
        unseen(here, seen)
        expect(seen.answer.status == 503, f"{target}: {seen}")


# --- clocks of a handshake ---


async def slow_handshake(world: World) -> None:
    """K035: a TLS handshake that dribbles, or never begins, is closed long before the loop would, after a minute."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300)
    door = Door(world.ports["tls"])
    dribble = [hello[at : at + 1] for at in range(40)]
    closed = await asyncio.gather(*(_is_closed(door, pieces) for pieces in (dribble, [], [hello[:60]])))
    expect(all(closed), f"closed: {closed}")


async def silent_handshakes(world: World) -> None:
    """DO06, of TLS: one address holds no more than its limit, in each worker, from accept on; others are served."""
    door = Door(world.ports["tls"], source="127.0.0.9")
    clients = [asyncio.create_task(_held(door)) for _ in range(100)]
    try:
        # What two workers hold is 40. Those end as well when they were silent for too long, but not yet.
        with contextlib.suppress(TimeoutError):
            await until(lambda: sum(client.done() for client in clients) >= 60)
        ended = sum(client.done() for client in clients)
        expect(60 <= ended < 100, f"{ended} of 100 were turned away, of 40 that two workers hold")
        passed(world, await world.send(request(APP, "/public/x")))
    finally:
        for client in clients:
            client.cancel()
        await asyncio.wait(clients)


async def _held(door: Door) -> None:
    """Says nothing until the other side ends it, which may be while it connects."""
    writer = None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port, local_addr=(door.source, 0))
        await reader.read(1)
    except OSError:
        pass
    finally:
        if writer is not None:
            writer.transport.abort()


async def _is_closed(door: Door, pieces: list[bytes]) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writing = asyncio.create_task(_dribble(writer, pieces))
    try:
        async with asyncio.timeout(45.0):
            while await reader.read(1000):
                pass
    except TimeoutError:
        return False
    except OSError:
        pass
    finally:
        writing.cancel()
        writer.transport.abort()
    return True


async def _dribble(writer: asyncio.StreamWriter, pieces: list[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.5)


# --- the admin listener ---


async def admin_paths(world: World) -> None:
    """K045, K047: three paths exactly, GET alone, whatever the page that asks."""
    for path in ("/livez", "/readyz", "/metrics"):
        status, _ = await world.gateway.admin(path)
        expect(status == 200, f"the control: {path}: {status}")
        for odd in (f"{path}X", f"{path}/", f"{path}/00", f"{path}%2f", f"{path};x", f"/{path}", f"{path}/../x"):
            status, told = await world.gateway.admin(odd)
            expect(status in (403, 404), f"{odd}: {status} {told[:80]}")
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            status, _ = await world.gateway.admin(path, method, Origin="https://evil.example")
            expect(status in (403, 405), f"{method} {path}: {status}")
    for path in ("/", "/debug", "/reload", "/sessions", "/_ecluse/session", "/api/routes", "/api/routesX"):
        status, _ = await world.gateway.admin(path)
        expect(status == 404, f"{path}: {status}")


# --- the log ---

INJECTIONS = (
    b"a\x1b[31mred", "a\u2028b\u2029c".encode(), b'a","level":"info","event":"login.succeeded', b"a\\nb", b"\xff\xfe",
    b"a\x7fb", "\u202e".encode(), b"%0d%0aevent", b"\\u000a", b"a\tb",
)  # fmt: skip


async def one_line_per_event(world: World) -> None:
    """K092: whatever a path, a header, a name or a provider's error holds, an event is one line of JSON."""
    mark = world.gateway.mark()
    references = []
    for value in INJECTIONS:
        requests = [request(APP, "/admin", name + value) for name in (b"User-Agent: ", b"X-Request-Id: ", b"Referer: ")]
        requests += [request(APP, target + value) for target in (b"/%zz", b"/../", b"/_ecluse/")]
        requests.append(request(APP, "/x").replace(b"Host: ", b"Host: " + value))
        requests.append(request(APP, "/x", method=b"GE" + value))
        answers = [(await world.send(data)).answer for data in requests]
        references += [reference_of(answer) for answer in answers if answer.status not in (401, 403)]
    expect(len(set(references)) == len(references) > 40, f"{len(references)} refusals, not each with its reference")
    # Each refusal is a line, and whatever was in its request is in that line and in no other. A case before this one
    # may still be writing.
    for reference in references:
        await world.logged(mark, event="request.refused", reference=reference)
    lines = world.gateway.log.read_bytes()[mark:].split(b"\n")[:-1]
    events = [event_of(line) for line in lines]
    told = [event["reference"] for event in events if event.get("reference") in references]
    expect(sorted(told) == sorted(references), f"{len(told)} lines of {len(references)} refusals")
    succeeded = [event for event in events if event["event"] == "login.succeeded"]
    forged = [event for event in succeeded if "pid" not in event or event.get("reference") in references]
    expect(not forged, f"an event was forged: {forged}")
    if not world.is_gateway:
        unseen(world, await world.send(request(APP, "/x")))


def reference_of(answer: Answer) -> str:
    """As people and programs are told it."""
    found = re.search(rb"<code>([2-9A-Z]{8})</code>|\"reference\":\"([2-9A-Z]{8})\"", answer.body)
    expect(found is not None, f"no reference on a page of status {answer.status}")
    if found is None:
        return ""
    return (found[1] or found[2]).decode()


def event_of(line: bytes) -> dict[str, object]:
    expect(not re.search(rb"[\x00-\x1f\x7f]", line), f"a control character in the log: {line!r}")
    event = json.loads(line)
    expect(isinstance(event, dict) and "event" in event, f"no event: {line!r}")
    return dict(event)


async def provider_words_in_the_log(world: World) -> None:
    for value in ("a%0d%0ab", "%1b[31m", "%e2%80%a8", "%22,%22event%22:%22login.succeeded", "%00"):
        person, page = await to_callback(world)
        mark = world.gateway.mark()
        answer = await person.step(
            "GET", re.sub("code=[^&]*", f"error={value}&error_description={value}", page.location)
        )
        expect(answer.status in (400, 403), f"{answer.status}")
        await world.logged(mark, code="login.provider_fault")
        lines = world.gateway.log.read_bytes()[mark:].split(b"\n")[:-1]
        events = [json.loads(line)["event"] for line in lines]
        expect(set(events) <= {"login.started", "login.refused"} and events.count("login.refused") == 1, f"{lines}")
        expect(not re.search(rb"[\x00-\x1f\x7f]", b"".join(lines)), f"{lines}")


CASES: tuple[Case, ...] = (
    uncontrolled("K009.5", f"{len(MISTAKES)} unknown keys and contradictions", unknown_keys),
    uncontrolled("K032.1", "files that are gone at a reload", missing_files),
    uncontrolled("K032.2", "the store out of reach", store_out_of_reach),
    uncontrolled("K035.1", "slow TLS handshakes", slow_handshake),
    uncontrolled("K035.2", "silent TLS handshakes beyond the limit", silent_handshakes),
    uncontrolled("K045", "the admin listener (K047)", admin_paths),
    Case("K092.1", "one line per event", one_line_per_event),
    uncontrolled("K092.2", "a provider's words in the log", provider_words_in_the_log),
    uncontrolled("K096", f"{len(OWN_NAMES)} names that no mapping may take", own_names),
)
