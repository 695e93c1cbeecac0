"""`ecluse explain`: prints the rules that match a request, with their answers and reasons, and the values that the
application would receive."""

import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from gateway.accounts.file import LinkFile, links_path
from gateway.cli.exits import Exit
from gateway.cli.folder import compiled
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound
from gateway.config.schema.policy_tests import client_address, moment
from gateway.config.schema.scalars import Wrong
from gateway.config.snapshot import App, Snapshot
from gateway.directories.by_hand import ask
from gateway.identity.directories import DirectoryFault, key_of, unknown_of
from gateway.identity.mandates import in_words
from gateway.model.account import AccountHolder, person_of
from gateway.model.decision import RuleRef
from gateway.model.directory import DirectoryFinding
from gateway.model.errors import GatewayError
from gateway.model.theme import Words, by_language
from gateway.policy.trace import TracedCondition
from gateway.policy.truth import Truth
from gateway.server.state import directories_folder
from gateway.trial.explanation import Explanation, Rewriting, Row, explain_request
from gateway.trial.people import Known, read_person, with_own_login
from gateway.trial.request import Circumstances, WrittenRequest, app_asked, circumstances_of, parse_request
from gateway.trial.trial import Tried
from gateway.wire.application_cookies import ALL, CookieRules

Value = TypeVar("Value")

_TRUTHS = {Truth.TRUE: "hit", Truth.FALSE: "miss", Truth.UNKNOWN: "unknown"}
_ANSWER_WIDTH = len("not asked")
_OF = {"client": "a stranger's address", "person": "a person", "all": "everybody together"}


def run(told: Namespace) -> Exit:
    return explain(
        told.folder,
        f"{told.method} {told.url}",
        told.person,
        client=told.client,
        headers=told.header,
        at=told.at,
        as_json=told.as_json,
    )


def explain(
    folder: Path,
    request: str,
    person: Path | None,
    *,
    client: str | None = None,
    headers: Sequence[str] = (),
    at: str | None = None,
    as_json: bool = False,
) -> Exit:
    now = time.time()
    try:
        asked = parse_request(request)
        circumstances = _around(now, client, headers, at)
        _, _, snapshot = compiled(folder)
    except Wrong as wrong:
        said_to_be_wrong(f"{wrong.message}: {wrong.hint}" if wrong.hint else wrong.message)
        return Exit.USAGE
    except ProblemsFound as found:
        say_problems(found, as_json=as_json)
        return Exit.FOUND
    try:
        known = None if person is None else _known(person, snapshot, asked, int(now))
    except OSError as error:
        said_to_be_wrong(
            f"--as {person}: {error.strerror} (name a file with provider, subject and attributes, or a saved "
            "/_ecluse/session)"
        )
        return Exit.USAGE
    except ProblemsFound as found:
        say_problems(found, as_json=as_json)
        return Exit.USAGE
    if known is not None:
        app = _app_of(snapshot, asked)
        known = with_own_login(_with_directories(_with_link(known, app, snapshot), app, snapshot), app)
    explanation = explain_request(snapshot, asked, known, circumstances)
    if as_json:
        say_json(_as_json(explanation, known))
    else:
        print("\n".join(_as_text(explanation, known)))
    return Exit.DONE


def _around(now: float, client: str | None, headers: Sequence[str], at: str | None) -> Circumstances:
    """Raises Wrong."""
    pairs = [header.partition(":") for header in headers]
    if not all(name and colon for name, colon, _ in pairs):
        raise Wrong("a header is a name and a value", "--header 'Name: value'")
    return circumstances_of(
        now,
        None if client is None else _option("--client", client_address, client),
        {name: value.strip() for name, _, value in pairs},
        None if at is None else _option("--at", moment, at),
    )


def _option(name: str, read: Callable[[str], Value], given: str) -> Value:
    """Reads an option. Raises Wrong, which names the option."""
    try:
        return read(given)
    except Wrong as wrong:
        raise Wrong(f"{name} {given}: {wrong.message}", wrong.hint) from None


