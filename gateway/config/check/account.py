"""Checks `account` of an app file against gateway.yaml and the providers of the file."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.config.check.conditions import not_mapped
from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.account import AccountSection
from gateway.config.schema.directory import GivenSection
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import AnyProviderFile, Loaded
from gateway.config.yaml.reader import YamlDocument
from gateway.model.account import ATTRIBUTE, SUBJECT


def check_account(
    document: YamlDocument,
    account: AccountSection,
    gateway: GatewayFile | None,
    providers: list[Loaded[AnyProviderFile]] | None,
    given: Mapping[str, Sequence[GivenSection]],
    *,
    by_form: bool,
) -> Iterator[Problem]:
    """`given`: how the directories of the application give each attribute, by attribute name.
    `by_form`: the login form signs people in with accounts of their own."""
    if account.source is not None:
        yield from _by_directory(document, account.source, given, by_form=by_form)
    elif gateway is not None and gateway.accounts is None:
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
    for path, name in attributes_asked(account) if account.source is None else ():
        if name not in mapped:
            yield document.problem(path, *not_mapped(name, mapped))
    if ATTRIBUTE in mapped:
        message = f"a provider of this application has an attribute `{ATTRIBUTE}`, which is the login here"
        yield document.problem(("account",), message, "give the provider's attribute another name", key=True)


def _by_directory(
    document: YamlDocument, name: str, given: Mapping[str, Sequence[GivenSection]], *, by_form: bool
) -> Iterator[Problem]:
    at = ("account", "from")
    if name not in given:
        hint = did_you_mean(name, given) or "in the directory's file: gives: {" + name + ": {}}"
        yield document.problem(at, "no directory that this application lists gives an attribute of this name", hint)
    for one in given.get(name, ()):
        if one.secret or one.many or one.mandate is not None:
            message = "a login is one text that may be shown, and a directory gives this otherwise"
            yield document.problem(at, message, "an attribute without secret, many and mandate")
        if one.wins == "provider":
            message = "its directory says wins: provider: people would choose their login by what a provider says"
            yield document.problem(at, message, "wins: directory in the directory's file, or another name there")
    if by_form:
        message = "people have no secret for the login form: those of account links go with the logins of links"
        hint = "add trusted: {from: account, secret_from: ...} to form_login"
        yield document.problem(("form_login",), message, hint, key=True)


def attributes_asked(account: AccountSection) -> Iterator[tuple[Path, str]]:
    """Yields the attributes that find a person's account link, or that hold the login, each with its key path."""
    if account.source is not None:
        yield ("account", "from"), account.source
        return
    for index, name in enumerate(account.by):
        if name != SUBJECT:
            yield ("account", "by", index), name
