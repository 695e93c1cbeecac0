"""GEN: 2,300 further members, from one seed, of the classes that came back again and again.

How a header name is spelled, which path policy sees, who may set X-Forwarded-*, where a message ends. What is expected
is computed here, apart from the gateway.
"""

import random
import re
import unicodedata
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address

from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.forms import FORMS, PUBLIC_FIRST
from tests.attacks.generated_framing import framing_case, hidden_alone
from tests.attacks.outcomes import KNOWN, RESERVED, denied, passed, stripped, unseen
from tests.attacks.request import request
from tests.attacks.world import MARK, World

SEED = 20260
HEADERS, PATHS, FORWARDED, FRAMING = 700, 800, 500, 300

# --- how a name is spelled ---

NAMES = (
    "x-remote-user",
    "x-dept",
    "ctln",
    *(
        name.replace("_", "-").lower()
        for name in (*RESERVED, *KNOWN)
        if "_METHOD_OVERRIDE" not in name and name != "X_HTTP_METHOD" and not name.endswith("*")
    ),
)
BETWEEN = "-_.~!#$%&'*+^`|"


def spelled(dice: random.Random, name: str) -> bytes:
    """Letters in any case; each dash another mark, several, or none; marks before, behind and inside."""
    letters = []
    for letter in name:
        if letter == "-":
            letters.append("".join(dice.choices(BETWEEN, k=dice.choice((0, 1, 1, 1, 2)))))
        else:
            letters.append(dice.choice((letter, letter, letter.upper())))
            if dice.random() < 0.03:
                letters.append(dice.choice(BETWEEN))
    ends = [dice.choice(BETWEEN) if dice.random() < 0.1 else "" for _ in range(2)]
    return f"{ends[0]}{''.join(letters)}{ends[1]}".encode()


