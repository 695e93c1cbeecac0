"""`ecluse explain`: for people and for programs."""

import json
from pathlib import Path

import pytest

from tests.cli.test_main import called, typed
from tests.walks.place import Place

pytestmark = pytest.mark.slow

ACCESS = """\
  - {path: /public/**, allow: anyone}
  - {path: /admin/**, allow: {group: chefs}, deny: {group: externes}, refusal: Demandez aux chefs.}
  - {path: /**, allow: {any: [{group: agents}, {group: elus}]}}
"""
PAUL = "provider: alpha\nsubject: p-1\nattributes: {uid: paul, groups: [agents]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost", access=ACCESS)
    (tmp_path / "paul.yaml").write_text(PAUL)
    return tmp_path


def test_who_is_let_in_and_what_the_application_is_told(folder: Path) -> None:
    told = called("explain", "GET", "http://one.localhost/files", "--as", "paul.yaml", at=folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == (
        "GET http://one.localhost/files\n"
        "as p-1, signed in with alpha\n"
        "to one (policies/apps/one.yaml), as path /files\n"
        "\n"
        "hit        >  policies/apps/one.yaml:10  /**  all methods  allow\n"
        "              hit: any\n"
        "                hit: group agents  (groups: agents)\n"
        "                miss: group elus  (groups: agents)\n"
        "2 other rule(s) of this application do not match the path\n"
        "\n"
        "allow  policy.allowed  policies/apps/one.yaml:10\n"
        "  header X-Remote-User: paul\n"
    )


def test_what_is_not_ascii_is_shown_with_its_encoding_and_its_bytes(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    fixed = "X-Service: {value: Préfecture}, ctln: {value: Préfecture, encoding: latin1}"
    fixed += ", X-P: {value: é, encoding: base64}"
    file.write_text(file.read_text().replace("{from: uid}", f"{{from: uid}}, {fixed}"))
    asked = ("explain", "GET", "http://one.localhost/files", "--as", "paul.yaml")
    assert typed(*asked, at=folder).stdout.endswith(
        "  header X-Remote-User: paul\n"
        "  header X-Service: Préfecture  (utf8: Pr\\xc3\\xa9fecture)\n"
        "  header ctln: Préfecture  (latin1: Pr\\xe9fecture)\n"
        "  header X-P: w6k=\n"
    )
    told = json.loads(called(*asked, "--output", "json", at=folder).stdout)
    assert told["headers"]["X-Service"] == "Préfecture"
    assert told["sent_as"] == {
        "X-Service": {"encoding": "utf8", "bytes": r"Pr\xc3\xa9fecture"},
        "ctln": {"encoding": "latin1", "bytes": r"Pr\xe9fecture"},
    }


def test_what_an_address_for_signing_out_does(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    logout = "logout: {links: [/bye, '/wiki?do=logout'], url: /deconnexion.do, method: post}\n"
    file.write_text(file.read_text().replace("access:", f"{logout}access:"))
    for target in ("/bye", "/wiki?id=start&do=logout"):
        told = called("explain", "GET", f"http://one.localhost{target}", at=folder).stdout
        assert told.endswith("to end its own session: POST /deconnexion.do\n")
    assert "logout" not in called("explain", "GET", "http://one.localhost/wiki?do=show", at=folder).stdout


def test_what_becomes_of_the_addresses_in_its_responses(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    rewrite = "rewrite: {headers: true, bodies: true, internal: ['http://intranet'], texts: {Essai: Un}}"
    file.write_text(file.read_text().replace("access:", f"{rewrite}\naccess:"))
    told = called("explain", "GET", "http://one.localhost/public/", at=folder).stdout
    public, _, rest = told.partition("in the heads and texts of its responses, ")[2].partition(" replaces\n")
    assert public.startswith("http://one.localhost")
    assert "    http://intranet\n" in rest
    assert rest.endswith(
        "  the application is asked for uncompressed responses (rewrite.bodies)\n"
        "  1 text(s) of its pages are replaced (rewrite.texts)\n"
    )
    found = json.loads(called("explain", "GET", "http://one.localhost/public/", "--output", "json", at=folder).stdout)[
        "rewrite"
    ]
    assert (found["public"], found["bodies"], found["texts"]) == (public, True, 1)
    assert "http://intranet" in found["internal"]
    refused = called("explain", "GET", "http://one.localhost/files", "--output", "json", at=folder).stdout
    assert json.loads(refused)["rewrite"] is None, "nothing reaches the application"


def test_the_applications_own_cookies(folder: Path) -> None:
    file, written = folder / "policies/apps/one.yaml", (folder / "policies/apps/one.yaml").read_text()
    for cookies, line in (
        ("{hidden: [PHPSESSID, b]}", "that the gateway keeps from browsers: PHPSESSID, b (cookies.hidden)"),
        (
            "{hidden: ['*'], visible: [lang]}",
            "that the gateway keeps from browsers: all but lang (cookies.hidden)",
        ),
        ("{prefix: one_}", "in browsers the names of the application's cookies begin with one_ (cookies.prefix)"),
    ):
        file.write_text(written.replace("access:", f"cookies: {cookies}\naccess:"))
        assert line in called("explain", "GET", "http://one.localhost/public/a", at=folder).stdout


def test_how_often_it_may_be_asked(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    rates = "limits: {requests: {per_person: {rate: 10/s, burst: 50}, all: {rate: 600/m}}}\n"
    file.write_text(rates + file.read_text())
    asked = ("explain", "GET", "http://one.localhost/files/a", "--as", "paul.yaml")
    assert called(*asked, at=folder).stdout.endswith(
        "  beyond 50 at once and one each 0.1 s, a person at one gets 429\n"
        "  beyond 600 at once and one each 0.1 s, everybody together at one gets 429\n"
    )
    told = json.loads(called(*asked, "--output", "json", at=folder).stdout)
    assert told["bounds"][0] == {"of": "person", "rate": {"every": 0.1, "burst": 50}, "app": "one"}
    as_nobody = json.loads(called(*asked[:3], "--output", "json", at=folder).stdout)
    assert as_nobody["bounds"] == []


def test_what_is_told_on_some_paths_alone(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    paths = "paths: [{path: /files/**, headers: {X-Whose: {template: 'u-{uid}'}}, omit: [X-Remote-User]}]"
    file.write_text(file.read_text().replace("translate: {", f"translate: {{{paths}, "))
    asked = ("explain", "GET", "http://one.localhost/files/a", "--as", "paul.yaml")
    assert called(*asked, at=folder).stdout.endswith(
        "  header X-Whose: u-paul\n  the headers are those of /files/** (translate.paths)\n"
    )
    told = json.loads(called(*asked, "--output", "json", at=folder).stdout)
    assert (told["told_for"], told["headers"]) == ("/files/**", {"X-Whose": "u-paul"})
    elsewhere = called("explain", "GET", "http://one.localhost/file", "--as", "paul.yaml", at=folder).stdout
    assert elsewhere.endswith("  header X-Remote-User: paul\n")


def test_who_may_open_a_websocket_there(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    tunnel = "tunnel: {protocols: [websocket], origins: ['https://two.example']}\n"
    file.write_text(file.read_text().replace("access:", f"{tunnel}access:"))
    says = "  a WebSocket may be opened here from pages of this application's own hosts, https://two.example (tunnel)\n"
    public, files = "http://one.localhost/public/", "http://one.localhost/files"
    assert says in called("explain", "GET", public, at=folder).stdout
    told = json.loads(called("explain", "GET", public, "--output", "json", at=folder).stdout)["tunnel"]
    assert told == {
        "protocols": ["websocket"],
        "origins": ["https://two.example"],
        "idle": 600.0,
        "keeps_session": False,
    }
    for method, url in (("POST", public), ("GET", files)):
        assert says not in called("explain", method, url, at=folder).stdout
        assert json.loads(called("explain", method, url, "--output", "json", at=folder).stdout)["tunnel"] is None


def test_the_path_is_the_one_that_the_application_maps(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    for paths, target, path, needed in (
        ("{cookieless: true}", "/(S(x))/admin/a.aspx", "/admin/a.aspx", "cookieless"),
        ("{case: insensitive, windows: true}", "/Admin./A%20", "/admin/a", "case, windows"),
        ("{case: insensitive, windows: true}", "/a", "/a", ""),
        ('{escaped: ["?"]}', "/Quoi%3F", "/Quoi?", "escaped"),
        ("{encoding: latin1}", "/%9Cuf", "/œuf", "encoding"),
        ("{encoding: latin1}", "/%C5%93uf", "/Å“uf or, in UTF-8, /œuf", "encoding"),
        ("{semicolon: literal}", "/Special:A;b%3Bc", "/Special:A;b;c", "semicolon"),
        ("{encoded_slash: keep, encoded_backslash: keep}", "/a%2fb", "/a%2Fb", "encoded_slash"),
        ("{encoded_slash: keep, encoded_backslash: keep}", "/a%5Cb", "/a%5Cb", "encoded_backslash"),
        ("{encoded_percent: literal}", "/%2541", "/%41", "encoded_percent"),
    ):
        written = file.read_text()
        file.write_text(written.replace("access:", f"paths: {paths}\naccess:"))
        told = called("explain", "GET", f"http://one.localhost{target}", at=folder).stdout
        file.write_text(written)
        lines = told.splitlines()
        assert lines[2] == f"to one (policies/apps/one.yaml), as path {path}"
        assert lines[3] == (f"read with the leniencies of its file (paths): {needed}" if needed else "")


def test_what_a_webdav_request_reaches(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    file.write_text(file.read_text().replace("access:", "methods: [PROPFIND, MOVE]\naccess:"))
    moved = ("explain", "MOVE", "http://one.localhost/files/a", "--header", "Destination: /admin/a")
    told = called(*moved, at=folder).stdout
    assert "the request reaches more than its path, and rules decide on " in told
    (reaches,) = [line for line in told.splitlines() if line.startswith("the request reaches")]
    assert "PUT /admin" in reaches
    assert json.loads(called(*moved, "--output", "json", at=folder).stdout)["reaches"]
    whole = called("explain", "PROPFIND", "http://one.localhost/files/", "--header", "Depth: 0", at=folder).stdout
    assert "reaches" not in whole


def test_a_path_whose_readings_the_rules_tell_apart_is_refused_with_both(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    file.write_text(
        file.read_text().replace("access:", "paths: {encoding: latin1}\naccess:\n  - {path: /œuf, deny: anyone}")
    )
    told = called("explain", "GET", "http://one.localhost/%C5%93uf", at=folder).stdout
    assert "refuse  wire.target\n  /Å“uf or, in UTF-8, /œuf: the rules tell one from the other\n" in told


def test_who_is_refused_and_why(folder: Path) -> None:
    told = called("explain", "GET", "http://one.localhost/admin/", "policies", "--as", "paul.yaml", at=folder).stdout
    assert "miss       >  policies/apps/one.yaml:9   /admin/**  all methods  deny\n" in told
    assert "miss       >  policies/apps/one.yaml:9   /admin/**  all methods  allow\n" in told
    assert "not asked     policies/apps/one.yaml:10  /**        all methods  allow  a more specific path" in told
    assert told.endswith("deny  policy.not_allowed  policies/apps/one.yaml:9\n  Demandez aux chefs.\n")


def test_nobody_and_what_reaches_no_application(folder: Path) -> None:
    told = called("explain", "GET", "http://one.localhost/public/", at=folder).stdout
    assert told.startswith("GET http://one.localhost/public/\nas nobody\n")
    assert told.endswith("  nothing is added to the request\n")
    told = called("explain", "GET", "http://one.localhost/a%2fb", at=folder).stdout
    assert told.endswith("\n  no rule decides and no application is reached\n")
    told = called("explain", "GET", "http://one.localhost/_ecluse/session", at=folder).stdout
    assert told.endswith("\nown\n  a page of the gateway itself: no application is reached\n")


def test_for_programs(folder: Path) -> None:
    url = "http://one.localhost/files"
    told = json.loads(called("explain", "GET", url, "--as", "paul.yaml", "--output", "json", at=folder).stdout)
    assert told["decision"] == "allow"
    assert told["rule"] == {"file": "policies/apps/one.yaml", "line": 10, "path": "/**"}
    assert told["headers"] == {"X-Remote-User": "paul"}
    assert [part["answer"] for part in told["rules"][0]["condition"]["parts"]] == ["hit", "miss"]


def test_a_saved_session(folder: Path) -> None:
    session = {"provider": "alpha", "expires_in": 5, "headers": {"X-Remote-User": "paul"}, "cookies": {}}
    (folder / "saved.json").write_text(json.dumps(session))
    told = called("explain", "GET", "http://one.localhost/files", "--as", "saved.json", at=folder).stdout
    assert "(not told by this session, so unknown here: family_name, groups, mail)\n" in told
    assert "unknown    >  policies/apps/one.yaml:10" in told


def test_what_cannot_be_explained(folder: Path) -> None:
    wrong = called("explain", "GET", "/files", at=folder)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("ecluse: a request is a method and a whole address")
    for option, given, said in (
        ("--client", "moi", "this is not an IP address"),
        ("--at", "demain", "this is not a time with its zone: write it as 2026-11-24T09:30:00+01:00"),
    ):
        unread = called("explain", "GET", "http://one.localhost/", option, given, at=folder)
        assert (unread.returncode, unread.stderr) == (2, f"ecluse: {option} {given}: {said}\n")
    missing = called("explain", "GET", "http://one.localhost/", "--as", "nobody.yaml", at=folder)
    why = "name a file with provider, subject and attributes, or a saved /_ecluse/session"
    assert (missing.returncode, missing.stderr) == (2, f"ecluse: --as nobody.yaml: No such file or directory ({why})\n")
    (folder / "eve.yaml").write_text("provider: beta\n")
    stranger = called("explain", "GET", "http://one.localhost/", "--as", "eve.yaml", at=folder)
    assert (stranger.returncode, stranger.stderr.partition(" (")[0]) == (
        2,
        "eve.yaml:1:1: no provider has this name\n    provider: beta\n    ^\n\n1 problem(s)\n",
    )
    (folder / "policies/apps/one.yaml").write_text("app: [\n")
    broken = called("explain", "GET", "http://one.localhost/", "--output", "json", at=folder)
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["problems"][0]["file"] == "policies/apps/one.yaml"


SHADOW = "  - {path: /admin/**, allow: {group: agents}, shadow: true}\n"


def test_what_a_shadow_would_say(folder: Path) -> None:
    (folder / "policies/apps/one.yaml").write_text((folder / "policies/apps/one.yaml").read_text() + SHADOW)
    url = "http://one.localhost/admin/"
    told = called("explain", "GET", url, "--as", "paul.yaml", at=folder).stdout
    assert (
        "hit        ~  policies/apps/one.yaml:11  /admin/**  all methods  allow (shadow)\n"
        "              hit: group agents  (groups: agents)\n"
    ) in told
    assert told.endswith(
        "deny  policy.not_allowed  policies/apps/one.yaml:9\n"
        "  Demandez aux chefs.\n"
        "\n"
        "a shadow, never enforced, says otherwise:\n"
        "allow  policy.allowed  policies/apps/one.yaml:11\n"
        "  header X-Remote-User: paul\n"
    )
    told = called("explain", "GET", url, at=folder).stdout
    assert told.endswith(
        "a shadow, never enforced, says the same:\nchallenge  session.required  policies/apps/one.yaml:11\n"
    )
    found = json.loads(called("explain", "GET", url, "--as", "paul.yaml", "--output", "json", at=folder).stdout)
    assert (found["decision"], found["shadows"][0]["decision"], found["shadows"][0]["same"]) == ("deny", "allow", False)
    assert [row["shadow"] for row in found["rules"]] == [False, False, False, True]


def test_a_host_that_no_application_has_and_a_method_in_small_letters_say_what_was_meant(folder: Path) -> None:
    told = called("explain", "GET", "http://ones.localhost/", at=folder).stdout
    assert "  ones.localhost: no application has this host (did you mean one.localhost?)\n" in told
    told = called("explain", "get", "http://one.localhost/", at=folder).stdout
    assert "  get: the gateway passes on DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, in capitals\n" in told


def test_what_is_kept_of_forms_when_the_session_has_ended(folder: Path) -> None:
    file = folder / "policies/apps/one.yaml"
    file.write_text(file.read_text().replace("access:", "keep_posts: {largest: 5MB, lasts: 10m}\naccess:"))
    told = called("explain", "POST", "http://one.localhost/public/", at=folder).stdout
    assert told.endswith("    5242880 bytes at most, for 600 s (keep_posts)\n")
    assert "keep_posts" not in called("explain", "GET", "http://one.localhost/public/", at=folder).stdout
