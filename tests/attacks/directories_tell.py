"""SC: who may say by SCIM that somebody is active no more: their own directory, in words that have one meaning."""

import json
import secrets
import time

from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Answer
from tests.attacks.outcomes import denied, passed
from tests.attacks.provider import sign
from tests.attacks.request import request
from tests.attacks.world import OTHER_SCIM_TOKEN, PORTAL, SCIM_TOKEN, SEAT, World, host

APP, PAGE = "prefix-public", "/private/page"
SCIM = "/_ecluse/scim/v2"
JSON = b"Content-Type: application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
OFF = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": False}]}
NAME = "dora"


def bearer(value: str) -> bytes:
    return f"Authorization: Bearer {value}".encode()


async def asked(
    world: World, method: bytes, path: str, document: object = None, *lines: bytes, shows: str = SCIM_TOKEN
) -> Answer:
    body = document if isinstance(document, bytes | None) else json.dumps(document).encode()
    shown = (bearer(shows),) if shows else ()
    kind = () if body is None else (JSON,)
    return (await world.send(request(PORTAL, SCIM + path, *shown, *kind, *lines, method=method, body=body))).answer


async def known(world: World, shows: str = SCIM_TOKEN) -> str:
    """Her id at the directory, which tells that she is active."""
    found = await asked(world, b"GET", f"/Users?filter=userName%20eq%20%22{NAME}%22", shows=shows)
    is_scim = found.header(b"content-type") == b"application/scim+json"
    expect(found.status == 200 and is_scim, f"the control: her directory is answered: {found}")
    users = json.loads(found.body)["Resources"]
    if users:
        on = {**OFF, "Operations": [{"op": "replace", "path": "active", "value": True}]}
        answer = await asked(world, b"PATCH", f"/Users/{users[0]['id']}", on, shows=shows)
    else:
        answer = await asked(world, b"POST", "/Users", {"schemas": [USER], "userName": NAME}, shows=shows)
    expect(answer.status in (200, 201), f"the control: her directory tells of her: {answer}")
    return str(json.loads(answer.body)["id"])


async def signed_in(world: World) -> bytes:
    person, page = await world.sign_in(NAME, world.url(APP, PAGE))
    expect(page.status == 200, f"the control: she is signed in: {page.status}")
    await person.close()
    return f"{SEAT}={person.jar.get(host(APP), SEAT)}".encode()


async def told(world: World) -> None:
    id, cookie = await known(world), await signed_in(world)
    answer = await asked(world, b"PATCH", f"/Users/{id}", OFF)
    expect(answer.status == 200, f"{answer}")
    denied(world, await world.send(request(APP, PAGE, cookie=cookie)))
    person, page = await world.sign_in(NAME, world.url(APP, PAGE))
    await person.close()
    expect(page.status == 403, f"she signs in all the same: {page.status}")
    await known(world)
    passed(world, await world.send(request(APP, PAGE, cookie=await signed_in(world))))


def stranger(*lines: bytes, status: int = 401) -> Run:
    """Who shows no token of a directory is told nothing, and ends nothing."""

    async def run(world: World) -> None:
        id, cookie = await known(world), await signed_in(world)
        for method, path in (
            (b"PATCH", f"/Users/{id}"),
            (b"DELETE", f"/Users/{id}"),
            (b"GET", "/Users"),
            (b"GET", "/x"),
        ):
            answer = await asked(world, method, path, OFF, *lines, shows="")
            expect(answer.status == status, f"{method!r} {path}: {answer.status}, not {status}")
            expect(NAME.encode() not in answer.body, f"a stranger is told of somebody: {answer.body!r}")
        passed(world, await world.send(request(APP, PAGE, cookie=cookie)))

    return run


