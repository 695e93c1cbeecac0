"""`ecluse account`, where people ask for their accounts: requests are listed, granted, refused and forgotten."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from gateway.accounts.request import NewRequest
from gateway.accounts.request_file import RequestFile, requests_path
from gateway.model.account import AccountHolder
from tests.cli.test_account import ISSUER, account, folder, listed

pytestmark = pytest.mark.slow

__all__ = ["folder"]

KEYS = (("l1", b"of-the-links-0123456789" * 3),)


def asked(folder: Path, application: str = "one", person: str = "subject=h", **more: str) -> str:
    """The reference of a request."""
    told = {"name": "Hélène Durand (h@ville.example)", "mail": "h@ville.example", "text": "Bonjour", **more}
    new = NewRequest(AccountHolder(application, ISSUER, person), person.partition("=")[2], **told)
    with closing(RequestFile(requests_path(str(folder / "var")), KEYS)) as file:
        return file.ask(new)[0].reference


def waiting(folder: Path) -> list[str]:
    told = json.loads(account(folder, "list", "--requests", "--output", "json"))["requests"]
    return [one["reference"] for one in told if one["refused"] is None]


def test_a_request_is_listed_and_granted(folder: Path) -> None:
    assert account(folder, "list", "--requests") == ""
    reference = asked(folder, text="Je remplace Paul\nau guichet.", organisation="21590350100017")
    other = asked(folder, "two", "uid=anne")
    head, who, *text = account(folder, "list", "--requests", "--application", "one").splitlines()
    assert head.startswith(f"{reference}  one  subject=h of {ISSUER}, organisation 21590350100017  since 20")
    assert head.endswith(", waits")
    assert who == "    Hélène Durand (h@ville.example)"
    assert text == ["    > Je remplace Paul", "    > au guichet."]
    told = account(folder, "link", "one", "h.durand", "--request", reference.lower())
    assert told == f"subject=h of {ISSUER} is h.durand of one\n"
    assert listed(folder) == [("one", "subject=h", "h.durand")]
    assert waiting(folder) == [other]
    said = account(folder, "link", "one", "h.durand", "--request", reference, code=2)
    assert f"no request has the reference {reference}: it was answered, or is too old" in said


def test_what_a_person_wrote_does_nothing_to_a_terminal(folder: Path) -> None:
    # As one that another program has put there: what people send has no such letters any more.
    asked(folder, text="a\x1b[2Jb\u202ec", name="\x1b]0;x\x07", mail="h\n@x", organisation="\x9b1m")
    told = account(folder, "list", "--requests")
    assert f"subject=h of {ISSUER}, organisation ?1m  since 20" in told.splitlines()[0]
    assert told.splitlines()[1:] == ["    ?]0;x?, h?@x", "    > a?[2Jb?c"]
    as_json = account(folder, "list", "--requests", "--output", "json")
    assert not any(letter in as_json for letter in ("\x1b", "\x07"))


def test_a_name_says_nothing_of_an_organisation(folder: Path) -> None:
    """Some providers let people call themselves what they like."""
    asked(folder, name="Anne Martin (anne@ministere.example), 13002526500013", mail="mallory@free.example")
    head, who, *_ = account(folder, "list", "--requests").splitlines()
    assert "organisation" not in head
    assert who == "    Anne Martin (anne@ministere.example), 13002526500013, mallory@free.example"


def test_a_name_with_the_address_of_another_hides_no_address(folder: Path) -> None:
    """`e.durand` is a part of `helene.durand`."""
    asked(folder, name="Hélène Durand (helene.durand@free.example)", mail="e.durand@free.example")
    who = account(folder, "list", "--requests").splitlines()[1]
    assert who == "    Hélène Durand (helene.durand@free.example), e.durand@free.example"


def test_one_login_is_one_persons_whoever_asks_for_it(folder: Path) -> None:
    account(folder, "link", "one", "h.durand", "--subject", "p")
    reference = asked(folder)
    said = account(folder, "link", "one", "H.Durand", "--request", reference, code=1)
    assert "account.taken: another person has this login of one" in said
    assert waiting(folder) == [reference], "it waits for another answer"
    said = account(folder, "link", "two", "h.durand", "--request", reference, code=2)
    assert "this request is for one, not for two" in said
    for person in ("uid=anne", "uid=luc"):
        account(folder, "link", "two", "guichet", "--request", asked(folder, "two", person))
    assert [login for _, _, login in listed(folder)] == ["h.durand", "guichet", "guichet"], "the file of two allows it"


def test_who_asked_when_the_file_named_people_otherwise_is_not_linked(folder: Path) -> None:
    reference = asked(folder, person="uid=helene")
    said = account(folder, "link", "one", "h.durand", "--request", reference, code=1)
    assert "this person is named by uid, and the file says subject" in said
    assert listed(folder) == []


def test_a_request_is_refused_in_words_or_forgotten(folder: Path) -> None:
    reference = asked(folder)
    assert account(folder, "refuse", reference, "--fr", "Non.", "--en", "No.") == f"{reference} is refused\n"
    (one,) = json.loads(account(folder, "list", "--requests", "--output", "json"))["requests"]
    assert (one["refused"]["fr"], one["refused"]["en"]) == ("Non.", "No.")
    assert ", refused on 20" in account(folder, "list", "--requests")
    assert "remove --fr and --en" in account(folder, "refuse", reference, "--forget", "--fr", "Non.", code=2)
    told = json.loads(account(folder, "refuse", reference, "--forget", "--output", "json"))
    assert told == {"reference": reference, "refused": False}
    assert account(folder, "list", "--requests") == ""
    for words in (("refuse", reference), ("refuse", reference, "--forget"), ("refuse", "\x1b[2J")):
        assert "no request has the reference" in account(folder, *words, code=2)
    assert "account.text" in account(folder, "refuse", asked(folder), "--fr", "x" * 501, code=1)


def test_requests_that_cannot_be_read_are_told_and_links_are_made_all_the_same(folder: Path) -> None:
    asked(folder)
    requests_path(str(folder / "var")).write_bytes(b"")
    assert "account.unreadable" in account(folder, "list", "--requests", code=1)
    account(folder, "link", "one", "h.durand", "--subject", "h")
    assert listed(folder) == [("one", "subject=h", "h.durand")]


def test_a_new_key_opens_them_alone_once_any_command_has_seen_both(folder: Path) -> None:
    reference = asked(folder)
    account(folder, "link", "two", "anne", "--person", "uid=anne")
    gateway = folder / "policies/gateway.yaml"
    text = gateway.read_text()
    old, new = "{id: l1, secret: {file: ../certs/links.key}}", "{id: l2, secret: {file: ../certs/new.key}}"
    (folder / "certs/new.key").write_text("another-key-0123456789" * 3)
    gateway.write_text(text.replace(old, f"{new}, {old}"))
    account(folder, "list")
    gateway.write_text(text.replace(old, new))
    assert waiting(folder) == [reference]
