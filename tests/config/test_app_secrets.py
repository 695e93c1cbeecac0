"""Fixed texts of application files that are secrets: kept elsewhere, shown to nobody."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.cli.exits import Exit
from gateway.cli.explain import explain
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import for_app
from gateway.config.problems import ProblemsFound
from gateway.model.identity import Identity
from gateway.translation.render import Injection
from gateway.translation.specs import Constant
from tests.config.samples import GATEWAY, PERMIS, problems, sample_files, sample_snapshot

NOT_DEVELOPMENT = (
    GATEWAY.replace("development: true\n", "").replace("http://portail.localhost:8080", "https://portail.localhost")
    + "trusted_proxies: [10.0.0.0/8]\n"
)
METROPOLE = (
    "version: 1\nprovider: metropole\noidc: {issuer: 'https://op.example', client_id: a, client_secret: {file: s}}\n"
    "attributes: {uid: sub, groups: groups}\n"
)
HELENE = Identity("metropole", "http://127.0.0.1:9400", "helene", {"uid": ("helene",)})
REFERENCE = {"file:../certs/app.secret": b"Basic c2VydmljZTpzZWNyZXQ=\n"}
SAID = (
    ".value: this looks like a secret, which is not written into this file "
    "({file: path}, {env: NAME} or {credential: name})"
)


def app(line: str, section: str = "headers") -> str:
    usual = "    X-Remote-User: {from: uid}\n"
    if section == "section":
        return PERMIS.replace(usual, f"{usual}  {line}\n")
    return PERMIS.replace(usual, f"    {line}\n" if section == "headers" else f"{usual}  cookies:\n    {line}\n")


def found(text: str, gateway: str = NOT_DEVELOPMENT, secrets: dict[str, bytes] | None = None) -> list[str]:
    changes = {"gateway.yaml": gateway, "providers/metropole.yaml": METROPOLE, "apps/permis.yaml": text}
    return problems(changes, {"file:s": b"0" * 32, **(secrets or {})})


SECRETS = [
    "Authorization: {value: 'Basic c2VydmljZTpzZWNyZXQ='}",
    "Authorization: {value: anything}",
    "X-Authorization: {value: anything}",
    "X-Service: {value: 'basic c2VydmljZTpzZWNyZXQ='}",
    "X-Service: {value: 'Bearer abc'}",
    "X-Service: {value: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.x'}",
    "X-Service: {value: 'https://user:pass@host/'}",
    "X-API-Key: {value: k}",
    "X-ApiKey: {value: k}",
    "X-Proxy-Secret: {value: k}",
    "X-Gate-Token: {value: k}",
    "X-Password: {value: k, encoding: base64}",
    "X-Mot-De-Passe: {value: k}",
    "X-Cle-API: {value: k}",
    "Ocp-Apim-Subscription-Key: {value: k}",
    "X-Functions-Key: {value: k}",
    "X-Pwd: {value: k}",
    "X-MDP: {value: k}",
    "X-Cle: {value: k}",
    "Key: {value: k}",
    "X-Service: {value: 'AWS4-HMAC-SHA256 Credential=a'}",
    "X-Service: {value: AKIAIOSFODNN7EXAMPLE}",
    "X-Service: {value: ghp_abcdefghijklmnopqrstuvwxyz0123456789}",
    "X-Service: {value: glpat-abcdefghijklmnopqrst}",
    "X-Service: {value: 'https://host/?a=b&api_key=k'}",
    "X-Service: {value: 'Server=x;Password=k'}",
    "X-Service: {value: 'login=a password=k'}",
    """X-Service: {value: '{"login": "a", "password": "k"}'}""",
    "X-Signature: {value: dGhpcyBpcyBz}",
    "X-Hub-Signature-256: {value: sha256=a0b1c2d3}",
    "X-Otp: {value: '123456'}",
    "X-Session-Id: {value: a0b1c2d3e4}",
    "JSESSIONID: {value: a0b1c2d3e4}",
    "ASP.NET_SessionId: {value: a0b1c2d3e4}",
    "PHPSESSID: {value: a0b1c2d3e4}",
    "X-Auth: {value: a0b1c2d3e4f5a6b7c8}",
    "connect.sid: {value: a0b1c2d3e4f5a6b7c8}",
    "X-Service: {value: 'https://host/?sv=1&sig=a0b1c2d3e4'}",
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_in_clear_is_refused_outside_development(line: str) -> None:
    for section in ("headers", "cookies"):
        # A cookie with a blank is another problem of the same line.
        said = [one for one in found(app(line, section)) if "looks like a secret" in one]
        assert len(said) == 1
        assert said[0].startswith("policies/apps/permis.yaml:")
        assert said[0].endswith(f"translate.{section}.{line.partition(':')[0]}{SAID}")


@pytest.mark.parametrize("line", SECRETS)
def test_development_may_write_it_and_it_is_known_for_one(line: str) -> None:
    (spec,) = sample_snapshot({"apps/permis.yaml": app(line)}).apps["permis"].translation.headers
    assert isinstance(spec.source, Constant)
    assert spec.source.secret


@pytest.mark.parametrize(
    "line",
    [
        "X-Gateway: {value: ecluse}",
        "X-Authenticated: {value: 'yes'}",
        "X-Mode: {value: basic}",
        "X-Keyed: {value: k}",
        "X-Pass-Through: {value: 'on'}",
        "X-Clear: {value: 'a=b; mode=key'}",
        "X-Link: {value: 'https://host/?a=token'}",
        "X-Says: {value: 'password='}",
        "X-Otp: {value: required}",
        "X-Auth: {value: oauth2-proxy}",
        "X-Auth: {value: 'saml 2.0 of the gateway'}",
        "X-Sso: {value: 'on'}",
        "X-Signature-Algorithm: {value: rsa-sha256-pkcs1-v1_5}",
        "X-Link: {value: 'https://host/?sid=12&session=ete2026'}",
    ],
)
def test_what_is_none_is_written_and_shown(line: str) -> None:
    assert found(app(line)) == []
    (spec,) = sample_snapshot({"apps/permis.yaml": app(line)}).apps["permis"].translation.headers
    assert isinstance(spec.source, Constant)
    assert not spec.source.secret


BESIDE = [
    ("X-Api-Key: {from: uid, absent: planted}", "absent"),
    ("X-Api-Key: {from: uid, nobody: planted}", "nobody"),
    ("X-Service: {from: uid, nobody: 'Basic planted'}", "nobody"),
    ("X-Api-Key: {from: uid, transforms: [lower, {table: {a: planted}}]}", "transforms[1].table.a"),
    ("X-Service: {from: uid, transforms: [{table: {a: 'Bearer planted'}}]}", "transforms[0].table.a"),
    ("X-Service: {from: uid, transforms: [{prefix: 'Bearer planted'}]}", "transforms[0].prefix"),
    ("X-Service: {template: 'https://user:planted@host/{uid}'}", "template"),
    ("X-Service: {template: '{uid} eyJhbGciOiJub25lIn0.planted.x'}", "template"),
]


@pytest.mark.parametrize(("line", "key"), BESIDE)
def test_a_secret_in_clear_beside_a_persons_value_is_refused_outside_development(line: str, key: str) -> None:
    (said,) = found(app(line))
    assert f"translate.headers.{line.partition(':')[0]}.{key}: this looks like a secret" in said
    assert "planted" not in said
    assert problems({"apps/permis.yaml": app(line)}) == []


@pytest.mark.parametrize(
    "line",
    ["X-Token-Of: {template: 'agent-{uid}'}", "X-Service: {from: uid, transforms: [{prefix: 'Bearer '}]}",
     "X-Service: {template: 'Basic {uid}'}", "X-Role: {from: uid, absent: none, nobody: anonymous}"],
)  # fmt: skip
def test_what_stands_beside_a_persons_value_and_is_none_loads(line: str) -> None:
    assert found(app(line)) == []


FORM = (
    "form_login:\n  trusted: {{from: uid, secret: {{file: ../certs/app.secret}}}}\n  cookies: [SID]\n"
    "  signed_in: [{{status: 302}}]\n  steps:\n    - {{{}, fields: {{user: login, word: secret}}}}\n"
)
HEALTH = (
    "upstream: {url: http://127.0.0.1:9001, others: ['http://127.0.0.1:9002'], health: {path: '/up?token=planted'}}"
)


def rule(condition: str) -> str:
    return PERMIS.replace("access:\n", f"access:\n  - {{path: /api/**, allow: {condition}}}\n", 1)


CALLS = [
    (PERMIS + FORM.format("page: /in, values: {api_key: planted}"), "form_login.steps[0].values.api_key"),
    (PERMIS + FORM.format("page: /in, values: {x: Bearer planted}"), "form_login.steps[0].values.x"),
    (PERMIS + FORM.format("page: '/in?token=planted'"), "form_login.steps[0].page"),
    (PERMIS + FORM.format("page: /in") + "  check: '/me?token=planted'\n", "form_login.check"),
    (PERMIS.replace("upstream: {url: http://127.0.0.1:9001}", HEALTH), "upstream.health.path"),
    (app("jwt: {header: X-T, claims: {api_key: {value: planted}}}", "section"), "translate.jwt.claims.api_key.value"),
    (app("jwt: {header: X-T, claims: {x: {value: Bearer planted}}}", "section"), "translate.jwt.claims.x.value"),
    (rule("{query: {name: api_key, equals: planted}}"), "access[0].allow.query.equals"),
    (rule("{any: [{header: {name: X-A, in: [a, Bearer planted]}}, signed_in]}"), "access[0].allow.any[0].header.in"),
]


@pytest.mark.parametrize(("text", "key"), CALLS)
def test_a_secret_in_what_our_own_calls_say_is_refused_outside_development(text: str, key: str) -> None:
    (said,) = found(text, secrets=REFERENCE)
    assert f" {key}: `" in said
    assert "looks like a secret" in said
    assert "planted" not in said
    harmless = text.replace("api_key", "x").replace("token", "x").replace("Bearer planted", "planted")
    assert found(harmless, secrets=REFERENCE) == []


def test_its_line_is_not_shown_where_it_is_refused() -> None:
    text = app("X-Api-Key:\n      value: planted")
    with pytest.raises(ProblemsFound) as refused:
        compile_files(sample_files({"gateway.yaml": NOT_DEVELOPMENT, "apps/permis.yaml": text}))
    assert "translate.headers.X-Api-Key.value" in str(refused.value)
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    "rest", ["?token=planted", "?a=b&api_key=planted", "?x=Bearer+planted", "?password", "?sig=planted0123",
     "?x=eyJhbGciOiJub25lIn0.planted.x", "/eyJhbGciOiJub25lIn0.planted.x/end", "/%65yJhbGciOiJub25lIn0.planted.x"],
)  # fmt: skip
def test_a_secret_in_the_address_of_the_sign_out_call_is_refused_outside_development(rest: str) -> None:
    text = f"{PERMIS}logout: {{url: '/bye{rest}'}}\n"
    (said,) = found(text)
    assert "logout.url: `" in said
    assert "looks like a secret" in said
    assert "planted" not in said
    assert problems({"apps/permis.yaml": text}) == []


@pytest.mark.parametrize("url", ["/bye", "/bye?then=/accueil&lang=fr", "/index.php?module=logout", "/a.b.c/eyJ"])
def test_an_address_of_the_sign_out_call_without_one_loads(url: str) -> None:
    assert found(f"{PERMIS}logout: {{url: '{url}'}}\n") == []


@pytest.mark.parametrize("kind", ["file: ../certs/app.secret", "env: APP_SECRET", "credential: app"])
@pytest.mark.parametrize("shadow", ["", "shadow: true\n"])
def test_it_stands_elsewhere_and_is_sent_as_it_stands_there(kind: str, shadow: str) -> None:
    key = kind.replace(": ", ":")
    text = app(f"Authorization: {{value: {{{kind}}}}}")
    changes = {"apps/permis.yaml": text} if not shadow else {"apps/shadow.yaml": text + shadow}
    snapshot = sample_snapshot(changes, {key: REFERENCE["file:../certs/app.secret"]})
    told = snapshot.apps["permis"].shadows[0] if shadow else snapshot.apps["permis"]
    assert told.translation.render(HELENE) == Injection(b"\r\nAuthorization: Basic c2VydmljZTpzZWNyZXQ=", b"")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "../certs/app.secret: this is empty"),
        (b"\xff", "this is not UTF-8"),
        (b"a\nb", "what stands there cannot be sent in X-A (one line, in letters that its encoding has)"),
        ("Łódź".encode(), "what stands there cannot be sent in X-A (one line, in letters that its encoding has)"),
    ],
)
def test_what_cannot_be_sent_is_told_without_what_it_is(content: bytes, said: str) -> None:
    text = app("X-A: {value: {file: ../certs/app.secret}, encoding: latin1}")
    assert found(text, secrets={"file:../certs/app.secret": content}) == [
        f"policies/apps/permis.yaml:8:18: translate.headers.X-A.value: {said}"
    ]


def test_what_a_team_may_not_read_refuses_its_file() -> None:
    fence = "{hosts: [permis.localhost], providers: [metropole], upstreams: [127.0.0.1], headers: [X-A]}"
    changes = {
        "gateway.yaml": f"{GATEWAY}teams: {{urba: {fence}}}\n",
        "apps/permis.yaml": None,
        "apps/urba/x.yaml": app("X-A: {value: {file: ../certs/app.secret}}"),
    }
    (said,) = problems(changes, REFERENCE)
    assert said.startswith(
        "policies/apps/urba/x.yaml:8:18: translate.headers.X-A.value: ../certs/app.secret: this was not"
    )
    secrets = {for_app("urba", "file:../certs/app.secret"): b"mine"}
    assert problems(changes, secrets) == []


@pytest.mark.parametrize("as_json", [False, True])
def test_explain_shows_that_there_is_one_and_not_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    lines = ("Authorization: {value: 'Basic planted='}", "X-Mode: {value: open}", "X-Proof: {value: {file: ../proof}}")
    text = app("\n    ".join(lines))
    for path, content in {
        "policies/gateway.yaml": GATEWAY.replace(
            "{file: ../certs/store.key}", "'0123456789012345678901234567890123456789'"
        ),
        "policies/providers/metropole.yaml": METROPOLE.replace("{file: s}", "a-secret"),
        "policies/apps/permis.yaml": text,
        "proof": "planted",
        "helene.yaml": "provider: metropole\nsubject: helene\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    asked = "GET http://permis.localhost/x"
    assert explain(tmp_path / "policies", asked, tmp_path / "helene.yaml", as_json=as_json) == Exit.DONE
    printed = capsys.readouterr().out
    assert "planted" not in printed
    if as_json:
        told = json.loads(printed)["headers"]
        assert told == {"Authorization": "(secret)", "X-Mode": "open", "X-Proof": "(secret)"}
    else:
        assert "header Authorization: (secret)" in printed
        assert "header X-Mode: open" in printed


def test_a_condition_asks_for_a_secret_that_the_file_does_not_hold() -> None:
    """The way that the message of one in clear names."""
    rule = "  - {path: /machine/**, allow: {header: {name: X-Api-Key, %s}}}\n"
    (said,) = found(PERMIS + rule % "equals: planted")
    assert said.endswith(
        "`X-Api-Key` looks like a secret, which is not written into this file"
        " (write sha256: and what `printf %s SECRET | sha256sum` prints, or let programs bring tokens (api))"
    )
    assert found(PERMIS + rule % f"sha256: {sha256(b'planted').hexdigest()}") == []
