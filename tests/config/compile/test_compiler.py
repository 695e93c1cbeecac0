import pytest

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from tests.config.samples import GATEWAY, PERMIS, sample_files
from tests.lint.test_rules import certificate


def test_the_same_files_give_the_same_revision_and_other_files_another() -> None:
    one, two = compile_files(sample_files()), compile_files(sample_files())
    assert (one.plan, one.revision) == (two.plan, two.revision)
    changed = PERMIS.replace("group: administrateurs", "group: administrateur")
    assert compile_files(sample_files({"apps/permis.yaml": changed})).revision != one.revision
    secret = {"file:../certs/metropole.secret": b"another-secret"}
    assert compile_files(sample_files(secrets=secret)).revision != one.revision


def test_a_comment_changes_nothing_but_where_a_rule_stands() -> None:
    one = compile_files(sample_files()).revision
    assert compile_files(sample_files({"apps/permis.yaml": PERMIS + "# end\n"})).revision == one
    moved = build(compile_files(sample_files({"apps/permis.yaml": "# top\n" + PERMIS})).plan)
    match = moved.apps["permis"].routes.find(("admin", ""))
    assert match is not None
    assert (match.rules[0].ref.file, match.rules[0].ref.line) == ("policies/apps/permis.yaml", 12)


def test_one_problem_anywhere_and_nothing_is_compiled() -> None:
    with pytest.raises(ProblemsFound) as found:
        compile_files(sample_files({"apps/other.yaml": "version: 1\n"}))
    assert str(found.value).startswith(
        "policies/apps/other.yaml:1:1: access: this key is missing\n    version: 1\n    ^\n"
    )


CERTIFICATE = "{certificate: {file: tls.pem}, key: {file: tls.key}}"
BESIDE = f"[{{address: 127.0.0.1:8080, tls: {CERTIFICATE}}}, {{address: 192.0.2.1:8079}}]"


@pytest.mark.parametrize(
    ("portal", "listen", "more", "redirects", "hsts"),
    [
        ("https", BESIDE, "", ["nothing", "https"], 180 * 86400),
        ("http", BESIDE, "", ["nothing", "nothing"], None),
        ("https", BESIDE, "trusted_proxies: [192.0.2.7]\nhsts: 1d\n", ["nothing", "nothing"], 86400),
        ("https", BESIDE.replace("192.0.2.1", "127.0.0.1"), "", ["nothing", "nothing"], 180 * 86400),
        ("https", BESIDE.replace("192.0.2.1:8079", "'[::1]:8079'"), "hsts: 0s\n", ["nothing", "nothing"], 0),
        ("https", BESIDE.replace("8079", "8079, redirect: none"), "", ["nothing", "nothing"], 180 * 86400),
        ("https", BESIDE.replace("8079", "8079, redirect: https"), "", ["nothing", "all"], 180 * 86400),
        # Another server does TLS, or nobody.
        ("https", "[{address: 192.0.2.1:8079}]", "", ["nothing"], 180 * 86400),
    ],
)  # fmt: skip
def test_https_is_kept_to_where_the_portal_is_https(
    portal: str, listen: str, more: str, redirects: list[str], hsts: int | None
) -> None:
    text = GATEWAY.replace("portal: http:", f"portal: {portal}:").replace("- {address: 127.0.0.1:8080}", "").rstrip()
    text = text.replace("listen:\n", f"listen: {listen}\n") + f"\n{more}"
    gateway = build(compile_files(sample_files({"gateway.yaml": text}, certificate())).plan).gateway
    assert ([each.redirects for each in gateway.listeners], gateway.hsts) == (redirects, hsts)


def test_a_folder_without_apps_is_served() -> None:
    assert build(compile_files(sample_files({"apps/permis.yaml": None})).plan).apps == {}
