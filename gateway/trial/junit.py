"""Verdicts in JUnit XML for continuous integration: a suite per file, a case per request and person."""

from collections.abc import Iterable
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from gateway.trial.judge import CaseVerdict

# XML 1.0 2.2: what no document may hold, escaped or not.
_NOT_XML = dict.fromkeys([*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "?")


def junit(verdicts: Iterable[CaseVerdict]) -> str:
    suites = [
        _suite(file, list(some)) for file, some in groupby(verdicts, key=lambda verdict: verdict.case.document.file)
    ]
    return '<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n' + "".join(suites) + "</testsuites>\n"


def _suite(file: str, verdicts: list[CaseVerdict]) -> str:
    failures = sum(bool(verdict.differences) for verdict in verdicts)
    cases = "".join(_case(file, verdict) for verdict in verdicts)
    counted = f'tests="{len(verdicts)}" failures="{failures}" errors="0"'
    return f"<testsuite name={_attribute(file)} {counted}>\n{cases}</testsuite>\n"


def _case(file: str, verdict: CaseVerdict) -> str:
    line = verdict.case.document.line(("tests", verdict.case.index))
    head = f"<testcase classname={_attribute(file)} name={_attribute(verdict.case.title)} line={_attribute(str(line))}"
    if not verdict.differences:
        return f"{head}/>\n"
    lines = [line for one in verdict.differences for line in (one.key, *_signed(one.expected, one.came))]
    message = _attribute(", ".join(one.key for one in verdict.differences))
    return f"{head}><failure message={message}>{escape(_lawful(chr(10).join(lines)))}</failure></testcase>\n"


def _signed(expected: tuple[str, ...], came: tuple[str, ...]) -> list[str]:
    return [*(f"- {line}" for line in expected), *(f"+ {line}" for line in came)]


def _attribute(text: str) -> str:
    return quoteattr(_lawful(text))


def _lawful(text: str) -> str:
    return text.translate({code: word for code, word in _NOT_XML.items() if code not in (9, 10, 13)})