def _known(person: Path, snapshot: Snapshot, asked: WrittenRequest, now: int) -> Known:
    """Raises OSError and ProblemsFound."""
    return read_person(str(person), person.read_bytes(), snapshot, _app_of(snapshot, asked), now)


def _app_of(snapshot: Snapshot, asked: WrittenRequest) -> App | None:
    try:
        return app_asked(snapshot, asked)
    except GatewayError:
        return None


def _with_link(known: Known, app: App | None, snapshot: Snapshot) -> Known:
    """The person with the login of the account link, if the file about the person gives no login."""
    if app is None or app.account is None or app.account.source is not None or known.account is not None:
        return known
    try:
        with closing(LinkFile(links_path(snapshot.gateway.state_folder), snapshot.gateway.link_keys)) as file:
            holder = AccountHolder(app.name, known.identity.issuer, person_of(app.account.by, known.identity))
            link = file.find(holder, shared=app.account.shared)
    except GatewayError as error:
        return replace(known, caveat=f"{known.caveat}; {error}".removeprefix("; "))
    return known if link is None else replace(known, account=link.login)


def _with_directories(known: Known, app: App | None, snapshot: Snapshot) -> Known:
    """The person with the answers of the application's directories that the file about the person omits."""
    findings, caveats = list(known.identity.findings), [known.caveat]
    told = {one.directory for one in findings}
    for directory in () if app is None else app.directories:
        if directory.name in told or not directory.takes(known.identity.provider):
            continue
        key = key_of(directory, known.identity, known.tenant)
        if isinstance(key, DirectoryFault):
            caveats.append(f"{directory.name} is not asked: {key.detail}")
            findings.append(unknown_of(directory, "found", 0))
            continue
        try:
            asked = ask(directory, key, directories_folder(snapshot.gateway))
        except GatewayError as error:
            caveats.append(f"{directory.name}: {error}")
            continue
        findings.append(asked.finding)
        caveats += (f"{directory.name}: {fault.detail}" for fault in asked.faults)
    caveat = "; ".join(filter(None, caveats))
    return replace(known, identity=replace(known.identity, findings=tuple(findings)), caveat=caveat)


# --- for people -------------------------------------------------------------------------------------------------------


def _as_text(explanation: Explanation, known: Known | None) -> Iterator[str]:
    tried = explanation.tried
    yield explanation.asked.text
    yield "as nobody" if known is None else f"as {known.identity.subject}, signed in with {known.identity.provider}"
    if known is not None and known.caveat:
        yield f"({known.caveat})"
    if tried.app is not None:
        if known is not None:
            yield from _looked_up(known, tried.app, explanation.now)
        yield from _as_asked(explanation, tried.app)
    yield from _table(explanation)
    yield ""
    yield "  ".join(part for part in (tried.outcome, tried.reason, _place(tried.rule)) if part)
    yield from _what_comes(tried)
    if explanation.moved_to:
        yield f"  the application receives the path {explanation.moved_to} (upstream.url)"
    if explanation.told_for:
        yield f"  the headers are those of {explanation.told_for} (translate.paths)"
    if explanation.rewriting is not None:
        yield from _rewritten(explanation.rewriting)
    if explanation.tunnel is not None:
        sites = ", ".join(("this application's own hosts", *explanation.tunnel.origins))
        yield f"  a WebSocket may be opened here from pages of {sites} (tunnel)"
    if explanation.keeps is not None:
        keeps = explanation.keeps
        yield "  a form or upload that arrives here after the end of the session is kept until the person sends it on:"
        yield f"    {keeps.largest} bytes at most, for {keeps.lasts} s (keep_posts)"
    for bound in explanation.bounds:
        rate, where = bound.rate, f" at {bound.app}" if bound.app else ""
        yield f"  beyond {rate.burst} at once and one each {rate.every:g} s, {_OF[bound.of]}{where} gets 429"
    for shadow in tried.shadows:
        yield ""
        yield f"a shadow, never enforced, says {'the same' if tried.same(shadow) else 'otherwise'}:"
        yield "  ".join(part for part in (shadow.outcome, shadow.reason, _place(shadow.rule)) if part)
        if not tried.same(shadow):
            yield from _what_comes(shadow)


