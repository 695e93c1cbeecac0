"""`ecluse account`: links people to their logins at applications. Reads and writes the files of links and requests,
whether the gateway runs or not; a running gateway sees a change within a second."""

import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from gateway.accounts.file import LinkFile, LinkRefused, links_path
from gateway.accounts.link import AccountLink, NewLink
from gateway.accounts.request import checked_text
from gateway.accounts.request_file import RequestFile, requests_path
from gateway.accounts.table import (
    LineProblem,
    TableProblems,
    WrittenLink,
    checked_secret,
    person_for,
    read_table,
    write_table,
)
from gateway.cli.account_requests import reference_of, say_requests, unknown_request
from gateway.cli.exits import Exit
from gateway.cli.folder import compiled
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound, did_you_mean
from gateway.config.snapshot import App, Snapshot
from gateway.model.account import (
    SUBJECT,
    AccountHolder,
    AccountSettings,
    checked_login,
    read_person,
    same_login,
    written_person,
)
from gateway.model.errors import GatewayError
from gateway.server.control import ask

_BY = "operator"
# The most links in a question (stores.sessions.oversight), and the seconds that a gateway has to note them.
_NOTED_AT_ONCE, _NOTED_WITHIN = 100, 5.0


class _WrongUsage(Exception):
    """The reason, in words for the operator."""


def run(told: Namespace) -> Exit:
    try:
        _, _, snapshot = compiled(told.folder)
    except ProblemsFound as problems:
        say_problems(problems, as_json=told.as_json if "as_json" in told else False)
        return Exit.FOUND
    if not snapshot.gateway.link_keys:
        said_to_be_wrong(f"{told.folder}/gateway.yaml has no `accounts:` with keys, so there are no account links")
        return Exit.FOUND
    path = links_path(snapshot.gateway.state_folder)
    try:
        with closing(LinkFile(path, snapshot.gateway.link_keys)) as file, closing(_requests(snapshot)) as requests:
            # `purge` also opens the file and stores its data key under the first key of gateway.yaml.
            requests.purge()
            return _COMMANDS[told.what](told, snapshot, file, requests)
    except _WrongUsage as wrong:
        said_to_be_wrong(str(wrong))
        return Exit.USAGE
    except TableProblems as found:
        _say_table(told, found)
        return Exit.FOUND
    except GatewayError as error:
        said_to_be_wrong(f"{error.code.id}: {error.detail}")
        return Exit.FOUND


# --- the commands


def _list(told: Namespace, snapshot: Snapshot, file: LinkFile, requests: RequestFile) -> Exit:
    if told.requests:
        return say_requests(requests.all(_application(told.application, snapshot)), as_json=told.as_json)
    links = file.all(_application(told.application, snapshot))
    if told.as_json:
        say_json({"links": [_as_json(link) for link in links]})
    else:
        _say_links(links)
    return Exit.DONE


def _link(told: Namespace, snapshot: Snapshot, file: LinkFile, requests: RequestFile) -> Exit:
    app = _asking(told.application, snapshot)
    settings = _settings(app)
    request = None if told.request is None else _request(told.request, app, requests)
    if request is None:
        holder = AccountHolder(app.name, _issuer(told, app, snapshot), _person(told, settings))
    else:
        # Names the person by the application's present file, which may have changed since the request.
        holder = AccountHolder(app.name, request.issuer, person_for(settings, request.person))
    secret = None if told.secret is None else _secret(told.secret)
    new = NewLink(holder, checked_login(told.login), _BY, secret, settings.shared, told.replace)
    (changed,) = file.add([new])
    if changed:
        _note(snapshot, "linked", [holder])
    if told.request is not None:
        requests.forget(reference_of(told.request))
    if told.as_json:
        say_json({"changed": changed})
    else:
        print(f"{_whose(holder)} is {new.login} of {app.name}{'' if changed else ', as before'}")
    return Exit.DONE


