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
