# ruff: noqa: E501 - a case is a line
"""What an app file may say of account links, beside gateway.yaml, its providers and its team's fence."""

import pytest

from tests.config.samples import GATEWAY, METROPOLE, PERMIS, STORE_KEY, problems

KEYS = "accounts: {keys: [{id: l1, secret: {file: links.key}}]}\n"
SECRETS = {"file:links.key": b"of-the-links-0123456789-0123456789"}


def found(account: str, gateway: str = GATEWAY + KEYS, provider: str = METROPOLE, app: str = PERMIS) -> list[str]:
    files = {"gateway.yaml": gateway, "providers/metropole.yaml": provider}
    return problems({**files, "apps/permis.yaml": app.replace("access:", f"account: {account}\naccess:")}, SECRETS)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("{}", "9:1: account.ask: this key is missing"),
        ("{ask: ' '}", "9:16: account.ask: this is empty"),
        ("{ask: {fr: ' '}}", "9:16: account.ask: this is empty"),
        ("{ask: {french: a}}", "9:16: account.ask: french is not a language (fr or en)"),
        ("{ask: [a]}", "9:16: account.ask: this is a text, or a text by language (write {fr: ..., en: ...})"),
        ("{ask: a, by: []}", "9:23: account.by: this is empty (name at least one)"),
        (
            "{ask: a, by: [uids]}",
            "9:24: account.by[0]: no provider of this application maps an attribute uids (did you mean uid?)",
        ),
        (
            "{ask: a, missing: link}",
            (
                "9:28: account.missing: nothing would check what a person says of their account "
                "(add form_login, without trusted; or leave missing out)"
            ),
        ),
        ("{ask: a, by: [uid, uid]}", "9:29: account.by[1]: this is here twice"),
        (
            "{ask: a, by: [Subject]}",
            "9:24: account.by[0]: an attribute's name begins with a-z and goes on with a-z, 0-9 and _, at most 64",
        ),
    ],
)
def test_a_file_that_asks_for_an_account_wrongly(account: str, said: str) -> None:
    assert [one.removeprefix("policies/apps/permis.yaml:") for one in found(account)] == [said]


def test_the_login_may_be_told_and_no_provider_gives_it() -> None:
    told = PERMIS.replace("{from: uid}", "{from: account}")
    assert found("{ask: a, by: [siret, uid]}", app=told) == []
    (said,) = problems({"apps/permis.yaml": told})
    assert "an attribute account (write account: {ask: ...} in this file, for the login of a link)" in said
    claims = PERMIS.replace("access:", "  basic: {account: {from: account}, password: {file: links.key}}\naccess:")
    assert found("{ask: a}", app=claims) == []


def test_a_providers_own_attribute_of_the_name_is_another_thing() -> None:
    (said,) = found("{ask: a}", provider=METROPOLE.replace("  uid: preferred", "  account: acct\n  uid: preferred"))
    assert "has an attribute `account`, which is the login here" in said


def test_links_need_a_key_of_their_own() -> None:
    (said,) = found("{ask: a}", gateway=GATEWAY)
    assert "gateway.yaml has no accounts: keys" in said
    files = {"gateway.yaml": GATEWAY + KEYS}
    assert problems(files, {"file:links.key": STORE_KEY}) == [
        "policies/gateway.yaml:10:36: accounts.keys[0].secret: this is a key of the store (openssl rand -base64 48)"
    ]
    (said,) = problems(files, {"file:links.key": b"short"})
    assert "a store key has at least 32 bytes" in said
    twice = KEYS.replace("]}", ", {id: l1, secret: {file: links.key}}]}")
    (said,) = problems({"gateway.yaml": GATEWAY + twice}, SECRETS)
    assert "this id is here twice" in said


def test_a_team_names_people_by_attributes_that_it_may_be_told() -> None:
    fence = "{hosts: [permis.localhost], providers: [metropole], upstreams: [127.0.0.1], headers: [X-Remote-User], attributes: [uid]}"
    gateway = f"{GATEWAY}{KEYS}teams:\n  x: {fence}\n"
    text = PERMIS.replace("access:", "account: {ask: a, by: [siret]}\naccess:")
    files = {"gateway.yaml": gateway, "apps/permis.yaml": None}
    (said,) = problems({**files, "apps/x/permis.yaml": text}, SECRETS)
    assert "team x may not use the attribute siret" in said
    assert (
        problems(
            {**files, "apps/x/permis.yaml": text.replace("[siret]", "[uid]").replace("{from: uid}", "{from: account}")},
            SECRETS,
        )
        == []
    )


