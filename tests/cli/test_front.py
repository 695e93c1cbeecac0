"""`ecluse front`: what an operator copies into a front's configuration, and what is forgotten there."""

import json
from pathlib import Path

import pytest

from gateway.cli.main import main

GATEWAY = """\
version: 1
portal: http://portail.localhost:8080
listen: [{address: 127.0.0.1:8080}]
development: true
store: {type: sqlite, keys: [{id: k1, secret: {file: ../front.secret}}]}
trusted_proxies: [127.0.0.1/32]
forward_auth: {secret: {file: ../front.secret}, host: 127.0.0.1}
"""
PROVIDER = """\
version: 1
provider: op
oidc: {issuer: "http://127.0.0.1:9", client_id: x, client_authentication: none}
attributes: {uid: sub, dept: dept}
"""
APP = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {url: "http://127.0.0.1:9001"}
front: FRONT
providers: [op]
translate: {headers: {X-Remote-User: {from: uid}, X-Dept: {from: dept}}}
access:
  - {path: /**, allow: signed_in}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    policies = tmp_path / "policies"
    for name in ("apps", "providers"):
        (policies / name).mkdir(parents=True)
    (tmp_path / "front.secret").write_text("0123456789abcdef" * 4)
    (policies / "gateway.yaml").write_text(GATEWAY)
    (policies / "providers/op.yaml").write_text(PROVIDER)
    (policies / "apps/permis.yaml").write_text(APP.replace("FRONT", "traefik"))
    return policies


def test_the_lines_of_an_application(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["front", "lines", "permis", str(folder)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == ["- X-Remote-User", "- X-Dept", "- Cookie", "- Authorization", "- X-Request-Id", "- X-Ecluse-Front"]
    (folder / "apps/permis.yaml").write_text(APP.replace("FRONT", "haproxy"))
    assert main(["front", "lines", "permis", str(folder)]) == 0
    assert capsys.readouterr().out == "nothing to add: haproxy sets every header that the gateway sends\n"


def test_what_is_forgotten_is_named_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = Path(__file__).parents[2] / "deploy/fronts/traefik-ecluse.yaml"
    asked = ["front", "check", "permis", str(folder)]
    assert main([*asked, str(ours)]) == 1
    assert capsys.readouterr().out == (
        "permis: traefik does not set these headers, so a client could: X-Dept\n\n- X-Dept\n"
    )
    more = folder.parent / "more.yaml"
    more.write_text("authResponseHeaders: [X-Dept]\n")
    assert main([*asked, str(ours), str(more)]) == 0
    assert capsys.readouterr().out.startswith("permis: traefik sets X-Remote-User, X-Dept, Cookie")
    assert main([*asked, str(ours), "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["missing"] == ["X-Dept"]


def test_a_line_that_takes_another_back_is_told_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "apps/permis.yaml").write_text(APP.replace("FRONT", "nginx").replace(", X-Dept: {from: dept}", ""))
    ours = (Path(__file__).parents[2] / "deploy/fronts/nginx.conf").read_text()
    front = folder.parent / "nginx.conf"
    front.write_text(ours)
    asked = ["front", "check", "permis", str(front), str(folder)]
    assert main(asked) == 0
    capsys.readouterr()
    front.write_text(
        ours.replace("    location / {", "    location /open/ { proxy_pass http://application; }\n    location / {")
    )
    assert main(asked) == 1
    told = capsys.readouterr().out
    assert told == f"{front}:58: http://application gets requests here without a question to Écluse\n"
    assert main([*asked, "--output", "json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["taken_back"]
    assert (found["file"], found["line"]) == (str(front), 58)


def test_an_application_without_a_front_and_a_file_that_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(folder)]
    assert main(["front", "lines", "permi", *asked]) == 2
    assert "permi: there is no such application (did you mean permis?)" in capsys.readouterr().err
    assert main(["front", "check", "permis", str(folder / "none.yaml"), *asked]) == 2
    assert "none.yaml: No such file" in capsys.readouterr().err


def test_a_folder_without_a_file_is_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([str(folder)], [str(folder), str(folder), "nginx.conf"]):
        with pytest.raises(SystemExit) as ended:
            main(["front", "check", "permis", *words])
        assert ended.value.code == 2
        told = capsys.readouterr().err
        assert "APPLICATION FILE ... [FOLDER]\n" in told
        assert "expected FILE once or more, then at most one policy folder" in told
