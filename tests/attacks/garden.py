"""HR01: the ways in which the HTTP Garden has seen servers and proxies read one message differently. attacks.md 2.3.

Each is sent as its finder did, to a host that is none of ours, without Host, and to an application of ours. Whatever
is made of it, nothing that is smuggled is had, what reaches the application has one length, and the request behind it
on the connection is answered as what it is, or not at all.
"""

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.generated_framing import check_framing
from tests.attacks.request import request
from tests.attacks.world import World, host

APP = "prefix-deny"
PAGE, HIDDEN, LAST = b"/public/page", b"/admin/smuggled", b"/public/last"
_WITHIN = 20.0

_HOST = b"Host: HOST\r\n"
GET = b"GET /public/page HTTP/1.1\r\n" + _HOST
POST = b"POST /public/page HTTP/1.1\r\n" + _HOST
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /admin/smuggled HTTP/1.1\r\n" + _HOST
LONG = SMUGGLED + b"Content-Length: 5\r\n\r\n0\r\n\r\n"
_CONTROLS = bytes(byte for byte in range(0x01, 0x20) if byte not in b"\r\n") + b' "(),/;<=>?@[/]{}'
HTTP2 = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00=\x01\x05\x00\x00\x00\x01\x00\n"
    b":authority\tlocalhost\x00\x05:path\x01/\x00\x07:method\x03GET\x00\x07:scheme\x04http\x00\x00\x00"
)

