# ruff: noqa: E501 - a case is a line
"""What an app file may say of tokens, beside its other sections, gateway.yaml and other applications."""

from base64 import b64encode

import pytest

from tests.config.samples import GATEWAY, PERMIS, problems, sample_snapshot
from tests.tokens.keys import key, pem
from tests.tokens.test_ltpa import EXPORTED, PASSWORD

KEYS = "tokens: {keys: [{key: {file: tokens.pem}}]}\n"
SECRETS = {"file:tokens.pem": pem("ES256"), "file:rsa.pem": pem("RS256"), "file:ed.pem": pem("EdDSA")}


def with_jwt(jwt: str, more: str = "") -> str:
    return PERMIS.replace("access:", f"  jwt: {jwt}\n{more}access:")


def found(app: str, gateway: str = KEYS, **others: str) -> list[str]:
    files = {"gateway.yaml": GATEWAY + gateway, "apps/permis.yaml": app}
    return problems({**files, **{f"apps/{name}.yaml": text for name, text in others.items()}}, SECRETS)


@pytest.mark.parametrize(
    ("jwt", "said"),
    [
        ("{}", "9:8: translate.jwt: a token stands in one place (write header: NAME or cookie: NAME)"),
        ("{header: X-T, cookie: T}", "9:8: translate.jwt: a token stands in one place (write header: NAME or cookie: NAME)"),
        ("{header: X-Forwarded-For}", "9:17: translate.jwt.header: header `X-Forwarded-For`: this header is written by the gateway or says how a message is read: choose another name"),
        ("{header: X-RemoteUser}", "9:17: translate.jwt.header: a server may read this as X-Remote-User (keep one of the two)"),
        ("{cookie: __Host-ecluse}", "9:17: translate.jwt.cookie: cookie `__Host-ecluse`: this cookie is the gateway's own"),
        ("{cookie: 'a;b'}", "9:17: translate.jwt.cookie: cookie `a;b`: not a cookie name"),
        ("{header: X-T, life: 10s}", "9:28: translate.jwt.life: a token lives from 30s to 1h (write life: 5m)"),
        ("{header: X-T, life: 2h}", "9:28: translate.jwt.life: a token lives from 30s to 1h (write life: 5m)"),
        ("{header: X-T, algorithm: HS256}", "9:33: translate.jwt.algorithm: this must be one of ES256, EdDSA, RS256 (did you mean RS256?)"),
        ("{header: X-T, algorithm: RS256}", "9:33: translate.jwt.algorithm: gateway.yaml has no key that signs RS256 tokens (tokens: {keys: [{algorithm: RS256, key: {file: ...}}]})"),
        ("{header: X-T, claims: {exp: {value: x}}}", "9:31: translate.jwt.claims.exp: exp is the gateway's to write (choose another name for this claim)"),
        ("{header: X-T, claims: {aud: {from: uid}}}", "9:31: translate.jwt.claims.aud: aud is the gateway's to write (choose another name for this claim)"),
        ("{header: X-T, claims: {a: {from: uids}}}", "9:41: translate.jwt.claims.a.from: no provider of this application maps an attribute uids (did you mean uid?)"),
        ("{header: X-T, claims: {a: {}}}", "9:34: translate.jwt.claims.a: this comes from one place (write {from: attribute} or {value: text})"),
    ],
)  # fmt: skip
def test_a_token_that_cannot_be_is_refused_at_its_place(jwt: str, said: str) -> None:
    assert found(with_jwt(jwt)) == [f"policies/apps/permis.yaml:{said}"]


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        ("", ""),
        ("tokens: {rotate: 30d}\n", ""),
        ("tokens: {rotate: 12h}\n", "tokens.rotate: a key is kept for a day at least (write rotate: 90d)"),
        (KEYS.replace("keys:", "rotate: 30d, keys:"), "tokens: keys that are given here are changed here (leave rotate out, or keys)"),
    ],
)  # fmt: skip
def test_keys_that_the_gateway_makes_are_made_or_given(gateway: str, said: str) -> None:
    told = found(with_jwt("{header: X-T, algorithm: ES256}"), gateway)
    assert [line.partition(": ")[2] for line in told] == ([said] if said else [])


def test_a_token_lives_longer_than_it_may_be_on_its_way() -> None:
    (said,) = found(with_jwt("{header: X-T, life: 30s}"), KEYS + "timeouts: {connect: 6s}\n")
    assert said.endswith(
        "translate.jwt.life: 30 s are too short where connecting may take 6 s (write life: 32s at least)"
    )


def test_the_header_of_a_programs_own_token_is_taken() -> None:
    api = "api: {providers: [metropole], paths: [/api/**], forward: %s}\n"
    said = (
        "no program's token would arrive (api), for it comes in this header (choose another header, or leave api out)"
    )
    for forward in ("true", "false"):
        assert any(line.endswith(said) for line in found(with_jwt("{header: authorization}", api % forward)))
        assert not any(line.endswith(said) for line in found(with_jwt("{header: X-T}", api % forward)))
    assert not any(line.endswith(said) for line in found(with_jwt("{header: authorization}")))
    written = PERMIS.replace("access:", f"    Authorization: {{from: uid}}\n{api % 'false'}access:")
    assert any(line.endswith(f"translate.headers.Authorization: {said}") for line in found(written))