async def anothers(world: World) -> None:
    """The directory of another organisation's provider, which names a person of its own the same."""
    id, cookie = await known(world), await signed_in(world)
    own = await known(world, OTHER_SCIM_TOKEN)
    for path in {f"/Users/{own}", f"/Users/{int(id) + 1000}"}:
        await asked(world, b"PATCH", path, OFF, shows=OTHER_SCIM_TOKEN)
        await asked(world, b"DELETE", path, shows=OTHER_SCIM_TOKEN)
    passed(world, await world.send(request(APP, PAGE, cookie=cookie)))
    shown = json.loads((await asked(world, b"GET", f"/Users/{id}")).body)
    expect(shown["active"] is True, f"another's word counts: {shown}")


def wrong(method: bytes, path: str, body: bytes | None, status: int, *lines: bytes) -> Run:
    """`{id}` in the path: hers. Nothing of it counts."""

    async def run(world: World) -> None:
        id, cookie = await known(world), await signed_in(world)
        answer = await asked(world, method, path.replace("{id}", id), body, *lines)
        expect(answer.status == status, f"{answer.status}, not {status}: {answer.body[:200]!r}")
        passed(world, await world.send(request(APP, PAGE, cookie=cookie)))

    return run


def ended(method: bytes, body: bytes, status: int = 400) -> Run:
    """Her directory says that she is out, beside something that is refused: she is out all the same."""

    async def run(world: World) -> None:
        id, cookie = await known(world), await signed_in(world)
        answer = await asked(world, method, f"/Users/{id}", body)
        expect(answer.status == status, f"{answer.status}, not {status}: {answer.body[:200]!r}")
        denied(world, await world.send(request(APP, PAGE, cookie=cookie)))
        await known(world)

    return run


def by_token(**changes: str | None) -> Run:
    """Her access token is good until her directory says that she is out. `changes`: claims of the second token."""

    async def run(world: World) -> None:
        def token(**changed: str | None) -> bytes:
            now = int(time.time())
            claims: dict[str, object] = {
                "iss": world.alpha.url, "aud": "urn:levels", "sub": NAME, "client_id": "c", "jti": secrets.token_hex(),
                "iat": now, "exp": now + 300, "preferred_username": NAME, "email": f"{NAME}@corp.example", **changed,
            }  # fmt: skip
            told = {name: value for name, value in claims.items() if value is not None}
            return bearer(sign(told, world.alpha.signing_key, typ="at+jwt"))

        id = await known(world)
        await signed_in(world)
        passed(world, await world.send(request("levels", "/machine/x", token())))
        answer = await asked(world, b"PATCH", f"/Users/{id}", OFF)
        expect(answer.status == 200, f"{answer}")
        denied(world, await world.send(request("levels", "/machine/x", token(**changes))))
        await known(world)

    return run


async def elsewhere(world: World) -> None:
    id, cookie = await known(world), await signed_in(world)
    path = f"{SCIM}/Users/{id}"
    seen = await world.send(request(APP, path, bearer(SCIM_TOKEN), method=b"DELETE"))
    expect(seen.answer.status == 404, f"an application's host answers {seen.answer.status}")
    passed(world, await world.send(request(APP, PAGE, cookie=cookie)))


def _patch(operation: str) -> bytes:
    return f'{{"schemas": ["{PATCH_OP}"], "Operations": [{operation}]}}'.encode()


