"""The corpora of invariants 2 to 4 (tests/attacks), as what one client sends through a front."""

from gateway.model.names import fold
from gateway.wire.identity_headers import IDENTITY
from tests.attacks.header_values import COOKIES, MORE_COOKIES, filled
from tests.attacks.headers import CONNECTIONS, MEMBERS, MORE_SPELLINGS, OUTSIDE_IDENTITY, PLACES, SPELLINGS
from tests.attacks.own_cookies import FORGED
from tests.attacks.paths import PC05, PC06, REFUSED
from tests.attacks.world import MARK


def paths() -> list[bytes]:
    """Each is refused where the application's file names no leniency."""
    found = [target for targets in REFUSED.values() for target in targets]
    found += [name for name, _ in (*PC05, *PC06) if name.startswith("/") and " " not in name]
    return list(dict.fromkeys(target.encode() for target in found))


def header_lines() -> list[tuple[bytes, ...]]:
    """Names by which a client says who it is, each in the spellings that some server reads as it; and names by which it
    says what its request is."""
    # The others of these are injected by the applications of the attacks alone.
    names = [name for name in (*SPELLINGS, *MORE_SPELLINGS) if fold(name) in (b"xremoteuser", b"httpxremoteuser")]
    names += [*MEMBERS, *PLACES]
    names += [name.replace("*", "User").encode() for product in IDENTITY.values() for name in product]
    spelled = [
        spelling
        for name in names
        for spelling in (name, name.lower(), name.upper(), name.replace(b"-", b"_"), name.replace(b"-", b"."))
    ]
    alone: list[tuple[bytes, ...]] = [(name + b": " + MARK,) for name in dict.fromkeys(spelled)]
    forged = b"X-Remote-User: " + MARK
    return [
        *alone,
        *((line,) for line in OUTSIDE_IDENTITY),
        (forged, forged),
        (forged, b"X-Other: 1", forged),
        (b"X-Remote-User:", forged),
        (forged,) * 30,
        *((*lines, forged) for lines in CONNECTIONS),
    ]


def cookie_lines() -> list[tuple[bytes, ...]]:
    """Cookies that some parser reads as `app_user`, which is injected, or as ours."""
    told = [tuple(map(filled, lines)) for _, lines in (*COOKIES, *MORE_COOKIES)]
    ours = [(b"Cookie: " + value.replace(b"forged", MARK),) for value in FORGED if value.startswith(b"__Host-ecluse")]
    return [*told, *ours]