AGENTS = """\
version: 1
directory: agents
csv: {path: ../agents.csv}
key: {uid: {from: uid, providers: [metropole]}}
gives: {login: {}, many: {many: true}, word: {secret: true}, uai: {wins: provider}, mail: {wins: directory}}
"""
BY_DIRECTORY = PERMIS.replace("translate:\n", "directories: [agents]\ntranslate:\n")


def by_directory(account: str, app: str = BY_DIRECTORY) -> list[str]:
    text = app.replace("access:", f"account: {account}\naccess:")
    said = problems({"directories/agents.yaml": AGENTS, "apps/permis.yaml": text}, {})
    return [one.removeprefix("policies/apps/permis.yaml:") for one in said]


@pytest.mark.parametrize("name", ["login", "mail"])
def test_the_login_may_be_what_a_directory_says_and_then_no_key_of_links_is_needed(name: str) -> None:
    told = BY_DIRECTORY.replace("{from: uid}", "{from: account}")
    assert by_directory(f"{{from: {name}, ask: a}}", told) == []


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (
            "{from: uai, ask: a}",
            "10:17: account.from: its directory says wins: provider: people would choose their login by what a provider says (wins: directory in the directory's file, or another name there)",
        ),
        (
            "{from: many, ask: a}",
            "10:17: account.from: a login is one text that may be shown, and a directory gives this otherwise (an attribute without secret, many and mandate)",
        ),
        (
            "{from: word, ask: a}",
            "10:17: account.from: a login is one text that may be shown, and a directory gives this otherwise (an attribute without secret, many and mandate)",
        ),
        (
            "{from: logins, ask: a}",
            "10:17: account.from: no directory that this application lists gives an attribute of this name (did you mean login?)",
        ),
        (
            "{from: uid, ask: a}",
            "10:17: account.from: no directory that this application lists gives an attribute of this name (did you mean uai?)",
        ),
        (
            "{from: login, ask: a, missing: link}",
            "10:10: account: missing would be of account links, and a directory says the login (leave out missing; or from, where people have links)",
        ),
        (
            "{from: login, ask: a, by: [subject]}",
            "10:10: account: by would be of account links, and a directory says the login (leave out by; or from, where people have links)",
        ),
        (
            "{from: login, ask: a, shared: true}",
            "10:10: account: shared would be of account links, and a directory says the login (leave out shared; or from, where people have links)",
        ),
        ("{from: login}", "10:1: account.ask: this key is missing"),
    ],
)
def test_a_login_that_a_provider_or_the_person_could_choose_is_refused(account: str, said: str) -> None:
    assert by_directory(account) == [said]


def test_a_directory_that_is_not_listed_says_no_login() -> None:
    (said,) = by_directory("{from: login, ask: a}", PERMIS)
    assert "no directory that this application lists gives an attribute of this name" in said


def test_a_login_form_needs_a_secret_beside_a_directory_s_login() -> None:
    form = "form_login: {steps: [{page: /l, fields: {u: login, p: secret}}], signed_in: [{location: /i}], expired: [{location: /l}], cookies: [A]}\n"
    said = by_directory("{from: login, ask: a}", BY_DIRECTORY.replace("access:", f"{form}access:"))
    assert [one for one in said if "people have no secret for the login form" in one]


def test_a_team_takes_logins_from_directories_and_attributes_of_its_fence_alone() -> None:
    fence = "{hosts: [permis.localhost], providers: [metropole], upstreams: [127.0.0.1], headers: [X-Remote-User], attributes: [uid, ATTRIBUTE], directories: [DIRECTORY]}"
    text = BY_DIRECTORY.replace("access:", "account: {from: login, ask: a}\naccess:")
    for attribute, directory, said in (
        ("login", "agents", []),
        ("mail", "agents", ["team x may not use the attribute login"]),
        ("login", "others", ["team x may not use the directory agents"]),
    ):
        inside = fence.replace("ATTRIBUTE", attribute).replace("DIRECTORY", directory)
        files = {
            "gateway.yaml": f"{GATEWAY}teams:\n  x: {inside}\n",
            "directories/agents.yaml": AGENTS,
            "directories/others.yaml": AGENTS.replace("agents", "others").replace("gives: {", "gives: {x: {}} # "),
            "apps/permis.yaml": None,
            "apps/x/permis.yaml": text,
        }
        found = problems(files, {})
        assert len(found) == len(said), found
        assert all(one in found[0] for one in said)
