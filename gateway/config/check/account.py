"""What `account:` of an app file says against gateway.yaml and against the providers that it lists."""

from collections.abc import Iterator

from gateway.config.check.conditions import not_mapped
from gateway.config.problems import Path, Problem
from gateway.config.schema.account import AccountSection
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import AnyProviderFile, Loaded
from gateway.config.yaml.reader import YamlDocument
from gateway.model.account import ATTRIBUTE, SUBJECT


def check_account(
    document: YamlDocument,
    account: AccountSection,
    gateway: GatewayFile | None,
    providers: list[Loaded[AnyProviderFile]] | None,
    *,
    by_form: bool,
) -> Iterator[Problem]:
    """`by_form`: people are signed in at its login form with accounts of their own."""
    if gateway is not None and gateway.accounts is None:
        why = "gateway.yaml has no accounts: keys, under which account links are kept"
        hint = "add accounts: {keys: [{id: ..., secret: {file: secrets/links.key}}]} to gateway.yaml"
        yield document.problem(("account",), why, hint, key=True)
    if account.missing == "link" and not by_form:
        message = "nothing would check what a person says of their account"
        yield document.problem(("account", "missing"), message, "add form_login, without trusted; or leave missing out")
    for index, name in enumerate(account.by):
        if name in account.by[:index]:
            yield document.problem(("account", "by", index), "this is here twice")
    if providers is None:
        return
    mapped = {name for one in providers if one.model is not None for name in one.model.sources()}
    for path, name in attributes_asked(account):
        if name not in mapped:
            yield document.problem(path, *not_mapped(name, mapped))
    if ATTRIBUTE in mapped:
        message = f"a provider of this application has an attribute `{ATTRIBUTE}`, which is the login here"
        yield document.problem(("account",), message, "give the provider's attribute another name", key=True)


def attributes_asked(account: AccountSection) -> Iterator[tuple[Path, str]]:
    """What of a person finds their link, and where the file says so."""
    for index, name in enumerate(account.by):
        if name != SUBJECT:
            yield ("account", "by", index), name
