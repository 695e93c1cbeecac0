"""deploy/readers/jwt.php and EcluseTokenFilter.java, and what the page has Python do, read the tokens that are made and
refuse all others."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import get_args

import pytest

from gateway.tokens.jwt import jwk_set, sign
from gateway.tokens.spec import SigningKey, TokenAlgorithm
from tests.docs.blocks import blocks
from tests.interop.servers import SPRING, TOMCAT
from tests.tokens.keys import key

pytestmark = pytest.mark.service

READER = Path(__file__).resolve().parents[2] / "deploy" / "readers" / "jwt.php"
PROGRAM = """
require $argv[1];
[$token, $keys, $now] = json_decode(stream_get_contents(STDIN), true);
try { echo json_encode(ecluse_jwt($token, $keys, 'permis', 'https://portail.example', $now)); }
catch (RuntimeException $why) { echo json_encode($why->getMessage()); }
"""
CLAIMS = {"iss": "https://portail.example", "aud": "permis", "sub": "hélène", "exp": 1_800_000_000}
KEYS = json.loads(jwk_set(key(one) for one in get_args(TokenAlgorithm)))


def read(token: bytes, now: int = 1_799_999_999) -> object:
    given = json.dumps([token.decode(), KEYS, now])
    ran = subprocess.run(["php", "-r", PROGRAM, str(READER)], input=given, capture_output=True, text=True, timeout=30)
    assert not ran.stderr, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("algorithm", get_args(TokenAlgorithm))
def test_php_reads_each_kind(algorithm: TokenAlgorithm) -> None:
    for number in range(8):
        assert read(sign(key(algorithm), {**CLAIMS, "n": number})) == {**CLAIMS, "n": number}


def other(algorithm: TokenAlgorithm, kid: str) -> SigningKey:
    another = key(algorithm, 1)
    return SigningKey(algorithm, kid, another.pem, another.public)


def tampered(token: bytes) -> bytes:
    """Another signature than its own, whatever that is."""
    return token[:-20] + (b"A" if token[-20:-19] != b"A" else b"B") + token[-19:]


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (sign(key(), {**CLAIMS, "aud": "actes"}), "for another application"),
        (sign(key(), {**CLAIMS, "iss": "https://evil.example"}), "for another application"),
        (sign(key(), {**CLAIMS, "exp": 1_799_999_999}), "at its end"),
        (sign(key(), {**CLAIMS, "exp": "1800000000"}), "at its end"),
        (sign(key("ES256", 1), CLAIMS), "a key that is not known"),
        (sign(other("ES256", key("ES256").id), CLAIMS), "a signature that is not of this key"),
        (sign(other("RS256", key("RS256").id), CLAIMS), "a signature that is not of this key"),
        (sign(other("EdDSA", key("EdDSA").id), CLAIMS), "a signature that is not of this key"),
        (sign(other("RS256", key("ES256").id), CLAIMS), "a key that is not known"),
        (tampered(sign(key(), CLAIMS)), "a signature that is not of this key"),
        (b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "a key that is not known"),
        (b"x", "not a token"),
    ],
)
def test_php_refuses_any_other(token: bytes, why: str) -> None:
    assert read(token) == why


# --- Python, by the page ---

DEBIANS_PYTHON = "/usr/bin/python3"
DOCS = READER.parents[2] / "docs"
PAGES = (DOCS / "how-to/send-a-signed-token.md", DOCS / "fr/envoyer-un-jeton-signe.md")
ASKED = """
import json, sys
from types import SimpleNamespace
for token in json.load(sys.stdin):
    try:
        print(json.dumps(person(SimpleNamespace(META={"HTTP_X_IDENTITY_TOKEN": token}))))
    except jwt.PyJWTError as why:
        print(json.dumps(type(why).__name__))
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_page_has_python_do_reads_the_token_and_no_other(page: Path, tmp_path: Path) -> None:
    """PyJWT, which fetches the published keys."""
    (code,) = [block.text for block in blocks(page) if block.language == "python"]
    published = tmp_path / "jwks"
    published.write_bytes(jwk_set(key(one) for one in get_args(TokenAlgorithm)))
    address = "https://portail.example.org/_ecluse/app/jwks"
    assert address in code
    claims = {**CLAIMS, "iss": "https://portail.example.org", "exp": int(time.time()) + 60}
    others = [
        sign(key(), {**claims, "aud": "actes"}), sign(key(), {**claims, "iss": "https://evil.example"}),
        sign(key(), {**claims, "exp": 1}), sign(key("ES256", 1), claims), sign(key("RS256"), claims),
        tampered(sign(key(), claims)),
    ]  # fmt: skip
    ran = subprocess.run(
        [DEBIANS_PYTHON, "-c", code.replace(address, published.as_uri()) + ASKED],
        input=json.dumps([one.decode() for one in (sign(key(), claims), *others)]),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not ran.stderr, ran.stderr
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        claims, "InvalidAudienceError", "InvalidIssuerError", "ExpiredSignatureError", "PyJWKClientError",
        "InvalidAlgorithmError", "InvalidSignatureError",
    ]  # fmt: skip