def _as_asked(explanation: Explanation, app: App) -> Iterator[str]:
    """Yields the application, path and method for which rules are asked."""
    tried = explanation.tried
    other = "" if tried.other is None else f" or, in UTF-8, /{'/'.join(tried.other)}"
    yield f"to {app.name} ({app.file}), as path /{'/'.join(tried.segments)}{other}"
    if explanation.leniencies:
        yield f"read with the leniencies of its file (paths): {', '.join(explanation.leniencies)}"
    if tried.reaches:
        yield f"the request reaches more than its path, and rules decide on {', '.join(tried.reaches)}"
    if tried.facts.method not in ("", explanation.asked.method):
        yield f"rules decide on {tried.facts.method}, which the request names (method_override)"


def _looked_up(known: Known, app: App, now: float) -> Iterator[str]:
    """Yields the person's account, and the answer of each directory of the application with its age.

    `now`: the time of the request, in Unix seconds."""
    if app.account is not None:
        account = "no account" if known.account is None else f"the account {known.account}"
        yield f"with {account} of {app.name}"
    for finding in known.identity.findings:
        if finding.directory in [directory.name for directory in app.directories]:
            age = f", read {max(0, int(time.time()) - finding.at)} s ago" if finding.at else ""
            said = [f"{name} {', '.join(several)}" for name, several in finding.shown_values.items()]
            said += [in_words(term, now) for term in finding.terms]
            said += [f"{name} unknown" for name in finding.shown_unknown]
            yield f"with directory {finding.directory}{age}: {'; '.join(said) or 'no entry of this person'}"


def _words(refusal: Words) -> list[str]:
    """The refusal text for the person, a line for each language."""
    return [f"{language}: {text}" if language else text for language, text in by_language(refusal).items()]


def _what_comes(tried: Tried) -> Iterator[str]:
    said = (*_words(tried.refusal), tried.detail, _OUTCOMES.get(tried.outcome, ""))
    yield from (f"  {text}" for text in said if text)
    if tried.outcome == "logout" and tried.app is not None and tried.app.logout.url is not None:
        logout = tried.app.logout
        yield f"  the gateway calls the application to end its own session: {logout.method.upper()} {logout.url}"
    yield from _sent_lines("header", "{}: {}", tried.shown_headers)
    yield from _sent_lines("cookie", "{}={}", tried.cookies)
    yield from _sent_lines("not sent", "{}: {}", tried.unsent)
    if tried.outcome == "allow" and tried.app is not None:
        yield from _own_cookies(tried.app.edits.cookies)
    if tried.outcome == "allow" and not tried.headers and not tried.cookies:
        yield "  nothing is added to the request"


def _rewritten(rewriting: Rewriting) -> Iterator[str]:
    where = "heads and texts" if rewriting.bodies else "heads"
    yield f"  in the {where} of its responses, {rewriting.public} replaces"
    yield from (f"    {origin}" for origin in rewriting.internal)
    if rewriting.bodies:
        yield "  the application is asked for uncompressed responses (rewrite.bodies)"
    if rewriting.texts:
        yield f"  {rewriting.texts} text(s) of its pages are replaced (rewrite.texts)"


def _own_cookies(rules: CookieRules) -> Iterator[str]:
    if rules.hidden:
        every = f"all but {', '.join(rules.visible)}" if rules.visible else "all"
        which = every if ALL in rules.hidden else ", ".join(rules.hidden)
        yield f"  cookies of the application that the gateway keeps from browsers: {which} (cookies.hidden)"
    if rules.prefix:
        yield f"  in browsers the names of the application's cookies begin with {rules.prefix} (cookies.prefix)"


_OUTCOMES = {
    "refuse": "no rule decides and no application is reached",
    "own": "a page of the gateway itself: no application is reached",
    "logout": "an address of the application for signing out (logout.links): a person who comes here is signed out",
}


def _table(explanation: Explanation) -> Iterator[str]:
    if not explanation.rows:
        return
    yield ""
    cells = [_cells(row, explanation.tried.rule) for row in explanation.rows]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    for row, texts in zip(explanation.rows, cells, strict=True):
        padded = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
        say = f"{row.say} (shadow)" if row.shadow else row.say
        yield "  ".join((row.answer.ljust(_ANSWER_WIDTH), *padded, say, row.why)).rstrip()
        if row.step is not None:
            yield from _tree(row.step, 1)
    if explanation.others:
        yield f"{explanation.others} other rule(s) of this application do not match the path"


