# ruff: noqa: E501 - a case is a line
import pytest

from tests.config.samples import PLAIN_APP, problems, sample_snapshot

WIKI = PLAIN_APP.replace("app: permis\n", "app: wiki\npath: /wiki\n")


def test_applications_divide_a_host_by_their_paths() -> None:
    deep = WIKI.replace("wiki", "deep").replace("/deep", "/wiki/deep")
    snapshot = sample_snapshot({"apps/wiki.yaml": WIKI, "apps/deep.yaml": deep})
    found = {
        path: snapshot.find_app("permis.localhost", path)
        for path in ("/", "/wiki", "/wiki/a?b", "/wikis", "/wiki/deep/a")
    }
    assert {path: app and app.name for path, app in found.items()} == {
        "/": "permis", "/wiki": "wiki", "/wiki/a?b": "wiki", "/wikis": "permis", "/wiki/deep/a": "deep",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apps/wiki.yaml": WIKI, "apps/other.yaml": WIKI.replace("app: wiki", "app: other")}, "policies/apps/wiki.yaml:4:9: hosts[0]: this host is named twice, so it is not clear which application it is"),
        ({"apps/team/wiki.yaml": WIKI}, "policies/apps/team/wiki.yaml:4:1: hosts: permis.localhost is divided with an application of somebody else (applications of one team alone)"),
        ({"apps/wiki.yaml": WIKI + "session: {idle: 5m}\n"}, "policies/apps/wiki.yaml:9:1: session: applications that divide permis.localhost have the same session (write the same in both files)"),
        ({"apps/wiki.yaml": WIKI + "public: {port: 8443}\n"}, "policies/apps/wiki.yaml:9:1: public: applications that divide permis.localhost have the same public (write the same in both files)"),
        ({"apps/wiki.yaml": WIKI + "logout: {url: /wiki/bye}\n", "apps/permis.yaml": PLAIN_APP + "logout: {url: /bye}\n"}, "policies/apps/wiki.yaml:9:10: logout.url: of applications that divide permis.localhost, one alone may have logout.url (a host of its own for one)"),
        ({"apps/permis.yaml": PLAIN_APP + "methods: [PROPFIND]\n", "apps/wiki.yaml": WIKI}, "policies/apps/wiki.yaml:3:1: path: wiki lies below: a WebDAV request would reach into it (a host of its own for one)"),
        ({"apps/wiki.yaml": WIKI.replace("/**", "/admin/**")}, "policies/apps/wiki.yaml:8:12: access[0].path: no request meets this path: the application answers below /wiki"),
        ({"apps/wiki.yaml": WIKI.replace("path: /wiki", "path: /wiki/")}, "policies/apps/wiki.yaml:3:7: path: a path is `/` and a name, perhaps several, of letters, digits, `-`, `_` and `.` (write /wiki)"),
        ({"apps/wiki.yaml": WIKI.replace("path: /wiki", "path: /_ecluse/wiki")}, "policies/apps/wiki.yaml:3:7: path: a path is `/` and a name, perhaps several, of letters, digits, `-`, `_` and `.` (write /wiki)"),
        ({"apps/wiki.yaml": WIKI.replace("path: /wiki", "path: /a/../wiki")}, "policies/apps/wiki.yaml:3:7: path: a path is `/` and a name, perhaps several, of letters, digits, `-`, `_` and `.` (write /wiki)"),
    ],
)  # fmt: skip
def test_what_is_no_division(changes: dict[str, str | None], said: str) -> None:
    assert said in problems(changes)


def test_what_one_alone_may_have_it_may_have() -> None:
    assert problems({"apps/wiki.yaml": WIKI + "logout: {url: /wiki/bye}\nkeep_posts: {}\n"}) == []


MOVED = WIKI.replace("9001}", "9001/app}")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apps/wiki.yaml": MOVED + "methods: [PROPFIND]\n"}, "policies/apps/wiki.yaml:9:1: methods: methods needs the application to have its pages where browsers know them (no path in upstream.url)"),
        ({"apps/wiki.yaml": MOVED + "cookies: {hidden: [a]}\n"}, "policies/apps/wiki.yaml:9:11: cookies.hidden: cookies.hidden needs the application to have its pages where browsers know them (no path in upstream.url)"),
        ({"apps/wiki.yaml": WIKI.replace("9001}", "9001/a?b}")}, "policies/apps/wiki.yaml:5:17: upstream.url: a path is names of letters, digits, `-`, `_` and `.` here, and no query (write http://127.0.0.1:9001/app)"),
        ({"apps/wiki.yaml": WIKI.replace("9001}", "9001/a/../b}")}, "policies/apps/wiki.yaml:5:17: upstream.url: a path is names of letters, digits, `-`, `_` and `.` here, and no query (write http://127.0.0.1:9001/app)"),
        ({"apps/wiki.yaml": WIKI.replace("9001}", "9001/%61}")}, "policies/apps/wiki.yaml:5:17: upstream.url: a path is names of letters, digits, `-`, `_` and `.` here, and no query (write http://127.0.0.1:9001/app)"),
    ],
)  # fmt: skip
def test_what_is_no_move(changes: dict[str, str | None], said: str) -> None:
    assert said in problems(changes)


def test_the_same_path_is_no_move() -> None:
    assert sample_snapshot({"apps/wiki.yaml": MOVED}).apps["wiki"].mount is not None
    same = sample_snapshot({"apps/wiki.yaml": WIKI.replace("9001}", "9001/wiki/}") + "methods: [PROPFIND]\n"})
    assert same.apps["wiki"].mount is None