def _unlink(told: Namespace, snapshot: Snapshot, file: LinkFile, requests: RequestFile) -> Exit:
    """Removes links, also of an application that is gone or no longer asks for accounts."""
    found = [link for link in file.all(told.application) if _is_meant(link, told, snapshot)]
    if not found:
        said_to_be_wrong(f"{told.application} has no such link")
        return Exit.FOUND
    if len(found) > 1 and not told.yes:
        if not sys.stdin.isatty():
            raise _WrongUsage(f"{len(found)} links would be removed: confirm with --yes, or name one person")
        _say_links(found)
        print(f"Remove these {len(found)} links? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes", "o", "oui"):
            return Exit.FOUND
    number = file.remove(link.holder for link in found)
    _note(snapshot, "unlinked", [link.holder for link in found])
    if told.as_json:
        say_json({"removed": number})
    else:
        print(f"removed: {number}")
    return Exit.DONE


def _refuse(told: Namespace, snapshot: Snapshot, file: LinkFile, requests: RequestFile) -> Exit:
    reference = reference_of(told.reference)
    texts = {"fr": checked_text(told.fr), "en": checked_text(told.en)}
    words = {language: text for language, text in texts.items() if text}
    if told.forget and words:
        raise _WrongUsage("--forget sends no answer: remove --fr and --en")
    if not (requests.forget(reference) if told.forget else requests.refuse(reference, words)):
        raise _WrongUsage(unknown_request(reference))
    if told.as_json:
        say_json({"reference": reference, "refused": not told.forget})
    else:
        print(f"{reference} is {'forgotten' if told.forget else 'refused'}")
    return Exit.DONE


def _export(told: Namespace, snapshot: Snapshot, file: LinkFile, requests: RequestFile) -> Exit:
    links = file.all(_application(told.application, snapshot))
    secrets = {link.holder: file.secret(link) for link in links} if told.secrets else {}
    lines = (WrittenLink(0, link.holder, link.login, secrets.get(link.holder)) for link in links)
    for text in write_table(lines, secrets=told.secrets):
        sys.stdout.write(text.removesuffix("\r\n") + "\n")
    return Exit.DONE


def _import(told: Namespace, snapshot: Snapshot, file: LinkFile, requests: RequestFile) -> Exit:
    try:
        content = told.table.read_bytes()
    except OSError as error:
        raise _WrongUsage(f"{told.table}: {error.strerror}") from None
    settings = {name: _of_links(app) for name, app in snapshot.apps.items()}
    written = read_table(content, settings, {provider.issuer for provider in snapshot.providers.values()})
    try:
        changed = file.add([_new(line, settings, replace=told.replace) for line in written])
    except LinkRefused as refused:
        raise TableProblems([LineProblem(written[refused.number].line, refused.detail)]) from None
    _note(snapshot, "linked", [line.holder for line, is_new in zip(written, changed, strict=True) if is_new])
    if told.as_json:
        say_json({"links": len(written), "changed": sum(changed)})
    else:
        print(f"{sum(changed)} of {len(written)} link(s) are new or changed")
    return Exit.DONE


_COMMANDS = {"list": _list, "link": _link, "unlink": _unlink, "refuse": _refuse, "export": _export, "import": _import}


def _note(snapshot: Snapshot, became: Literal["linked", "unlinked"], holders: Sequence[AccountHolder]) -> None:
    """Reports the change to the running gateway, whose log names the operator (known from the control socket). Without
    a running gateway the change is not logged."""
    links = [
        {
            "application": holder.application,
            "issuer": holder.issuer,
            "holder": holder.person,
            "subject": read_person(holder.person).get(SUBJECT, ""),
        }
        for holder in holders
    ]
    for at in range(0, len(links), _NOTED_AT_ONCE):
        question = {"what": "accounts", "became": became, "links": links[at : at + _NOTED_AT_ONCE]}
        with suppress(OSError, ValueError):
            ask(Path(snapshot.gateway.state_folder), question, _NOTED_WITHIN)


# --- what they are told


def _new(line: WrittenLink, settings: Mapping[str, AccountSettings | None], *, replace: bool) -> NewLink:
    asked = settings[line.holder.application]
    return NewLink(line.holder, line.login, _BY, line.secret, asked is not None and asked.shared, replace)