_OFF = '{"op": "replace", "path": "active", "value": false}'
_STRANGERS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("no token", ()),
    ("an empty token", (b"Authorization: Bearer ",)),
    ("a token of nobody", (bearer("x" * 48),)),
    ("the beginning of one", (bearer(SCIM_TOKEN[:-1]),)),
    ("one and a letter", (bearer(SCIM_TOKEN + "x"),)),
    ("another scheme", (f"Authorization: Basic {SCIM_TOKEN}".encode(),)),
    ("no scheme", (f"Authorization: {SCIM_TOKEN}".encode(),)),
    ("as a cookie", (f"Cookie: Authorization=Bearer {SCIM_TOKEN}".encode(),)),
    ("as another header", (f"X-Authorization: Bearer {SCIM_TOKEN}".encode(),)),
)
_WRONG: tuple[tuple[str, bytes, str, bytes | None, int, tuple[bytes, ...]], ...] = (
    ("one name twice", b"PATCH", "/Users/{id}", _patch('{"op": "replace", "path": "title", "value": true, '
     '"path": "active", "value": false}'), 400, ()),
    ("one name in two cases", b"PATCH", "/Users/{id}", _patch('{"op": "replace", "value": {"active": true, '
     '"ACTIVE": false}}'), 400, ()),
    ("operations twice", b"PATCH", "/Users/{id}", _patch(_OFF)[:-1] + b', "operations": []}', 400, ()),
    ("a number for false", b"PATCH", "/Users/{id}", _patch('{"op": "replace", "path": "active", "value": 0}'), 400, ()),
    ("too deep", b"PATCH", "/Users/{id}", b"[" * 30_000, 400, ()),
    ("no UTF-8", b"PATCH", "/Users/{id}", _patch(_OFF).replace(b"active", b"activ\xff"), 400, ()),
    ("a megabyte", b"PATCH", "/Users/{id}", _patch(_OFF) + b" " * (1 << 20), 413, ()),
    ("its own id", b"PATCH", "/Users/{id}", _patch('{"op": "replace", "path": "id", "value": "1"}'), 400, ()),
    ("an escaped id", b"DELETE", "/Users/%31", None, 404, ()),
    ("a path below", b"DELETE", "/Users/{id}/", None, 404, ()),
    ("an unknown id", b"DELETE", "/Users/99999999", None, 404, ()),
    ("all users", b"DELETE", "/Users", None, 405, ()),
    ("a bulk", b"POST", "/Bulk", b"{}", 404, ()),
    ("a filter of many", b"GET", "/Users?filter=userName%20sw%20%22%22", None, 400, ()),
    ("a filter that goes on", b"GET", "/Users?filter=userName%20eq%20%22x%22%20or%20userName%20pr", None, 400, ()),
)  # fmt: skip

_ENDED: tuple[tuple[str, bytes, bytes], ...] = (
    ("a patch with an unknown path", b"PATCH", _patch(_OFF + ', {"op": "replace", "path": "activ"}')),
    ("a patch of its id", b"PATCH", _patch('{"op": "replace", "value": {"id": "1", "active": false}}')),
    ("a user without a name", b"PUT", f'{{"schemas": ["{USER}"], "active": false}}'.encode()),
    ("no schemas", b"PATCH", f'{{"Operations": [{_OFF}]}}'.encode()),
    ("a hundred operations and one", b"PATCH", _patch('{"op": "add", "path": "title", "value": ""}, ' * 100 + _OFF)),
    ("a name that is none", b"PUT", f'{{"schemas": ["{USER}"], "userName": 1, "active": "False"}}'.encode()),
)

CASES: tuple[Case, ...] = (
    uncontrolled("SC00", "what her own directory says counts, both ways", told),
    *numbered("SC01", ((meaning, stranger(*lines)) for meaning, lines in _STRANGERS)),
    *numbered(
        "SC01",
        (
            ("one in two lines", stranger(bearer(SCIM_TOKEN), bearer("x" * 48), status=400)),
            ("the same twice", stranger(bearer(SCIM_TOKEN), bearer(SCIM_TOKEN), status=400)),
        ),
        first=len(_STRANGERS) + 1,
    ),
    *numbered("SC02", (("another organisation's directory", anothers),)),
    *numbered("SC03", ((meaning, wrong(*of_it, *lines)) for meaning, *of_it, lines in _WRONG)),
    *numbered("SC05", ((meaning, ended(*of_it)) for meaning, *of_it in _ENDED), controlled=False),
    *numbered("SC04", (("on the host of an application", elsewhere),)),
    *numbered(
        "SC06",
        (
            ("her access token, once she is out", by_token()),
            ("one without the attribute that her directory knows her by", by_token(preferred_username=None)),
        ),
        controlled=False,
    ),
)
