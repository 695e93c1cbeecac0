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
        "A socket that was passed to the gateway matches no listener, and was closed.",
    ),
    Event(
        "gateway.draining",
        "info",
        "The gateway is stopping: it finishes the requests under way and accepts no new ones.",
    ),
    Event("gateway.stopped", "info", "Every worker has left."),
    Event("gateway.fault", "error", "A fault of the gateway itself ended a request or a task; `detail` says where."),
    # configuration
    Event("config.loaded", "info", "Every worker has loaded a policy folder; `revision` is its hash."),
    Event(
        "config.refused",
        "error",
        "A policy folder was refused; the previous one stays live. If the files are valid, `code` gives the reason: "
        "config.hosts_gone, config.store_keys, config.directory.",
    ),
    Event(
        "config.partly",
        "error",
        "Wrong app files were left out: `kept` in their previous version, or `closed`, with the closed `hosts`.",
    ),
    Event(
        "config.deviation",
        "warning",
        "The live configuration is weaker than ANSSI's guides ask: `apps` receive LTPA2 tokens (lint EC357).",
    ),
    Event(
        "config.not_remembered",
        "warning",
        "The hosts of the app files could not be saved: after a restart, the hosts of an unreadable file are unknown.",
    ),
    # workers
    Event("worker.started", "info", "A worker process was started."),
    Event("worker.not_started", "error", "A worker process could not be started; the gateway tries again."),
    Event("worker.refused", "error", "A worker could not load the live configuration and was ended."),
    Event("worker.silent", "error", "A worker process did not answer for half a minute and was ended."),
    Event("worker.died", "error", "A worker process ended unexpectedly; a new one replaces it."),
    Event(
        "revocation.late",
        "warning",
        "A worker did not confirm the end of sessions in time; it reads the list of ended sessions.",
    ),
    Event(
        "revocation.unwritten",
        "error",
        "The store could not record the end of sessions. They have ended in this gateway; it will record the end by "
        "itself.",
    ),
    Event("revocation.written", "info", "The store has now recorded the delayed end of sessions."),
    Event(
        "revocation.lost",
        "error",
        "The gateway stopped before the store recorded the end of sessions: they may open again. End them again.",
    ),
    # tokens for applications
    Event(
        "tokens.key_made",
        "info",
        "A key to sign tokens for applications was created: `kid`. It is published before use.",
    ),
    Event(
        "tokens.key_not_kept",
        "error",
        "The keys that sign tokens could not be saved in the state folder: a restart will create new ones.",
    ),
    # sign-in and sessions
    Event("login.started", "info", "A person was sent to a provider."),
    Event("login.succeeded", "info", "A person signed in; a session was made, for `tenant` and with `sign_in_level`."),
    Event("login.refused", "warning", "A sign-in was refused; `code` says why."),
    Event(
        "saml.second_opinion",
        "warning",
        "The second implementation refuses an accepted SAML response, or could not check it: `verdict` says which, "
        "`theirs` why. `ours` gives the grounds of acceptance.",
    ),
    Event(
        "post.kept", "info", "A form arrived after the end of its session: it is kept until the person signs in again."
    ),
    Event("post.returned", "info", "No part of a kept form reached the application: the person can send it again."),
    Event("post.sent", "info", "A kept form was sent to the application."),
    Event("handover.refused", "warning", "A hand-over code was refused and is used up; `code` says why."),
    Event(
        "refresh.ended",
        "info",
        "A session ended because a provider or a directory no longer knows the person; `code` says why.",
    ),
    Event(
        "refresh.failed",
        "warning",
        "A provider could not be asked whether a session continues; the gateway asks again.",
    ),
    Event("tokens.not_revoked", "warning", "A refresh token could not be revoked at its provider."),
    Event("logout", "info", "A browser signed out; all its sessions have ended."),
    Event("session.limited", "info", "A person reached the limit of sessions: the oldest `sessions` have ended."),
    Event(
        "session.others_ended",
        "info",
        "In the browser of `person`, another person (`by`) signed in, or the same person for another organisation: "
        "`sessions` of `person` have ended.",
    ),
    Event("logout.provider", "info", "A provider, or a directory, ended `sessions` of a `person`."),
    Event("logout.operator", "info", "An `operator` ended `sessions` of a `person`; one line for each person."),
    Event(
        "directory.refresh",
        "info",
        "An `operator` ordered a new look-up of a `person` with this many `sessions`, or of all people.",
    ),
    Event("logout.application", "warning", "The sign-out call to an application failed."),
    Event("logout.refused", "warning", "A sign-out was refused; `code` says why."),
    Event("provider.unreachable", "error", "A provider's metadata, keys or tokens could not be fetched."),
    Event(
        "provider.away",
        "error",
        "A provider no longer answers the gateway's checks; `detail` says how. People are warned before they are "
        "sent there.",
    ),
    Event("provider.back", "info", "A provider that was away answers again, or a person came back from it."),
    Event(
        "provider.gone",
        "error",
        "An MDQ service no longer knows a provider, which is disabled until the service knows it again.",
    ),
    Event(
        "provider.unwritten",
        "error",
        "A provider's metadata could not be saved: the disk is full, or the state folder is not writable. The "
        "previous metadata serve until they expire.",
    ),
    Event(
        "provider.logo",
        "warning",
        "The logo in a provider's metadata could not be fetched or read: people see only the name. Logged once.",
    ),
    Event(
        "provider.stale", "warning", "A provider's metadata or keys could not be renewed; the last valid ones are used."
    ),
    # requests
    Event("request.refused", "info", "A request was refused by its form or a limit; `code` says why."),
    Event(
        "connections.refused",
        "warning",
        "Connections beyond a limit, or without a valid PROXY header, were closed; at most a line a minute.",
    ),
    Event(
        "requests.limited",
        "warning",
        "Requests exceeded a rate and were answered 429; at most a line a minute for each rate.",
    ),
    Event("descriptors.exhausted", "error", "The process has no free file descriptor; at most a line a minute."),
    Event("descriptors.few", "warning", "The process may open fewer files than limits.connections needs."),
    Event("access", "info", "A request was answered. Only with `access_log: true`."),
    Event("access.denied", "info", "Policy refused a request; `code`, `rule` and `revision` say why."),
    Event("policy.shadow", "info", "A shadow decides differently from `live_rule`; logged once for each difference."),
    Event("tunnel.broken", "warning", "One side of a WebSocket sent an invalid frame: the gateway closed both sides."),
    Event(
        "upstream.failed", "error", "An application could not be reached or sent an invalid answer; `code` says how."
    ),
    Event("buffer.failed", "warning", "Bodies cannot be buffered on the disk: they go at the pace of the slower side."),
    Event(
        "upstream.busy",
        "warning",
        "An application was at its limit of requests; at most a line a minute for each application.",
    ),
    Event("upstream.out", "warning", "An address of an application failed: it receives no requests for `seconds`."),
    Event(
        "upstream.unhealthy",
        "warning",
        "An address of an application failed its health check: it receives no requests.",
    ),
    Event(
        "upstream.deviation",
        "warning",
        "The connection to an application uses a weakness that its file allows: `how`. Logged once for each worker, "
        "and again after a change of the file.",
    ),
    Event(
        "text.charset",
        "warning",
        "A rewritten text is not in its declared charset: `said` is the declared one, `found` the real one. Its "
        "addresses are rewritten all the same; at most a line a minute for each application.",
    ),
    Event("upstream.in", "info", "An address of an application that was out answers again."),
    # stores
    Event("state.unwritable", "error", "The state folder cannot be written at the start: it is full or read-only."),
    Event(
        "store.unreachable",
        "error",
        "The session store does not answer; requests that need a session are answered 503.",
    ),
    Event(
        "store.grace",
        "warning",
        "The session store is away: for `seconds`, people whom this worker remembers go on; nobody signs in or out.",
    ),
    Event(
        "store.grace_over", "error", "The session store is away for longer than store.grace: no session is accepted."
    ),
    Event("store.recovered", "info", "The session store answers again, without an error for two seconds."),
    Event(
        "store.set_aside",
        "error",
        "The session store was deleted, emptied or damaged. `kept` names the old file; a new store serves, and "
        "everybody has to sign in again.",
    ),
    Event(
        "store.replaced",
        "warning",
        "Another database replaced the session store: people without a session in it are signed out.",
    ),
    Event(
        "store.lacks",
        "warning",
        "The settings of the session store's server allow data loss; `detail` says what to set.",
    ),
    Event(
        "store.unreadable",
        "warning",
        "Stored records cannot be decrypted or read; `detail` says why. Each cause is logged once an hour.",
    ),
    Event("clock.stepped", "warning", "The machine's clock moved by `seconds`; sessions end by the new time."),
    # accounts
    Event("account.unreadable", "error", "The account links cannot be read: applications that need one are closed."),
    Event("account.linked", "info", "A person, or an `operator`, linked the person's account in an application."),
    Event(
        "account.unlinked",
        "info",
        "A person, or an `operator`, removed the link with the person's account in an application.",
    ),
    Event(
        "account.asked",
        "info",
        "A person asked for their account in an application; `account_request` is the reference.",
    ),
    Event("account.recovered", "info", "The account links can be read again."),
    # directories
    Event(
        "directory.read",
        "info",
        "A file of a directory was read again: it has `rows` rows, and `keyless` of them have no complete key.",
    ),
    Event("directory.unreadable", "error", "A file of a directory cannot be read, or is wrong: `detail` says how."),
    Event(
        "directory.away",
        "error",
        "A directory could not be asked about a person; `code` and `detail` say why. The setting `away` in its file "
        "decides what follows.",
    ),
    Event(
        "organisations.read", "info", "The tables of organisations were read again: `rows` organisations can be found."
    ),
    Event(
        "organisations.unreadable",
        "error",
        "A table of organisations cannot be read, or is wrong: `detail` says how. The search uses the previous table.",
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
        "An attribute of a person in a directory is invalid and counts as unknown; `code` and `detail` name the "
        "column, never a value.",
    ),
    # reports of SCIM directories
    Event(
        "scim.told",
        "info",
        "A directory (`client_name`) changed a `user` by SCIM: `what` is the change, `person` the pseudonym.",
    ),
    Event("scim.refused", "warning", "A SCIM request, of a directory or a stranger, was refused; `code` says why."),
    # the log itself
    Event(
        "log.dropped",
        "warning",
        "Log lines were lost, because nobody reads them or the disk is full; `lines` says how many.",
    ),
    Event("log.unknown_event", "error", "An event that is missing in this table; `unknown` is its name."),
)

EVENTS: Mapping[str, Event] = {event.id: event for event in _TABLE}