def _application(name: str | None, snapshot: Snapshot) -> str | None:
    if name is not None and name not in snapshot.apps:
        raise _WrongUsage(_unknown("application", name, snapshot.apps))
    return name


def _asking(name: str, snapshot: Snapshot) -> App:
    if name not in snapshot.apps:
        raise _WrongUsage(_unknown("application", name, snapshot.apps))
    return snapshot.apps[name]


def _settings(app: App) -> AccountSettings:
    settings = _of_links(app)
    if settings is None:
        why = "its file has no account: key" if app.account is None else "a directory gives the logins (account.from)"
        raise _WrongUsage(f"{app.file} uses no account links: {why}")
    return settings


def _of_links(app: App) -> AccountSettings | None:
    return app.account if app.account is not None and app.account.source is None else None


def _issuer(told: Namespace, app: App | None, snapshot: Snapshot) -> str:
    if told.issuer is not None:
        issuer: str = told.issuer
        if issuer not in {provider.issuer for provider in snapshot.providers.values()}:
            raise _WrongUsage(f"no provider has the issuer {issuer}")
        return issuer
    name = told.provider
    if name is None:
        if app is None or len(app.providers) != 1:
            raise _WrongUsage("name the person's provider: --provider NAME")
        (name,) = app.providers
    if name not in snapshot.providers:
        raise _WrongUsage(_unknown("provider", name, snapshot.providers))
    return snapshot.providers[name].issuer


def _person(told: Namespace, settings: AccountSettings) -> str:
    text = told.person if told.subject is None else written_person({SUBJECT: told.subject})
    return person_for(settings, text)


def _is_meant(link: AccountLink, told: Namespace, snapshot: Snapshot) -> bool:
    if (told.issuer or told.provider) and link.holder.issuer != _issuer(told, None, snapshot):
        return False
    if told.subject is not None and link.holder.person != written_person({SUBJECT: told.subject}):
        return False
    if told.person is not None and link.holder.person != written_person(read_person(told.person)):
        return False
    return told.login is None or same_login(link.login) == same_login(told.login)


def _request(reference: str, app: App, requests: RequestFile) -> AccountHolder:
    found = requests.of(reference_of(reference))
    if found is None:
        raise _WrongUsage(unknown_request(reference))
    if found.asked.holder.application != app.name:
        raise _WrongUsage(f"this request is for {found.asked.holder.application}, not for {app.name}")
    return found.asked.holder


def _requests(snapshot: Snapshot) -> RequestFile:
    return RequestFile(requests_path(snapshot.gateway.state_folder), snapshot.gateway.link_keys)


def _secret(path: Path) -> str:
    try:
        return checked_secret(path.read_text("utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise _WrongUsage(f"{path}: {getattr(error, 'strerror', None) or 'this is not UTF-8'}") from None


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    hint = did_you_mean(name, known)
    return f"no {kind} has the name {name}" + (f": {hint}" if hint else "")


# --- what they say


def _as_json(link: AccountLink) -> dict[str, object]:
    holder = link.holder
    return {
        "application": holder.application,
        "issuer": holder.issuer,
        "person": holder.person,
        "login": link.login,
        "since": link.since,
        "by": link.by,
        "secret": link.secret is not None,
    }


def _say_links(links: Iterable[AccountLink]) -> None:
    for link in links:
        day = time.strftime("%Y-%m-%d", time.gmtime(link.since))
        secret = ", with a secret" if link.secret is not None else ""
        print(f"{link.holder.application}  {link.login}  {_whose(link.holder)}  since {day}, by {link.by}{secret}")


def _whose(holder: AccountHolder) -> str:
    return f"{holder.person} of {holder.issuer}"


def _say_table(told: Namespace, found: TableProblems) -> None:
    if told.as_json:
        say_json({"problems": [{"line": one.line, "message": one.message} for one in found.problems]})
        return
    for one in found.problems:
        print(f"{told.table}:{one.line}: {one.message}", file=sys.stderr)
    print(f"\n{len(found.problems)} problem(s): nothing was imported", file=sys.stderr)
