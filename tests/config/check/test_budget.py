"""What can never fit into the header budget of an application is told when its file is read: of each header, cookie and
token the longest that is known, and no byte more than they take."""

import re
from base64 import b64encode
from collections.abc import Sequence

import pytest

from gateway.config.snapshot import App
from gateway.model.identity import Identity
from gateway.tokens.basic import basic_line
from gateway.tokens.making import make
from gateway.tokens.spec import SigningKey
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, problems, sample_snapshot
from tests.tokens.keys import key, pem
from tests.tokens.test_ltpa import EXPORTED, PASSWORD

KNOWN = METROPOLE.replace("asserts: {", "asserts: {attributes: {uid: [he, helene]}, ")
KEYS = "tokens: {keys: [{key: {file: tokens.pem}}, {algorithm: RS256, key: {file: rsa.pem}}]}\n"
SECRETS = {
    "file:tokens.pem": pem("ES256"),
    "file:rsa.pem": pem("RS256"),
    "file:shared": b64encode(bytes(32)),
    "file:mac": b"AB" * 64,
    "file:aes": b"CD" * 32,
    "file:ltpa.keys": EXPORTED,
    "file:ltpa.password": PASSWORD,
    "file:word": b"of the application",
    "file:long": b"v" * 1000,
}
SIZE = re.compile(r"take ([0-9]+) bytes")


def files(told: str, budget: str) -> dict[str, str | None]:
    app = PERMIS.replace("translate:\n", f"translate:\n  budget: {budget}\n").replace("access:", f"{told}access:")
    return {"gateway.yaml": GATEWAY + KEYS, "providers/metropole.yaml": KNOWN, "apps/permis.yaml": app}


def sent(app: App, who: Identity, keys: Sequence[SigningKey]) -> int:
    """Bytes, as they are counted where they are sent."""
    fixed = app.translation.render(who)
    made = make(app.tokens, who, keys, now=1_800_000_000.0, not_after=float("inf"), chance=bytes)
    basic = b"" if app.basic is None else basic_line(app.basic, who)
    cookies = b"; ".join(filter(None, (fixed.cookies, made.cookies)))
    return len(fixed.headers + basic + made.headers + cookies)


TICKET = "account: {from: uid}, compatibility: %s, validation_key: {file: mac}, decryption_key: {file: aes}"


@pytest.mark.parametrize(
    "told",
    [
        "",
        "    X-Key: {value: {file: long}}\n",
        "    X-Issuer: {from: issuer}\n    X-At: {template: '{provider} {authenticated_at}'}\n",
        "  cookies: {WHO: {from: uid}}\n",
        "  cookies: {WHO: {from: uid}, KEY: {value: {file: long}}}\n",
        "  jwt: {header: X-Token, claims: {uid: {from: uid}, role: {value: agent}}}\n",
        "  jwt: {header: X-Token, claims: {sub: {from: uid}, list: {from: uid, list: true}}}\n",
        "  jwt: {header: Authorization, algorithm: RS256}\n",
        "  jwt: {cookie: TOKEN}\n  cookies: {WHO: {from: uid}}\n",
        "  sealed: {cookie: SEALED, key: {file: shared}}\n",
        "  sealed: {header: X-Sealed, algorithm: HS256, key: {file: shared}}\n",
        f"  aspnet_ticket: {{{TICKET % 'Framework45'}}}\n",
        f"  aspnet_ticket: {{{TICKET % 'Framework20SP1'}, user_data: {{value: {'d' * 300}}}}}\n",
        "  ltpa2: {account: {from: uid}, keys: {file: ltpa.keys}, password: {file: ltpa.password}}\n",
        "  basic: {account: {value: appli}, password: {file: word}}\n",
        "  basic: {account: {from: uid}, password: {file: word}}\n  jwt: {cookie: T}\n",
    ],
)
def test_it_is_what_the_least_that_is_sent_takes(told: str) -> None:
    """Of somebody of whom no more is known than the files say, to the byte."""
    said = problems(files(told, "1B"), SECRETS)
    (size,) = (int(found[1]) for one in said if (found := SIZE.search(one)))
    assert len(said) == 1
    assert problems(files(told, f"{size}B"), SECRETS) == []
    assert len(problems(files(told, f"{size - 1}B"), SECRETS)) == 1
    app = sample_snapshot(files(told, "8KB"), SECRETS).apps["permis"]
    issuer, uid = "http://127.0.0.1:9400", {"uid": ("helene",)}
    who = Identity("metropole", issuer, "x", uid, authenticated_at=1_800_000_000)
    assert sent(app, who, [key("ES256"), key("RS256")]) == size