def _cells(row: Row, deciding: RuleRef | None) -> tuple[str, str, str, str]:
    mark = "~" if row.shadow else ">" if row.rule == deciding else " "
    return mark, _place(row.rule), row.rule.path, ", ".join(row.methods) or "all methods"


def _tree(step: TracedCondition, depth: int) -> Iterator[str]:
    why = f"  ({step.why})" if step.why else ""
    yield f"{' ' * _ANSWER_WIDTH}{'  ' * depth}   {_TRUTHS[step.truth]}: {step.text}{why}"
    for part in step.parts:
        yield from _tree(part, depth + 1)


def _sent_lines(kind: str, form: str, values: dict[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield f"  {kind} {form.format(name, value)}"


def _place(rule: RuleRef | None) -> str:
    return "" if rule is None else f"{rule.file}:{rule.line}"


# --- for programs -----------------------------------------------------------------------------------------------------


def _as_json(explanation: Explanation, known: Known | None) -> dict[str, object]:
    tried = explanation.tried
    return {
        "request": explanation.asked.text,
        "as": None if known is None else {"provider": known.identity.provider, "subject": known.identity.subject},
        "account": None if known is None else known.account,
        "directories": [] if known is None else [_finding_json(one) for one in known.identity.findings],
        "caveat": "" if known is None else known.caveat,
        "app": None if tried.app is None else tried.app.name,
        "path": None if tried.app is None else f"/{'/'.join(tried.segments)}",
        "path_in_utf8": None if tried.other is None else f"/{'/'.join(tried.other)}",
        "reaches": list(tried.reaches),
        "leniencies": list(explanation.leniencies),
        **tried_json(tried),
        "detail": tried.detail,
        "refusal": tried.refusal if isinstance(tried.refusal, str) else dict(tried.refusal),
        "keep_posts": None if explanation.keeps is None else asdict(explanation.keeps),
        "rewrite": None if explanation.rewriting is None else asdict(explanation.rewriting),
        "told_for": explanation.told_for,
        "moved_to": explanation.moved_to,
        "bounds": [asdict(bound) for bound in explanation.bounds],
        "tunnel": None if explanation.tunnel is None else asdict(explanation.tunnel),
        "rules": [_row_json(row) for row in explanation.rows],
        "other_rules": explanation.others,
        "shadows": [{**tried_json(shadow), "same": tried.same(shadow)} for shadow in tried.shadows],
    }


def _finding_json(finding: DirectoryFinding) -> dict[str, object]:
    values = {name: list(several) for name, several in finding.shown_values.items()}
    return {
        "directory": finding.directory,
        "state": finding.state,
        "values": values,
        "mandates": [asdict(term) for term in finding.terms],
        "unknown": finding.shown_unknown,
        "read_at": finding.at,
    }


def tried_json(tried: Tried) -> dict[str, object]:
    return {
        "decision": tried.outcome,
        "reason": tried.reason,
        "rule": rule_json(tried.rule),
        "headers": tried.headers,
        "sent_as": {name: one._asdict() for name, one in tried.sent_as.items()},
        "cookies": tried.cookies,
        "unsent": tried.unsent,
    }


def rule_json(rule: RuleRef | None) -> dict[str, object] | None:
    return None if rule is None else {"file": rule.file, "line": rule.line, "path": rule.path}


def _row_json(row: Row) -> dict[str, object]:
    return {
        "rule": rule_json(row.rule),
        "methods": list(row.methods),
        "say": row.say,
        "answer": row.answer,
        "why": row.why,
        "shadow": row.shadow,
        "condition": None if row.step is None else _step_json(row.step),
    }


def _step_json(step: TracedCondition) -> dict[str, object]:
    return {
        "text": step.text,
        "answer": _TRUTHS[step.truth],
        "why": step.why,
        "parts": [_step_json(part) for part in step.parts],
    }
