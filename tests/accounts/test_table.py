"""Links as CSV: what is written reads back, and what is wrong is said line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.table import COLUMNS, TableProblems, WrittenLink, read_table, write_table
from gateway.model.account import AccountHolder, AccountSettings, checked_login, written_person
from gateway.model.errors import GatewayError
from tests.accounts.samples import ISSUER, holder

APPLICATIONS = {"permis": AccountSettings(), "paie": AccountSettings(by=("siret", "uid")), "plain": None}
HEAD = ",".join(COLUMNS) + "\r\n"
GOOD = f"permis,{ISSUER},subject=helene,h.durand\r\n"


def read(content: str | bytes) -> list[WrittenLink]:
    data = content if isinstance(content, bytes) else content.encode()
    return read_table(data, APPLICATIONS, {ISSUER})


def problems(content: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(TableProblems) as error:
        read(content)
    return [(one.line, one.message) for one in error.value.problems]


def test_links_by_subject_or_by_attributes() -> None:
    assert read(HEAD + GOOD + f'paie,{ISSUER},uid=hélène&siret=1,"Durand, Hélène"\r\n') == [
        WrittenLink(2, holder(), "h.durand"),
        WrittenLink(3, holder("siret=1&uid=h%C3%A9l%C3%A8ne", "paie"), "Durand, Hélène"),
    ]


def test_what_a_spreadsheet_makes_of_it() -> None:
    marked = b"\xef\xbb\xbf" + (HEAD + GOOD).replace(",", ";").encode()
    assert [one.login for one in read(marked)] == ["h.durand"]
    assert [one.login for one in read((HEAD + GOOD).replace("\r\n", "\n") + "\n")] == ["h.durand"]


def test_secrets_come_in_a_column_of_their_own() -> None:
    (one,) = read(HEAD.replace("login", "login,secret") + GOOD.replace("\r\n", ",mot de passé\r\n"))
    assert one.secret == "mot de passé"
    assert "passé" not in repr(one)


@pytest.mark.parametrize("login", ["=cmd|' /C calc'!A0", "+33", "-x", "@SUM(A1)", "'quoted", 'a,b;c"d'])
def test_a_spreadsheet_runs_nothing_of_what_is_exported_and_it_reads_back(login: str) -> None:
    text = "".join(write_table([WrittenLink(2, holder(), login)]))
    cell = text.splitlines()[1].partition("helene,")[2].strip('"')
    assert cell[0] not in "=+-@\t\r"
    assert read(text) == [WrittenLink(2, holder(), login)]


@given(st.text(min_size=1, max_size=30), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_whatever_is_linked_reads_back_as_it_is(login: str, subject: str) -> None:
    try:
        link = WrittenLink(
            2, AccountHolder("permis", ISSUER, written_person({"subject": subject})), checked_login(login)
        )
    except GatewayError:
        return
    assert read("".join(write_table([link]))) == [link]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"permi,{ISSUER},subject=a,b", "no application has this name"),
        (f"plain,{ISSUER},subject=a,b", "the file of plain uses no account links"),
        ("permis,https://evil.example,subject=a,b", "no provider has this issuer"),
        (f"permis,{ISSUER},uid=a,b", "this person is named by uid, and the file says subject"),
        (f"permis,{ISSUER},a,b", "not written as subject=VALUE or NAME=VALUE&NAME=VALUE"),
        (f"permis,{ISSUER},subject=a,", "a login has 1 to 256 characters, and this one 0"),
        (f"permis,{ISSUER},subject=a, b", "white space at an end of the login"),
        (f'permis,{ISSUER},subject=a,"b\nc"', "an invisible character in the login, such as a line end"),
        (f"permis,{ISSUER},subject=a,=1+1", "a cell begins as a formula does: an apostrophe before it makes it a text"),
        (f"permis,{ISSUER},subject=a", "3 columns, where the first line has 4"),
        (f"permis,{ISSUER},subject=a,b,c", "5 columns, where the first line has 4"),
        (f"permis,{ISSUER},subject=helene,other", "this person stands in line 2 too"),
        (f"permis,{ISSUER},subject=a,{'b' * 9000}", "a cell has 9000 characters"),
        (f'permis,{ISSUER},subject=a,"b"c', "this is not CSV: ',' expected after '\"'"),
        (f'permis,{ISSUER},subject=a,"b', "this is not CSV: unexpected end of data"),
    ],
)
def test_a_line_that_is_refused(line: str, said: str) -> None:
    assert problems(HEAD + GOOD + line + "\r\n") == [(3, said)]


def test_every_problem_at_once_and_a_hundred_at_most() -> None:
    bad = f"nothing,{ISSUER},subject=a,b\r\n"
    assert [line for line, _ in problems(HEAD + bad + GOOD + bad)] == [2, 4]
    assert len(problems(HEAD + bad * 300)) == 100


def test_letters_in_another_charset_name_their_line() -> None:
    assert problems((HEAD + GOOD).encode() + b"permis,x,subject=h\xe9l\xe8ne,b\r\n") == [
        (3, "this is not UTF-8: save it as CSV UTF-8")
    ]


@pytest.mark.parametrize("head", ["", "login,person\r\n", "application,issuer,person\r\n", "\x00"])
def test_a_table_whose_columns_are_not_named(head: str) -> None:
    ((line, said),) = problems(head)
    assert line == 1
    assert "the first line names the columns" in said