# --- Java, without a container ---

MAIN = """
import jakarta.servlet.*;
import jakarta.servlet.http.*;
import java.lang.reflect.Proxy;
import java.util.*;
import java.util.function.Function;

public class Main {
    static String told;

    static <T> T made(Class<T> type, Map<String, Function<Object[], Object>> methods) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, given) ->
            methods.getOrDefault(method.getName(), ignored -> null).apply(given)));
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> settings = Map.of(
            "keys", arguments[0], "issuer", "https://portail.example", "audience", "permis", "algorithm", arguments[1]);
        var context = made(ServletContext.class, Map.of());
        var filter = new EcluseTokenFilter();
        filter.init(made(FilterConfig.class, Map.of(
            "getInitParameter", given -> settings.get(given[0]), "getServletContext", given -> context)));
        var response = made(HttpServletResponse.class, Map.of("sendError", given -> told = "" + given[0]));
        for (String token : new String(System.in.readAllBytes(), "UTF-8").split("\\n")) {
            var request = made(HttpServletRequest.class, Map.of(
                "getHeader", given -> token.equals("-") ? null : token));
            filter.doFilter(request, response, (asked, answer) -> {
                HttpServletRequest seen = (HttpServletRequest) asked;
                told = seen.getRemoteUser() + " " + seen.isUserInRole("agents") + " " + seen.isUserInRole("root");
            });
            System.out.println(told);
        }
    }
}
"""


@contextmanager
def published() -> Iterator[tuple[str, list[str]]]:
    """Where the keys are, and a line for each time that they are fetched."""
    fetched: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetched.append(self.path)
            self.send_response(200)
            self.send_header("Cache-Control", "public, max-age=300")
            self.end_headers()
            self.wfile.write(json.dumps(KEYS).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/_ecluse/app/jwks", fetched
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def filter_of_java(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs it."""
    folder = tmp_path_factory.mktemp("filter")
    (folder / "Main.java").write_text(MAIN)
    paths = f"{TOMCAT}/lib/*:" + ":".join(map(str, SPRING))
    sources = [str(folder / "Main.java"), str(READER.with_name("EcluseTokenFilter.java"))]
    javac = ["javac", "-J-XX:TieredStopAtLevel=1", "-encoding", "UTF-8", "-cp", paths, "-d", str(folder), *sources]
    subprocess.run(javac, check=True, timeout=120)
    return ["java", "-XX:TieredStopAtLevel=1", "-Dstdout.encoding=UTF-8", "-cp", f"{folder}:{paths}", "Main"]


@pytest.mark.parametrize("algorithm", get_args(TokenAlgorithm))
def test_the_filter_for_java_believes_the_token_and_no_other(
    algorithm: TokenAlgorithm, filter_of_java: list[str]
) -> None:
    claims = {**CLAIMS, "exp": int(time.time()) + 600, "groups": ["agents", "élus"]}
    another = next(one for one in get_args(TokenAlgorithm) if one != algorithm)
    right = sign(key(algorithm), claims).decode()
    unsubscribed = {name: value for name, value in claims.items() if name != "sub"}
    endless = {name: value for name, value in claims.items() if name != "exp"}
    refused = [
        *(
            sign(key(algorithm), {**claims, **other}).decode()
            for other in ({"aud": "actes"}, {"iss": "https://evil.example"}, {"exp": 1}, {"groups": 7})
        ),
        sign(key(algorithm), unsubscribed).decode(), sign(key(algorithm), endless).decode(),
        sign(key(another), claims).decode(),
        sign(key(algorithm, 1), claims).decode(),
        sign(other_than(algorithm), claims).decode(),
        tampered(right.encode()).decode(), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "x",
    ]  # fmt: skip
    with published() as (address, fetched):
        ran = subprocess.run(
            [*filter_of_java, address, algorithm],
            input="\n".join([right, f"Bearer {right}", "-", *refused, right]),
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    signed_in = "hélène true false"
    assert ran.stdout.splitlines() == [signed_in, signed_in, "null false false", *["401"] * len(refused), signed_in]
    assert 1 <= len(fetched) <= 1 + len(refused), "once, and where a token names another key"


def other_than(algorithm: TokenAlgorithm) -> SigningKey:
    """Another key under the name of the right one."""
    return other(algorithm, key(algorithm).id)