def test_what_hangs_on_the_person_counts_as_little_as_it_can() -> None:
    """Nothing of a claim that may be missing, and a letter of an account without which nobody comes in."""
    unknown = files("", "8KB")
    base = "  jwt: {header: X-Token%s}\n"
    ticket = f"  aspnet_ticket: {{{TICKET % 'Framework45'}}}\n"
    found = {}
    for name, told in (
        ("bare", base % ""), ("claim", base % ", claims: {uid: {from: uid}}"), ("ticket", ticket),
        ("basic", "  basic: {account: {from: uid}, password: {file: word}}\n"),
    ):  # fmt: skip
        said = problems({**files(told, "1B"), "providers/metropole.yaml": METROPOLE}, SECRETS)
        found[name] = int(SIZE.search(said[0])[1])  # type: ignore[index] # each is told
    assert found["claim"] == found["bare"]
    app = sample_snapshot(files(ticket, "8KB"), SECRETS).apps["permis"]
    made = make(app.tokens, Identity("", "", "", {"uid": ("x",)}), (), now=1.0, not_after=1.8e9, chance=bytes)
    assert found["ticket"] == len(made.cookies)
    assert found["basic"] == len(b"\r\nAuthorization: Basic ") + len(b64encode(b"x:of the application"))
    assert problems(unknown, SECRETS) == []


def test_the_message_says_what_tokens_take_of_it() -> None:
    (said,) = problems(files("  basic: {account: {from: uid}, password: {file: word}}\n", "1B"), SECRETS)
    basic = len(b"\r\nAuthorization: Basic ") + len(b64encode(b"helene:of the application"))
    assert said.startswith("policies/apps/permis.yaml:6:1: translate: with the longest values that are known, ")
    assert said.endswith(
        f"headers and cookies take {23 + basic} bytes, {basic} of them for tokens, over 1"
        " (send less, or raise translate.budget as far as the application allows)"
    )


def test_a_ticket_that_no_reader_would_take_is_told_too() -> None:
    data = f"user_data: {{value: {'d' * 2000}}}"
    (said,) = problems(files(f"  aspnet_ticket: {{{TICKET % 'Framework45'}, {data}}}\n", "64KB"), SECRETS)
    assert "translate.aspnet_ticket: with the longest values that are known: a ticket of " in said
    assert said.endswith(" characters; ASP.NET reads 4096")


def test_what_cannot_be_read_is_told_where_it_stands_alone() -> None:
    for told in (
        "  sealed: {cookie: T, key: {file: nowhere}}\n",
        "  basic: {account: {value: a}, password: {file: nowhere}}\n",
        "  ltpa2: {account: {from: uid}, keys: {file: word}, password: {file: word}}\n",
        "    X-Key: {value: {file: nowhere}}\n",
    ):
        (said,) = problems(files(told, "100B"), SECRETS)
        assert "budget" not in said


def test_what_is_known_to_be_longer_than_the_budget_is_told_at_load() -> None:
    asserts = METROPOLE.replace("asserts: {", f"asserts: {{attributes: {{groups: [a, {'b' * 600}]}}, ")
    text = PERMIS.replace("{from: uid}\n", "{from: uid}\n    X-G: {from: groups, join: ';'}\n")
    narrow = text.replace("translate:\n", "translate:\n  budget: 512B\n")
    assert problems({"providers/metropole.yaml": asserts, "apps/permis.yaml": text}) == []
    (found,) = problems({"providers/metropole.yaml": asserts, "apps/permis.yaml": narrow})
    assert found.startswith("policies/apps/permis.yaml:6:1: translate: with the longest values that are known, ")
    hint = "send less, or raise translate.budget as far as the application allows"
    assert found.endswith(f"headers and cookies take 607 bytes, over 512 ({hint})")
    table = narrow.replace("join: ';'", f"join: ';', transforms: [{{table: {{a: {'c' * 600}}}, otherwise: omit}}]")
    assert "607 bytes" in problems({"providers/metropole.yaml": asserts, "apps/permis.yaml": table})[0]
    chosen = narrow.replace("join: ';'", "join: ';', only: [a]")
    assert problems({"providers/metropole.yaml": asserts, "apps/permis.yaml": chosen}) == []


@pytest.mark.parametrize("text", ["nobody", "absent"])
def test_so_is_what_is_told_of_nobody_and_of_who_has_no_value(text: str) -> None:
    asserts = METROPOLE.replace("asserts: {", "asserts: {attributes: {groups: [a]}, ")
    header = f"{{from: groups, join: ';', {text}: {'n' * 600}}}"
    files = {"providers/metropole.yaml": asserts, "apps/permis.yaml": ""}
    for budget, found in (("1KB", 0), ("512B", 1)):
        told = f"translate:\n  budget: {budget}\n"
        files["apps/permis.yaml"] = PERMIS.replace("translate:\n", told).replace(
            "{from: uid}\n", f"{{from: uid}}\n    X-G: {header}\n"
        )
        said = problems(files)
        assert (len(said), all("headers and cookies take 607 bytes" in one for one in said)) == (found, True)
