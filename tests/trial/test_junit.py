from xml.dom import minidom

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.trial.cases import load_cases
from gateway.trial.judge import judge
from gateway.trial.junit import junit
from tests.config.samples import sample_files
from tests.trial.samples import FAILING, TESTS


def test_one_suite_a_file_and_whatever_a_name_holds_is_xml() -> None:
    files = sample_files({
        "tests/a.yaml": FAILING.replace("everybody reads the public pages", '"<everybody> & \\uffff"'),
        "tests/b.yaml": "version: 1\ntests:" + TESTS.partition("tests:")[2],
    })  # fmt: skip
    snapshot = build(compile_files(files).plan)
    told = minidom.parseString(junit(judge(load_cases(files, snapshot, 0.0)[0], snapshot)).encode())
    suites = told.getElementsByTagName("testsuite")
    assert [(one.getAttribute("name"), one.getAttribute("failures")) for one in suites] == [
        ("policies/tests/a.yaml", "1"),
        ("policies/tests/b.yaml", "0"),
    ]
    cases = suites[0].getElementsByTagName("testcase")
    assert cases[0].getAttribute("name") == "<everybody> & ?: GET http://permis.localhost/public/ as nobody"
    assert cases[0].getAttribute("line") == "6"


def test_nothing_to_tell() -> None:
    assert minidom.parseString(junit([]).encode()).documentElement.tagName == "testsuites"
