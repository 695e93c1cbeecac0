"""What `explain`, policy tests and `diff` show of tokens: what they say, and nothing that anybody could use."""

from gateway.trial.request import Circumstances, parse_request
from gateway.trial.trial import Tried, try_request
from tests.config.samples import GATEWAY, PERMIS, sample_snapshot
from tests.tokens.keys import pem
from tests.trial.samples import NOW, person

FILES = {
    "gateway.yaml": GATEWAY + "tokens: {keys: [{key: {file: tokens.pem}}]}\n",
    "apps/permis.yaml": PERMIS.replace(
        "access:",
        "  jwt: {cookie: TOKEN, claims: {g: {from: groups, list: true}, who: {from: uid}}}\n"
        "  basic: {account: {from: uid}, password: {file: word}}\naccess:",
    ),
}
SECRETS = {"file:tokens.pem": pem("ES256"), "file:word": b"the-one-secret"}


def tried(*groups: str, files: dict[str, str] = FILES) -> Tried:
    known = person(uid=("paul",), groups=groups)
    asked = parse_request("GET http://permis.localhost/a")
    return try_request(sample_snapshot(files, SECRETS), asked, known, Circumstances(NOW))


def test_claims_and_accounts_are_shown_and_no_secret() -> None:
    told = tried("ONDE")
    assert (told.outcome, told.headers["X-Remote-User"]) == ("allow", "paul")
    assert told.headers["Authorization"] == "(Basic, as paul, with a secret)"
    assert told.cookies["TOKEN"].startswith("(JWT, ES256, 300 s) {")
    assert '"g": ["ONDE"], "who": "paul"' in told.cookies["TOKEN"]


def test_who_would_be_refused_for_a_token_is_refused_here() -> None:
    one_value = {**FILES, "apps/permis.yaml": FILES["apps/permis.yaml"].replace(", list: true", "")}
    told = tried("ONDE", "elus", files=one_value)
    assert (told.outcome, told.reason, told.detail) == (
        "deny", "translation.unencodable", "claim g: 2 values, and the file has neither `list` nor a choice",
    )  # fmt: skip


def test_a_ticket_is_shown_as_what_it_tells() -> None:
    keys = "validation_key: {file: mac}, decryption_key: {file: aes}"
    ticket = f"  aspnet_ticket: {{account: {{from: uid}}, compatibility: Framework45, {keys}}}\naccess:"
    known = person(uid=("paul",), groups=())
    asked = parse_request("GET http://permis.localhost/a")
    snapshot = sample_snapshot(
        {"apps/permis.yaml": PERMIS.replace("access:", ticket)}, {"file:mac": b"AB" * 64, "file:aes": b"CD" * 32}
    )
    told = try_request(snapshot, asked, known, Circumstances(NOW))
    assert told.cookies[".ASPXAUTH"].endswith('{"Name": "paul", "CookiePath": "/"}')