def header_case(dice: random.Random) -> tuple[str, Run]:
    lines = [spelled(dice, dice.choice(NAMES)) + b": " + MARK for _ in range(dice.choice((1, 1, 2, 4)))]
    app, signed_in = dice.choice(FORMS), dice.random() < 0.5
    method = dice.choice((b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS"))

    async def run(world: World) -> None:
        cookie = await world.cookie(app) if signed_in and world.is_gateway else b""
        seen = await world.send(request(app, "/public/page", *lines, method=method, cookie=cookie))
        stripped(world, seen, user="alice" if cookie else None, app=app)
        if app in PUBLIC_FIRST:
            denied(world, await world.send(request(app, "/private/page", *lines, method=method)))

    return b", ".join(line.partition(b":")[0] for line in lines).decode(), run


# --- which path policy sees ---

# What Windows makes of these for a program that asks in code page 1252.
FIT = str.maketrans({"\u0101": "a", "\uff41": "a", "\u0131": "i"})
PIECES = (
    "public", "admin", "page", "ADMIN", "Admin", "ad%6din", "%61%64min", "adm%69n", "%41dmin", "..", ".", "%2e%2e",
    "%2E.", ".%2e", "%2e", "%252e%252e", "..;", "..;x", ".;", "%2e%2e;", ";", "admin;", "admin;jsessionid=A",
    ";jsessionid=A", "public;jsessionid=A", "admin%3bx", "%2f", "..%2fadmin", "%2fadmin", "%5c", "..%5cadmin", "\\",
    "..\\admin", "", "", "admin%00", "%00", "admin%20", "admin.", "admin%2e", "admin..", "%c0%ae%c0%ae",
    "%c0%afadmin", "%e0%80%af", "%u002e%u002e", "%ef%bc%8fadmin", "%ef%bc%8e%ef%bc%8e", "%e2%88%95admin",
    "acc%C3%A8s", "acce%CC%80s", "acc%E8s", "a~b", "*", "admin*", "%2561dmin", "%25%36%31dmin", "admin%23",
    "admin%3f", "admin%252f", "x", "%09admin", "admin%0a", "%a0admin", "admin%c2%a0", "adm%C4%B1n", "%EF%BD%81dmin",
    "...", "....", "%2e%2e%2e", "admin~", "admin%7f", "%f0%80%80%af", "%fc%80%80%80%80%af",
    "admin%3f.css", "admin%253f", "(S(x))", "(s(x))", "ad/(S(x))min", "%28A(x)F(y))", "admin~1", "admin::$DATA",
    "admin:x", "admin%20.", "%C4%81dmin", "%c5%93", "%92", "%C2%BD", "admin%e2%80%a4",
)  # fmt: skip
TAILS = ("", "", "", "/", "//", "?x", "?/../admin", "?x=/admin", "?%2e%2e", "#x", "?")
DENY_ALL_BUT = (
    "prefix-deny", "regex-deny", "parameters", "nocase", "slashes", "latin", "loose", "windows", "aspnet",
)  # fmt: skip
CASELESS = ("nocase", "loose", "windows")


def readings(target: str, app: str) -> Iterator[str]:
    """The paths that one server or another could take this for, dots resolved: decoded once or twice, parameters cut
    before or after, backslashes as slashes, slashes merged, bytes of any charset, separators in any form."""
    path = target.partition("?")[0].partition("#")[0]
    forms = {path, re.sub(r";[^/]*", "", path)}
    for _ in range(2):
        forms |= {text for form in forms for text in decoded(form)}
        forms |= {re.sub(r";[^/]*", "", form) for form in forms}
    forms |= {re.sub(r"/\(([A-Za-z]\([^/)]*\))+\)", "", form) for form in forms}
    for form in forms:
        for text in {form, form.replace("\\", "/"), separated(form)}:
            for cut in {text, re.split(r"[\0?#]", text)[0]}:
                resolved = resolve(cut)
                yield from as_windows(resolved) if app in CASELESS else (unicodedata.normalize("NFC", resolved),)


def as_windows(path: str) -> Iterator[str]:
    """Of a server that knows no case: names without what it takes off their ends, letters by its best fit."""
    for text in {path, path.translate(FIT)}:
        short = re.sub(r":[^/]*\$[^/]*|:(?=/|\Z)", "", re.sub(r"admin~[0-9]", "admin", text.lower()))
        yield from (
            unicodedata.normalize("NFC", "/".join(name.rstrip(". ") for name in short.split("/"))),
            text.lower(),
        )


def separated(text: str) -> str:
    """Whatever looks like a separator is one; letters stay as they are."""
    plain = {mark: unicodedata.normalize("NFKC", mark) for mark in set(text) if not mark.isascii()}
    marks = {mark: form for mark, form in plain.items() if set(form) & set("./\\;%")} | {"\u2215": "/", "\u2044": "/"}
    return text.translate(str.maketrans(marks)).replace("\\", "/")


def decoded(text: str) -> set[str]:
    plain = re.sub(r"%[uU]([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    data = re.sub(
        rb"%([0-9a-fA-F]{2})",
        lambda found: bytes((int(found[1], 16),)),
        plain.encode("utf-8", "surrogatepass"),
    )
    return {data.decode("utf-8", "replace"), data.decode("latin-1"), overlong(data), plain}


def overlong(data: bytes) -> str:
    """As a decoder reads that takes the low bits and asks nothing."""
    data = re.sub(
        rb"[\xc0\xc1][\x80-\xbf]", lambda found: bytes((((found[0][0] & 1) << 6) | (found[0][1] & 63),)), data
    )
    data = re.sub(
        rb"(?:\xe0|\xf0\x80|\xf8\x80\x80|\xfc\x80\x80\x80)\x80([\x80-\xbf])", lambda f: bytes((f[1][0] & 63,)), data
    )
    return data.decode("latin-1")


def resolve(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept)


def is_kept(path: str) -> bool:
    return path.split("/")[1] in ("admin", "acc\u00e8s")


def path_case(dice: random.Random) -> tuple[str, Run, bool]:
    target = "/" + "/".join(dice.choices(PIECES, k=dice.choice((1, 2, 2, 3, 3, 4)))) + dice.choice(TAILS)
    app = dice.choice(DENY_ALL_BUT)
    dangerous = any(map(is_kept, readings(target, app)))

    async def run(world: World) -> None:
        seen = await world.send(request(app, target))
        if not world.recorder.requests:
            unseen(world, seen)
            expect(seen.answer.status in (400, 401, 403), f"{app} {target}: {seen}")
            expect(seen.answer.status != 400 or seen.closed, f"{app} {target}: left open: {seen}")
            return
        found = passed(world, seen)
        expect(found.target == target.encode(), f"{app}: {target} arrived as {found.target!r}")
        expect(not dangerous, f"{app}: {target} went through, and some server reads it as kept: {seen}")

    return f"{app} {target}", run, dangerous


# --- who may set X-Forwarded-* ---

ADDRESSES = (
    "198.51.100.7", "10.0.0.1", "10.255.255.255", "127.0.0.2", "127.0.0.1", "::1", "2001:db8::1", "::ffff:10.0.0.9",
    "::ffff:198.51.100.8", "[2001:db8::2]", "[::ffff:10.0.0.3]:80", "10.0.0.4:8080", "192.0.2.1:1", "unknown", "",
    "1.2.3", "01.2.3.4", "fe80::1%eth0", "::ffff:a00:1", "10.0.0.1\t", "a b", "_x", "1.2.3.4:", "[::1", "0x7f.1",
)  # fmt: skip
PROTOCOLS = ("https", "http", "HTTPS", " https ", "ftp", "https, http", "https,https", "", "javascript", "https\t")
OTHERS = (
    "X-Forwarded-Host: evil.example", "Forwarded: for=10.0.0.1;proto=https", "X-Real-IP: 10.0.0.1",
    "X_Forwarded_For: 10.0.0.1", "X-Forwarded-Port: 443", "X.Forwarded.Proto: https", "X-Forwarded-Prefix: /admin",
    "Via: 1.1 evil",
)  # fmt: skip
TRUSTED = (IPv4Network("10.0.0.0/8"), IPv4Network("127.0.0.2/32"))


def chain_of(peer: str, said: list[str] | None) -> list[str]:
    """From the right, each address vouched for by the listed proxy after it."""
    chain = [peer]
    hops = ", ".join(said).split(",") if said is not None else []
    while hops and any(ip_address(chain[0]) in network for network in TRUSTED):
        before = address_of(hops.pop())
        if before is None:
            break
        chain.insert(0, before)
    return chain


def address_of(hop: str) -> str | None:
    text = hop.strip(" \t")
    if found := re.fullmatch(r"\[([^\]]*)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?", text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if getattr(address, "scope_id", None):
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def forwarded_case(dice: random.Random) -> tuple[str, Run]:
    trusted = dice.random() < 0.6
    said = [", ".join(dice.choices(ADDRESSES, k=dice.choice((1, 2, 3)))) for _ in range(dice.choice((0, 1, 1, 2)))]
    protocol = dice.choice((None, *PROTOCOLS))
    lines = [f"{dice.choice(('X-Forwarded-For', 'x-forwarded-for'))}: {value}" for value in said]
    lines += [f"X-Forwarded-Proto: {protocol}"] if protocol is not None else []
    lines += dice.sample(OTHERS, k=dice.randrange(3))
    dice.shuffle(lines)
    said = [line.partition(": ")[2] for line in lines if line.lower().startswith("x-forwarded-for:")]
    app = dice.choice(FORMS)
    chain = chain_of("127.0.0.2" if trusted else "127.0.0.1", said or None)
    scheme = (protocol or "").strip(" \t").lower()
    scheme = scheme if trusted and scheme in ("http", "https") else "http"

    async def run(world: World) -> None:
        here = world.behind_proxy() if trusted else world
        found = passed(here, await here.send(request(app, "/public/page", *map(str.encode, lines))))
        name = f"{app}.localhost"
        nodes = ", ".join(f'for="[{node}]"' if ":" in node else f"for={node}" for node in chain)
        wanted = {
            "X-Forwarded-For": ", ".join(chain),
            "X-Forwarded-Proto": scheme,
            "X-Forwarded-Host": name,
            "Forwarded": f'{nodes};host="{name}";proto={scheme}',
        }
        for header, value in wanted.items():
            told = [line for key, line in found.lines if key.lower().replace(b"_", b"-") == header.lower().encode()]
            expect(told == [value.encode()], f"{lines}: {header} is {told}, not {value!r}")
        rest = [key for key, _ in found.lines if re.match(rb"(?i)x.?forwarded|x.?real", key)]
        expect(len(rest) == 3, f"{lines}: {rest}")
        if app in PUBLIC_FIRST:
            denied(here, await here.send(request(app, "/private/page", *map(str.encode, lines))))

    return " / ".join(lines) or "nothing", run


def _cases() -> Iterator[Case]:
    dice = random.Random(SEED)
    for number in range(1, HEADERS + 1):
        yield Case(f"GEN.header.{number}", *header_case(dice))
    for number in range(1, PATHS + 1):
        yield Case(f"GEN.path.{number}", *path_case(dice))
    for number in range(1, FORWARDED + 1):
        yield Case(f"GEN.forwarded.{number}", *forwarded_case(dice))
    yield Case("GEN.framing.0", "a request behind another", hidden_alone)
    for number in range(1, FRAMING + 1):
        yield uncontrolled(f"GEN.framing.{number}", *framing_case(dice))


CASES: tuple[Case, ...] = tuple(_cases())