@pytest.mark.parametrize(
    ("sealed", "said"),
    [
        ("{cookie: T}", "translate.sealed.key: this key is missing"),
        ("{cookie: T, key: {file: word}}", "translate.sealed.key: this is not a key of 32 bytes in base64 (openssl rand -base64 32)"),
        ("{cookie: T, key: {file: shared}, life: 20s}", "translate.sealed.life: a token lives from 30s to 1h (write life: 5m)"),
        ("{cookie: T, key: {file: shared}}\n  jwt: {cookie: t}", "translate.sealed.cookie: a server may read this as t (keep one of the two)"),
        ("{cookie: T, key: {file: shared}, algorithm: ES256}", "translate.sealed.algorithm: this must be one of A256GCM, HS256 (did you mean HS256?)"),
    ],
)  # fmt: skip
def test_a_sealed_token_that_cannot_be_is_refused_at_its_place(sealed: str, said: str) -> None:
    secrets = {**SECRETS, "file:word": b"word", "file:shared": b64encode(bytes(32))}
    files = {
        "gateway.yaml": GATEWAY + KEYS,
        "apps/permis.yaml": PERMIS.replace("access:", f"  sealed: {sealed}\naccess:"),
    }
    assert [line.partition(": ")[2] for line in problems(files, secrets)] == [said]


KEYED = "account: {from: uid}, compatibility: Framework45, validation_key: {file: mac}, decryption_key: {file: aes}"


@pytest.mark.parametrize(
    ("ticket", "said"),
    [
        ("{account: {from: uid}, validation_key: {file: mac}, decryption_key: {file: aes}}", "translate.aspnet_ticket.compatibility: this key is missing"),
        ("{account: {from: uid}, compatibility: Framework45, validation_key: AB, decryption_key: {file: aes}}", "translate.aspnet_ticket.validation_key: this is not written here (write {file: path})"),
        (f"{{{KEYED.replace('file: mac', 'file: short')}}}", "translate.aspnet_ticket.validation_key: a key of 40 to 128 hexadecimal digits is needed, and these are 4 digits (as web.config has it, without AutoGenerate and IsolateApps)"),
        (f"{{{KEYED.replace('file: aes', 'file: word')}}}", "translate.aspnet_ticket.decryption_key: a key of 32, 48 or 64 hexadecimal digits is needed, and these are not hexadecimal digits (as web.config has it, without AutoGenerate and IsolateApps)"),
        (f"{{{KEYED}, validation: MD5}}", "translate.aspnet_ticket.validation: this must be one of SHA1, HMACSHA256, HMACSHA384, HMACSHA512"),
        (f"{{{KEYED}, life: 2h}}", "translate.aspnet_ticket.life: a token lives from 30s to 1h (write life: 5m)"),
        (f"{{{KEYED}, life: 30s}}", ""),
        (f"{{{KEYED}}}\n  cookies: {{.aspxauth: {{value: x}}}}", "translate.aspnet_ticket.cookie: a server may read this as .aspxauth (keep one of the two)"),
        (f"{{{KEYED.replace('from: uid', 'from: logn')}}}", "translate.aspnet_ticket.account.from: no provider of this application maps an attribute logn (write logn: under attributes of a provider's file)"),
        (f"{{{KEYED}, user_data: {{from: uids}}}}", "translate.aspnet_ticket.user_data.from: no provider of this application maps an attribute uids (did you mean uid?)"),
        (f"{{{KEYED}, user_data: {{}}}}", "translate.aspnet_ticket.user_data: this comes from one place (write {from: attribute} or {value: text})"),
    ],
)  # fmt: skip
def test_a_ticket_that_cannot_be_is_refused_at_its_place(ticket: str, said: str) -> None:
    secrets = {**SECRETS, "file:mac": b"AB" * 64, "file:aes": b"CD" * 32, "file:short": b"ABCD", "file:word": b"word"}
    files = {"apps/permis.yaml": PERMIS.replace("access:", f"  aspnet_ticket: {ticket}\naccess:")}
    assert [line.partition(": ")[2] for line in problems(files, secrets)] == ([said] if said else [])


LTPA = "account: {from: uid}, keys: {file: ltpa.keys}, password: {file: ltpa.password}"
REALM = b"com.ibm.websphere.ltpa.Realm=LdapRegistry"