# As servers read what they are sent.
SERVERS = (
    ("a chunk size with an underscore", GET + CHUNKED + b"\r\n0_2e\r\n\r\n" + LONG),
    ("NUL and CR in a value", GET + b"Header: v\x00\ralue\r\n\r\n"),
    ("a blank behind a name", GET + b"Content-Length : 34\r\n\r\n" + SMUGGLED + b"\r\n"),
    ("a tab before the first name", GET.replace(_HOST, b"\tContent-Length: 1\r\n" + _HOST) + b"\r\nX"),
    ("a version with more behind it", GET.replace(b"1.1", b"1.32", 1) + b"\r\n"),
    ("a method that is no token", GET.replace(b"GET", b'G=":<>(e),[T];?"', 1) + b"\r\n"),
    ("a target that is none", GET.replace(PAGE, b"!", 1) + b"\r\n"),
    ("a byte above ASCII in a name", GET + b"\xeffoo: bar\r\n\r\n"),
    ("LF in the request line", GET.replace(b" HTTP", b"\nHTTP", 1) + b"\r\n"),
    ("a length with a sign and an underscore", GET + b"Content-Length: +1_0\r\n\r\n0123456789"),
    ("Transfer-Encoding twice", POST + CHUNKED * 2 + b"\r\n1\r\nZ\r\n0\r\n\r\n"),
    ("NBSP around the coding", POST + b"Transfer-Encoding: \xa0chunked\xa0\r\n\r\n0\r\n\r\n"),
    ("NEL around the coding", POST + b"Transfer-Encoding: \x85chunked\x85\r\n\r\n0\r\n\r\n"),
    ("CR for a line end", GET + b"Visible: :/\rSmuggled: :)\r\n\r\n"),
    ("what no name may have", GET + b"\x00" + _CONTROLS + b": whatever\r\n\r\n"),
    ("a version with CRs in it", GET.replace(b"HTTP/1.1", b"HTTP/\r\r1.1", 1) + b"\r\n"),
    ("an empty length", GET + b"Content-Length: \r\n\r\n"),
    ("an empty chunk size", GET + CHUNKED + b"\r\n\r\n\r\n"),
    ("an empty name", GET.replace(_HOST, b": ignored\r\n" + _HOST) + b"\r\n"),
    ("LF behind a colon", GET + b"Useless:\n\nGET /admin/smuggled HTTP/1.1\r\n\r\n"),
    ("NEL behind a name", GET + b"Content-Length\x85: 10\r\n\r\n0123456789"),
    ("NBSP behind a name", GET + b"Content-Length\xa0: 10\r\n\r\n0123456789"),
    ("a comma before the coding", GET + b"Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("two lengths, the larger first", GET + b"Content-Length: 1\r\nContent-Length: 0\r\n\r\nZ"),
    ("two lengths, the larger last", GET + b"Content-Length: 0\r\nContent-Length: 1\r\n\r\nZ"),
    ("a version beyond all counters", GET.replace(b"1.1", b"4294967295.255", 1) + b"\r\n"),
    ("a chunk size with 0x", GET + CHUNKED + b"\r\n0x1\r\nZ\r\n0\r\n\r\n"),
    ("a chunk size with +", GET + CHUNKED + b"\r\n+1\r\nZ\r\n0\r\n\r\n"),
    ("a chunk size with -", GET + CHUNKED + b"\r\n-1\r\nZ\r\n0\r\n\r\n"),
    ("a negative length", GET + b"Content-Length: -48\r\n\r\n"),
    ("a line of a colon alone", GET + b":\r\nI: am chopped off\r\n\r\n"),
    ("a blank for a colon", GET + b"Content-Length 10\r\n\r\n0123456789"),
    ("a length with more behind it", GET + b"Content-Length: 1Z\r\n\r\nZ"),
    ("a CR at the end of the head", GET + b"\r\n\rZGET /admin/smuggled: HTTP/1.1\r\n" + _HOST + b"\r\n"),
    ("a CR before an extension", GET + CHUNKED + b"\r\n5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n" + LONG),
    ("an octal length", GET + b"Content-Length: 010\r\n\r\n01234567"),
    ("a CR in a value", GET + b"Header: va\rlue\r\n\r\n"),
    ("a value cut by NUL", GET + b"Test: test\x00THESE BYTES GET DROPPED\r\nConnection: close\r\n\r\n"),
    ("a CR behind an extension", POST + CHUNKED + b"\r\n41;a=b\r\r" + b"X" * 65 + b"\r\n0\r\n\r\n" + LONG),
    ("a name over two lines", POST + b"Transfer-\r\nEncoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("an empty length and a request", GET + b"Content-Length: \r\n\r\n" + SMUGGLED + b"\r\n"),
    ("a trailer that is a request", GET + CHUNKED + b"\r\n0\r\nX:POST /admin/smuggled HTTP/1.1\r\n\r\n"),
    ("neither method nor version",
     GET.replace(b"GET", b"\x00", 1).replace(b"/1.1", b"/............0596.7407.", 1) + b"\r\n"),
    ("NEL and NBSP around a value", GET + b"User: \x85admin\xa0\r\n\r\n"),
    ("an empty length before another", GET + b"Content-Length: \r\nContent-Length: 43\r\n\r\n" + LONG),
    ("NUL at the end of a value", GET + b"Evil: evil\x00\r\n\r\n"),
    ("a coding that nobody knows", POST + b"Transfer-Encoding: blegh\r\n\r\n1\r\nZ\r\n0\r\n\r\n"),
    ("what is no request behind one", GET + b"Connection: close\r\n\r\nInvalid\r\n\r\n"),
    ("0xff around the coding", POST + b"Transfer-Encoding: \xffchunked\xff\r\n\r\n1\r\nZ\r\n0\r\n\r\n"),
    ("0xff around the host", POST.replace(b"HOST", b"\xffHOST\xff") + b"\r\n"),
    ("a chunk that is none", POST + CHUNKED + b"\r\nINVALID!!!\r\n" + SMUGGLED + b"\r\n"),
    ("a length of 0 and a request", POST + b"Content-Length: 0\r\nConnection:keep-alive\r\n\r\n" + SMUGGLED + b"\r\n"),
)  # fmt: skip
# As proxies read it and pass it on.
PROXIES = (
    ("a length with 0x", POST + b"Content-Length: 0x10\r\n\r\nZ"),
    ("chunk sizes that are none", POST + CHUNKED + b"\r\nZ\r\nZZ\r\nZZZ\r\n\r\n"),
    ("a CR before a semicolon", POST + CHUNKED + b"\r\n2\r\r;a\r\n02\r\n41\r\n0\r\n\r\n" + LONG),
    ("two blanks, and a CR in a chunk", POST.replace(b" HTTP", b"  HTTP", 1) + CHUNKED + b"\r\n1\r0\n"),
    ("NEL in a name", GET + b"Header\x85: value\r\n\r\n"),
    ("a chunk size with words behind it", POST + CHUNKED + b"\r\n1these-bytes-never-get-validated\r\nZ\r\n0\r\n\r\n"),
    ("a comma before the coding", POST + b"Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
    ("CRs in a value", GET + b"Invalid-Header: this\rvalue\ris\rinvalid\r\n\r\n"),
    ("NUL in the host", GET.replace(b"HOST", b"google.com\x00.HOST") + b"\r\n"),
    ("LF behind a chunk", GET + CHUNKED + b"\r\na\r\n0123456789\n0\r\n\r\n"),
    ("a line without a colon", GET + b"Te\nst: test\r\nConnection: close\r\n\r\n"),
    ("a coding, a length and a chunk that is none",
     GET + b"Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\nConnection: close\r\n\r\n0r\n\r\n"),
    ("LF everywhere", (GET + b"Connection: close\r\n\r\n").replace(b"\r\n", b"\n")),
    ("an empty line before the last chunk",
     POST + CHUNKED + b"\r\n17\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\n0\r\n\r\n"),
    ("a chunk size with -0x", POST + CHUNKED + b"\r\n-0x0\r\n\r\n"),
    ("a name with NUL", GET + b"a:b\r\nc\x00\r\n\r\n"),
    ("a GET with a body", GET + b"Content-Length: 10\r\n\r\n1234567890"),
    ("two lengths and a request", POST + b"Content-Length: 0\r\nContent-Length: 31\r\n\r\n" + SMUGGLED + b"\r\n"),
    ("a length and a coding", POST + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    ("blanks before a chunk size", POST + CHUNKED + b"\r\n           0\r\n\r\n"),
    ("NUL behind the last chunk", GET + CHUNKED + b"\r\n0\r\n\r\n\x00"),
    ("chunks as they should be", POST + CHUNKED + b"\r\n1\r\nZ\r\n0\r\n\r\n"),
    ("HTTP/2", HTTP2),
)  # fmt: skip


def unlike(payload: bytes) -> Run:
    forms = dict.fromkeys((payload.replace(b"HOST", b"a"), payload.replace(_HOST, b""), payload))

    async def run(world: World) -> None:
        for form in forms:
            data = form.replace(b"HOST", host(APP).encode())
            await tried(world, data + request(APP, LAST, b"Connection: close"))
        if not world.is_gateway:
            # The control: sent as a request, it is seen as one.
            await tried(world, (SMUGGLED + b"\r\n").replace(b"HOST", host(APP).encode()))

    return run


async def tried(world: World, data: bytes) -> None:
    seen = await world.send(data, expected=100, within=_WITHIN)
    reached = world.recorder.requests
    targets = [found.target for found in reached]
    expect(HIDDEN not in targets, f"what was smuggled was had: {seen}")
    expect(set(targets) <= {PAGE, LAST}, f"other targets: {targets}: {seen}")
    for found in reached:
        check_framing(found)
    last = [found for found in reached if found.target == LAST]
    expect(
        all(not found.body and found.method == b"GET" for found in last), f"the request behind it was another: {seen}"
    )
    expect(targets == sorted(targets, reverse=True) and len(last) < 2, f"in another order, or twice: {targets}: {seen}")
    through = [answer for answer in seen.answers if answer.status == 200]
    expect(len(through) <= len(reached), f"{len(through)} answers to {len(reached)} requests: {seen}")


CASES: tuple[Case, ...] = (
    *numbered("HR01", ((meaning, unlike(payload)) for meaning, payload in (*SERVERS, *PROXIES))),
)
