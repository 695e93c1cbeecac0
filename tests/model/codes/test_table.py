"""The table of stable codes, and the HTTP statuses of the codes by subject."""

import re
from pathlib import Path

import pytest

from gateway.model.codes import policy_codes, table
from gateway.model.codes.code import Code
from gateway.model.codes.table import all_codes


def test_the_table_names_every_module_of_codes() -> None:
    written = {path.stem for path in Path(table.__file__).parent.glob("*_codes.py")}
    assert {module.__name__.rpartition(".")[2] for module in table._MODULES} == written


def test_the_table_is_whole_and_each_id_is_there_once() -> None:
    ids = [code.id for code in all_codes()]
    assert len(ids) == len(set(ids))
    assert policy_codes.ALLOWED in all_codes()
    # A code that is defined elsewhere would be in no table and no reference page.
    assert len(ids) == len(_named())


def test_each_code_is_used() -> None:
    gateway = Path(table.__file__).parents[2]
    used = set(re.findall(r"\b\w+_codes\.[A-Z_0-9]+", "".join(path.read_text() for path in gateway.rglob("*.py"))))
    assert sorted(_named().keys() - used) == []


def _named() -> dict[str, Code]:
    """Returns the codes by module and constant: `oidc_codes.TOKEN`."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": code
        for module in table._MODULES
        for name, code in vars(module).items()
        if isinstance(code, Code)
    }


def test_an_id_is_words_and_dots() -> None:
    odd = [code.id for code in all_codes() if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", code.id)]
    assert not odd


def test_a_constant_is_named_after_its_id() -> None:
    """So that whoever reads an id in a log finds the place in the code."""
    odd = {name: code.id for name, code in _named().items() if not _kin(name, code.id)}
    assert not odd


def _kin(name: str, id: str) -> bool:
    return name.endswith(id.rpartition(".")[2].removeprefix("form_").upper())


@pytest.mark.parametrize(
    ("subject", "statuses"),
    [
        # RFC 9110 15.5.20: 421 where no application answers at this host; 503 where an application would.
        ("route_codes", {"route.host_unknown": 421, "route.host_unread": 421, "route.app_closed": 503}),
        ("upstream_codes", {"upstream.busy": 503, "upstream.none": 503}),
        ("directory_codes", {"directory.away": 503}),
        ("front_codes", {"front.header": 400, "front.other": 403, "front.question": 400, "front.unknown": 403}),
        ("scim_codes", {"scim.token": 401}),
        ("login_codes", {"login.deactivated": 403}),
        (
            "account_codes",
            dict.fromkeys(
                ("account.unreadable", "account.key", "account.record", "account.unwritable", "account.quota"), 503
            ),
        ),
    ],
)
def test_a_code_has_the_status_that_its_cause_asks_for(subject: str, statuses: dict[str, int]) -> None:
    found = {code.id: code.status for name, code in _named().items() if name.startswith(f"{subject}.")}
    assert found | statuses == found


def test_accounts_close_an_application_with_503_only_for_a_moment() -> None:
    found = {code.id for name, code in _named().items() if name.startswith("account_codes.") and code.status == 503}
    assert found == {"account.unreadable", "account.key", "account.record", "account.unwritable", "account.quota"}


def test_only_a_directory_that_is_away_ends_a_request() -> None:
    found = {code.id for name, code in _named().items() if name.startswith("directory_codes.") and code.status}
    assert found == {"directory.away"}


@pytest.mark.parametrize("prefix", ["config.", "listen.", "organisations.", "rewrite."])
def test_codes_for_operators_never_reach_a_browser(prefix: str) -> None:
    found = [code for code in all_codes() if code.id.startswith(prefix)]
    assert found
    assert {code.status for code in found} == {0}


def test_what_reaches_a_browser_says_what_happened_and_what_to_do() -> None:
    silent = [code.id for code in all_codes() if code.status and not (code.title and code.advice)]
    assert not silent


def test_a_status_is_an_error_or_none() -> None:
    odd = [code.id for code in all_codes() if code.status and not 400 <= code.status <= 599]
    assert not odd


def test_what_a_browser_reads_names_nothing_of_the_inside() -> None:
    inside = re.compile(r"\b(sql|python|exception|null|json|http|header|cookie store|upstream|rule)\b", re.IGNORECASE)
    leaks = [code.id for code in all_codes() if inside.search(f"{code.title} {code.advice}")]
    assert not leaks
