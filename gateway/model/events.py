"""The one table of log events. An id is never renamed nor reused once released: alerts are built on it.

`level`: "info" is the normal life, "warning" wants a look, "error" wants a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    level: Level
    meaning: str


_TABLE = (
    # the program
    Event("gateway.started", "info", "The listeners are bound and the workers are being started."),
    Event(
        "gateway.beside",
        "warning",
        "Another gateway has this state folder, too: `ecluse reload` asks the newest.",
    ),
    Event("gateway.succeeded", "info", "Every worker serves: the gateway that ran before was told to leave, and did."),
    Event(
        "gateway.socket_unused",
        "warning",
        "A socket that was bound for the gateway is none of its listeners, and was closed.",
    ),
    Event("gateway.draining", "info", "Told to stop: nothing new is accepted, what is under way is finished."),
    Event("gateway.stopped", "info", "Every worker has left."),
    Event("gateway.fault", "error", "A fault of the gateway itself ended a request or a task; `detail` says where."),
    # configuration
    Event("config.loaded", "info", "A policy folder was taken into every worker; `revision` is its hash."),
    Event(
        "config.refused",
        "error",
        "A policy folder was refused; the one before it stays live, whole. `code` where its files are right:"
        " config.hosts_gone, config.store_keys, config.directory.",
    ),
    Event(
        "config.partly",
        "error",
        "Wrong app files were left out: `kept` as they were, or `closed`, with the `hosts` that are closed by it.",
    ),
    Event(
        "config.deviation",
        "warning",
        "What is live is weaker than ANSSI's guides ask for: `apps` are sent LTPA2 tokens (lint EC357).",
    ),
    Event(
        "config.not_remembered",
        "warning",
        "The hosts of the app files could not be written down: the next start knows none of an unreadable file.",
    ),
    # workers
    Event("worker.started", "info", "A worker process was started."),
    Event("worker.not_started", "error", "A worker process could not be started; it is tried again."),
    Event("worker.refused", "error", "A worker could not take the live configuration and was ended."),
    Event("worker.silent", "error", "A worker process did not answer for half a minute and was ended."),
    Event("worker.died", "error", "A worker process ended by itself; another takes its place."),
    Event("revocation.late", "warning", "A worker did not confirm the end of sessions in time; it reads their list."),
    Event(
        "revocation.unwritten",
        "error",
        "The store could not take the end of sessions: they have ended in this gateway, and it is written by itself.",
    ),
    Event("revocation.written", "info", "The end of sessions that the store could not take before is written."),
    Event(
        "revocation.lost",
        "error",
        "The gateway stopped before the store took the end of sessions: they may open again. End them anew.",
    ),
    # tokens for applications
    Event("tokens.key_made", "info", "A key to sign tokens for applications was made: `kid`; it is published first."),
    Event(
        "tokens.key_not_kept",
        "error",
        "The keys that sign tokens could not be written to the state folder: a restart has others.",
    ),
    # sign-in and sessions
    Event("login.started", "info", "A person was sent to a provider."),
    Event("login.succeeded", "info", "A person signed in; a session was made, for `tenant` and with this `level`."),
    Event("login.refused", "warning", "A sign-in was refused; `code` says why."),
    Event(
        "saml.second_opinion",
        "warning",
        "Another implementation refuses a SAML response that was accepted, or could not look at it: `verdict` and"
        " `theirs` say which and why, `ours` on what grounds it was accepted.",
    ),
    Event("post.kept", "info", "A form whose session had ended is kept until its person has signed in again."),
    Event("post.returned", "info", "Nothing of a kept form was sent on after all; its person can ask for it again."),
    Event("post.sent", "info", "A form that was kept across a sign-in was sent on to the application."),
    Event("handover.refused", "warning", "A hand-over code was refused and burnt; `code` says why."),
    Event(
        "refresh.ended",
        "info",
        "A provider, or a directory, no longer knows the person of a session, which has ended; `code` says why.",
    ),
    Event("refresh.failed", "warning", "A provider could not be asked whether a session stands; it is asked again."),
    Event("tokens.not_revoked", "warning", "A provider could not be told that a refresh token is of no more use."),
    Event("logout", "info", "A browser signed out; every session of it has ended."),
    Event("session.limited", "info", "A person signed in once too often: `sessions` of them, the oldest, have ended."),
    Event(
        "session.others_ended",
        "info",
        "Somebody (`by`) signed in in a browser where `person` was, or the same one for another organisation:"
        " `sessions` of `person` have ended.",
    ),
    Event("logout.provider", "info", "A provider, or a directory, ended `sessions` of a `person`."),
    Event("logout.operator", "info", "An `operator` ended `sessions` of a `person`; one line for each."),
    Event("directory.refresh", "info", "An `operator` had a `person` looked up again, of so many `sessions`; or all."),
    Event("logout.application", "warning", "An application could not be told that a session has ended."),
    Event("logout.refused", "warning", "A sign-out was refused; `code` says why."),
    Event("provider.unreachable", "error", "A provider's metadata, keys or tokens could not be had."),
    Event(
        "provider.away",
        "error",
        "A provider has stopped answering our looks; `detail` says how. People are warned before they are sent there.",
    ),
    Event("provider.back", "info", "A provider that was away answers again, or somebody came back from it."),
    Event("provider.gone", "error", "An MDQ service no longer has a provider, which is disabled until it does again."),
    Event(
        "provider.unwritten",
        "error",
        "A provider's metadata could not be kept: the disk is full, or the state folder is not writable. What was had "
        "before serves until its end.",
    ),
    Event(
        "provider.logo",
        "warning",
        "The logo that a provider's metadata name could not be had or read: people see the name alone. Told once.",
    ),
    Event("provider.stale", "warning", "A provider's metadata or keys could not be renewed; the last good ones serve."),
    # requests
    Event("request.refused", "info", "A request was refused by its form or a limit; `code` says why."),
    Event(
        "connections.refused",
        "warning",
        "Connections beyond a limit, or not as PROXY protocol has them, were closed; at most a line a minute.",
    ),
    Event(
        "requests.limited",
        "warning",
        "Requests came more often than a file allows, and were answered 429; at most a line a minute for each.",
    ),
    Event("descriptors.exhausted", "error", "No file could be opened any more; at most a line a minute says so."),
    Event("descriptors.few", "warning", "The process may open fewer files than limits.connections would need."),
    Event("access", "info", "A request was answered. Only with `access_log: true`."),
    Event("access.denied", "info", "Policy refused a request; `code`, `rule` and `revision` say why."),
    Event("policy.shadow", "info", "A shadow would answer otherwise than `live_rule`; told once for each difference."),
    Event("tunnel.broken", "warning", "One side of a WebSocket sent what is no frame: both were told, and it ended."),
    Event("upstream.failed", "error", "An application could not be reached or answered wrongly; `code` says how."),
    Event("buffer.failed", "warning", "Bodies cannot wait on the disk, and go at the pace of the slower side."),
    Event("upstream.busy", "warning", "An application had more to do than it may; at most a line a minute for each."),
    Event("upstream.out", "warning", "An address of an application failed: it gets nothing for `seconds`."),
    Event("upstream.unhealthy", "warning", "An address of an application failed its health check: it gets nothing."),
    Event(
        "upstream.deviation",
        "warning",
        "An application is reached in a way that its file allows and that is less "
        "than safe: `how`. Once for each worker, and again after a change of its file.",
    ),
    Event(
        "text.charset",
        "warning",
        "A text that is rewritten is not in the charset that is said of it: `said` and `found` name them. It goes on"
        " all the same, its addresses changed; at most a line a minute for each application.",
    ),
    Event("upstream.in", "info", "An address of an application that was out answers again."),
    # stores
    Event("state.unwritable", "error", "The state folder cannot be written at the start: full, or read-only for now."),
    Event("store.unreachable", "error", "The session store cannot say; what needs a session is answered 503."),
    Event(
        "store.grace",
        "warning",
        "The session store is away: for `seconds` more, people whom this worker holds go on; nobody signs in or out.",
    ),
    Event("store.grace_over", "error", "The session store is away for longer than store.grace: no session is let in."),
    Event("store.recovered", "info", "The session store answers again: nothing of it has failed for two seconds."),
    Event(
        "store.set_aside",
        "error",
        "The session store was deleted, emptied or damaged: `kept` is what there was, a new one serves, and everybody"
        " signs in again.",
    ),
    Event("store.replaced", "warning", "Another database took the session store's place: who is not in it is out."),
    Event(
        "store.lacks", "warning", "The session store's server is set so that it may forget; `detail` says what to set."
    ),
    Event(
        "store.unreadable",
        "warning",
        "Stored records do not open, `detail` says why; each cause is told once an hour.",
    ),
    Event("clock.stepped", "warning", "The machine's clock was set, by `seconds`; sessions end by the new time."),
    # accounts
    Event("account.unreadable", "error", "The account links cannot be read: applications that ask for one are closed."),
    Event("account.linked", "info", "A person linked their own account of an application, or an `operator` did."),
    Event(
        "account.unlinked",
        "info",
        "A person took their link with an account of an application back, or an `operator` did.",
    ),
    Event(
        "account.asked",
        "info",
        "A person asked for their account of an application, by `account_request`.",
    ),
    Event("account.recovered", "info", "The account links can be read again."),
    # directories
    Event(
        "directory.read",
        "info",
        "A file of a directory was read anew: `rows`, of which `keyless` lack a part of their key.",
    ),
    Event("directory.unreadable", "error", "A file of a directory cannot be read, or is wrong: `detail` says how."),
    Event(
        "directory.away",
        "error",
        "A directory could not say anything of a person, for the reason that `code` and `detail` say; `away` of its"
        " file says what then.",
    ),
    Event("organisations.read", "info", "The tables of organisations were read anew: `rows` of them can be found."),
    Event(
        "organisations.unreadable",
        "error",
        "A table of organisations cannot be read, or is wrong: `detail` says how. What was read last is searched.",
    ),
    Event(
        "organisations.unsearched",
        "error",
        "Organisations cannot be searched, `detail` says why: people are shown the sign-in services instead.",
    ),
    Event("directory.recovered", "info", "A directory answers again."),
    Event(
        "directory.fault",
        "warning",
        "What a directory said of a person is wrong, and is unknown now; `code` and `detail` say which column, never"
        " a value.",
    ),
    # what directories tell by themselves
    Event(
        "scim.told",
        "info",
        "A directory (`client_name`) told of a `user` by SCIM: `what` became of them, and of which `person`.",
    ),
    Event("scim.refused", "warning", "What a directory told by SCIM, or a stranger, was refused; `code` says why."),
    # the log itself
    Event("log.dropped", "warning", "Lines were lost: unread, or not to be written; `lines` says how many."),
    Event("log.unknown_event", "error", "An event that is not in this table; `unknown` is what it was called."),
)

EVENTS: Mapping[str, Event] = {event.id: event for event in _TABLE}
