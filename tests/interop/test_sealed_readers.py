"""deploy/readers: what is sealed or signed under a shared key is read in PHP, Java and Python, and all else refused."""

import json
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.tokens.sealed import sealed
from gateway.tokens.spec import SharedKeySpec
from tests.tokens.test_sealed import KEY, SEALED, SIGNED

pytestmark = pytest.mark.service

READERS = Path(__file__).resolve().parents[2] / "deploy" / "readers"
ISSUER = "https://portail.example"
CLAIMS = {
    "iss": ISSUER,
    "aud": "permis",
    "sub": 'hé"l\\è/ne 😀',
    "groups": ["ONDE", "élus"],
    "none": [],
    "exp": 1_800_000_000,
}
NOW = 1_799_999_999
OLD = bytes(32)

PHP = """
require $argv[1];
foreach (json_decode(stream_get_contents(STDIN), true) as [$token, $keys, $now]) {
    try { $read = ecluse_sealed($token, $keys, 'permis', 'https://portail.example', $now); }
    catch (RuntimeException $why) { $read = $why->getMessage(); }
    echo json_encode($read), "\\n";
}
"""
PYTHON = """
import json, sys
sys.path.insert(0, sys.argv[1])
import sealed
for token, keys, now in json.load(sys.stdin):
    try:
        print(json.dumps(sealed.read(token, keys, "permis", "https://portail.example", now)))
    except sealed.Refused as why:
        print(json.dumps(str(why)))
"""
JAVA = """
import java.nio.file.*;
import java.util.*;

public class Main {
    public static void main(String[] arguments) throws Exception {
        for (String line : new String(System.in.readAllBytes(), "UTF-8").split("\\n")) {
            String[] parts = line.split(" ");
            try {
                Map<String, Object> read =
                    EcluseSealed.read(parts[0], List.of(parts[1].split(",")), "permis", "https://portail.example",
                        Long.parseLong(parts[2]));
                StringBuilder out = new StringBuilder("{");
                for (var one : read.entrySet()) {
                    out.append(out.length() > 1 ? "," : "").append(text(one.getKey())).append(":");
                    if (one.getValue() instanceof List<?> values) {
                        StringJoiner all = new StringJoiner(",", "[", "]");
                        values.forEach(value -> all.add(text(value)));
                        out.append(all);
                    } else {
                        out.append(one.getValue() instanceof Long number ? number.toString() : text(one.getValue()));
                    }
                }
                System.out.println(out.append("}"));
            } catch (EcluseSealed.Refused why) {
                System.out.println(text(why.getMessage()));
            }
        }
    }

    static String text(Object value) {
        StringBuilder out = new StringBuilder("\\"");
        for (char each : value.toString().toCharArray()) {
            out.append(String.format("\\\\u%04x", (int) each));
        }
        return out.append("\\"").toString();
    }
}
"""

Asked = list[tuple[str, list[str], int]]


class Reader:
    """One language. `folder`: its program, where it has to be compiled."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        if name == "java":
            (folder / "Main.java").write_text(JAVA)
            sources = [str(folder / "Main.java"), str(READERS / "EcluseSealed.java")]
            subprocess.run(["javac", "-encoding", "UTF-8", "-d", str(folder), *sources], check=True, timeout=120)

    def read(self, asked: Asked) -> list[object]:
        given = json.dumps(asked)
        match self.name:
            case "php":
                command = ["php", "-r", PHP, str(READERS / "sealed.php")]
            case "python":
                command = [sys.executable, "-c", PYTHON, str(READERS)]
            case _:
                command = ["java", "-cp", str(self._folder), "Main"]
                given = "\n".join(f"{token} {','.join(keys)} {now}" for token, keys, now in asked)
        ran = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
        assert not ran.stderr, ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module", params=["php", "java", "python"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(request.param, tmp_path_factory.mktemp("readers"))


def token(spec: SharedKeySpec = SEALED, **changed: object) -> str:
    return sealed(spec, {**CLAIMS, **changed}, b"n" * 12).decode()


def key(content: bytes = KEY) -> str:
    return b64encode(content).decode()


def test_it_reads_what_is_sealed_and_what_is_signed_while_two_keys_overlap(reader: Reader) -> None:
    old = replace(SEALED, key=OLD)
    both = [key(), key(OLD)]
    asked: Asked = [(token(spec), both, NOW) for spec in (SEALED, SIGNED, old)]
    asked += [(token(spec), [key()], NOW) for spec in (SEALED, SIGNED)]
    assert reader.read(asked) == [CLAIMS] * 5


def flipped(text: str, part: int) -> str:
    """Another bit in the middle of one of its parts."""
    parts = text.split(".")
    at = len(parts[part]) // 2
    parts[part] = parts[part][:at] + ("A" if parts[part][at] != "A" else "B") + parts[part][at + 1 :]
    return ".".join(parts)


def part(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


SEAL, SIGNATURE = "a seal that is not of this key", "a signature that is not of this key"
OTHER, END, UNKNOWN = "for another application", "at its end", "a key that is not known"
FORM = "neither sealed nor signed in a form that is known"


def test_it_refuses_any_other(reader: Reader) -> None:
    cut = token().rpartition(".")[0] + "." + token().rpartition(".")[2][:6]
    named_alike = token(SIGNED).split(".")
    wanted: list[tuple[str, int, str]] = [
        (token(aud="actes"), NOW, OTHER),
        (token(SIGNED, aud="actes"), NOW, OTHER),
        (token(aud=["permis"]), NOW, OTHER),
        (token(iss="https://evil.example"), NOW, OTHER),
        (token(), 1_800_000_000, END),
        (token(SIGNED), 1_800_000_000, END),
        (token(exp="1800000000"), NOW, END),
        (token(replace(SEALED, key=OLD)), NOW, UNKNOWN),
        (flipped(token(), 3), NOW, SEAL),
        (flipped(token(), 4), NOW, SEAL),
        (flipped(token(), 2), NOW, SEAL),
        (cut, NOW, SEAL),
        (flipped(token(SIGNED), 1), NOW, SIGNATURE),
        (flipped(token(SIGNED), 2), NOW, SIGNATURE),
        (".".join((*named_alike[:2], "")), NOW, SIGNATURE),
        (".".join((token().split(".")[0], *named_alike[1:])), NOW, FORM),
        (".".join(token(SIGNED).split(".")[:2]), NOW, FORM),
        ("eyJhbGciOiJub25lIn0.e30.", NOW, UNKNOWN),
        (part('{"kid":[]}') + ".e30.", NOW, UNKNOWN),
        (part("[" * 50_000) + ".e30.", NOW, "not a token"),
        ("x", NOW, "not a token"),
        ("!!!.e30.", NOW, "not a token"),
    ]  # fmt: skip
    read = reader.read([(text, [key()], now) for text, now, _ in wanted])
    assert read == [why for _, _, why in wanted]