@pytest.mark.parametrize(
    ("ltpa2", "secrets", "said"),
    [
        (LTPA, {}, ""),
        (LTPA, {"file:ltpa.password": b"other"}, "translate.ltpa2.keys: these are not the keys that WebSphere exports: 3DESKey does not open with this password (the file and its password)"),
        (LTPA, {"file:ltpa.keys": b"word"}, "translate.ltpa2.keys: these are not the keys that WebSphere exports: 3DESKey is missing (the file and its password)"),
        (LTPA, {"file:ltpa.keys": EXPORTED.replace(REALM, b"").strip()}, "translate.ltpa2.keys: this file names no realm (write realm: defaultRealm, as the application's registry has it)"),
        (f"{LTPA}, realm: defaultRealm", {"file:ltpa.keys": EXPORTED.replace(REALM, b"").strip()}, ""),
        (LTPA.replace("password: {file: ltpa.password}", "password: test123"), {}, "translate.ltpa2.password: this is not written here (write {file: path})"),
        (LTPA.replace("uid", "logn"), {}, "translate.ltpa2.account.from: no provider of this application maps an attribute logn (write logn: under attributes of a provider's file)"),
        (f"{LTPA}, life: 2h", {}, "translate.ltpa2.life: a token lives from 30s to 1h (write life: 5m)"),
    ],
)  # fmt: skip
def test_an_ltpa2_token_that_cannot_be_is_refused_at_its_place(
    ltpa2: str, secrets: dict[str, bytes], said: str
) -> None:
    files = {"apps/permis.yaml": PERMIS.replace("access:", f"  ltpa2: {{{ltpa2}}}\naccess:")}
    known = {"file:ltpa.keys": EXPORTED.strip(), "file:ltpa.password": PASSWORD, **secrets}
    assert [line.partition(": ")[2] for line in problems(files, known)] == ([said] if said else [])


@pytest.mark.parametrize(
    ("basic", "said"),
    [
        ("{account: {value: svc}, password: secret}", "translate.basic.password: this is not written here (write {file: path})"),
        ("{account: {value: svc}, password: {file: lines}}", "translate.basic.password: a password is one line, without control characters"),
        ("{account: {value: svc}, password: {file: greek}, encoding: latin1}", "translate.basic.password: this password is not in letters that latin1 has"),
        ("{account: {value: 'a:b'}, password: {file: word}}", "translate.basic.account.value: the password would begin behind the colon"),
        ("{account: {}, password: {file: word}}", "translate.basic.account: this comes from one place (write {from: attribute} or {value: text})"),
        ("{account: {from: logn}, password: {file: word}}", "translate.basic.account.from: no provider of this application maps an attribute logn (write logn: under attributes of a provider's file)"),
        ("{account: {from: uid}, password: {file: word}}\n  jwt: {header: authorization}", "translate.basic: a server may read this as authorization (keep one of the two)"),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_is_refused_at_its_place(basic: str, said: str) -> None:
    secrets = {**SECRETS, "file:word": b"word", "file:lines": b"a\nb", "file:greek": "αβγ".encode()}
    files = {
        "gateway.yaml": GATEWAY + KEYS,
        "apps/permis.yaml": PERMIS.replace("access:", f"  basic: {basic}\naccess:"),
    }
    assert [line.partition(": ")[2] for line in problems(files, secrets)] == [said]


def test_no_condition_asks_about_the_tokens_header() -> None:
    text = with_jwt("{header: X-T}").replace("allow: signed_in}", "allow: {header: {name: x-t, equals: a}}}")
    assert any("access[2].allow" in line for line in found(text))


def test_an_audience_is_one_applications() -> None:
    other = PERMIS.replace("app: permis", "app: actes").replace("permis.localhost", "actes.localhost")
    mine = with_jwt("{header: X-T, audience: urn:a}")
    theirs = other.replace("access:", "  jwt: {header: X-T, audience: urn:a}\naccess:")
    assert found(mine, actes=theirs) == [
        "policies/apps/permis.yaml:9:32: translate.jwt.audience: actes has this audience: a token of one would be good for the other"
    ]
    assert found(with_jwt("{header: X-T, audience: actes}"), actes=other) == [
        "policies/apps/permis.yaml:9:32: translate.jwt.audience: this is the name of another application: a token of permis would be good there (leave it out, or write an address of this application)"
    ]
    assert found(mine, actes=theirs.replace("urn:a", "urn:b")) == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("[{key: {file: rsa.pem}}]", "tokens.keys[0].key: ES256 needs an EC key on P-256"),
        ("[{algorithm: EdDSA, key: {file: tokens.pem}}]", "tokens.keys[0].key: EdDSA needs an Ed25519 key (openssl genpkey -algorithm ed25519)"),
        ("[{algorithm: RS256, key: {file: ed.pem}}]", "tokens.keys[0].key: RS256 needs an RSA key of 2048 to 8192 bits (for an EC key write algorithm: ES256)"),
        ("[]", "tokens.keys: this is empty (name at least one)"),
    ],
)  # fmt: skip
def test_a_key_of_another_kind_is_refused(keys: str, said: str) -> None:
    (line,) = found(PERMIS, f"tokens: {{keys: {keys}}}\n")
    assert line.endswith(said)


def test_all_keys_are_served_in_their_order() -> None:
    keys = "tokens: {keys: [{key: {file: tokens.pem}}, {algorithm: EdDSA, key: {file: ed.pem}}]}\n"
    snapshot = sample_snapshot({"gateway.yaml": GATEWAY + keys}, SECRETS)
    assert [one.id for one in snapshot.gateway.token_keys] == [key("ES256").id, key("EdDSA").id]
