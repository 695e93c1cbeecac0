"""Of connections, tunnels, upstreams, seats and the store, and of what applications are told: invariants 4, 6, 8, 12,
15 and 16."""

from tests.mutations.defence import Defence

_UPGRADE, _ADMISSION, _RENDER, _PREPARATION = (
    "proxy/upgrade.py",
    "proxy/admission.py",
    "translation/render.py",
    "access/preparation.py",
)
_PACING = "proxy/pacing.py"
_PROXY, _PROXIES = "wire/proxy_protocol.py", "test_proxy_protocol.py"
_SOCKETS = "ops/unix_sockets.py"
_LENIENT = "wire/lenient_heads.py"
_SEALING, _SESSIONS, _SEATS, _TRUST = "stores/sealing.py", "stores/sessions.py", "stores/seats.py", "stores/trust.py"

DEFENCES = (
    # --- tunnels
    Defence(
        "tunnels that the file does not name",
        _UPGRADE,
        "if app.tunnel is None or protocol",
        "proxy/test_tunnel.py",
        "if app.tunnel is not None and protocol",
    ),
    Defence(
        "a tunnel of another origin",
        _UPGRADE,
        "if not (text in listed or _is_own(text, app, snapshot)):",
        "proxy/test_tunnel.py",
    ),
    Defence(
        "a tunnel by cookie without Origin",
        _UPGRADE,
        "request.seat is not None and request.seat.cookie",
        "proxy/test_tunnel.py",
    ),
    Defence("bytes before the answer", _UPGRADE, "if behind:", "proxy/test_tunnel.py"),
    Defence("a 101 unasked", _UPGRADE, "if UPGRADE not in request.rare:", "proxy/test_tunnel.py"),
    Defence("a 101 with a body", _UPGRADE, "response.rare.keys() & _FRAMED", "proxy/test_tunnel.py"),
    Defence(
        "a tunnel outlives no seat",
        "proxy/tunnel.py",
        "if self.seat is not None and not self.seat.live:",
        "proxy/test_tunnel.py",
    ),
    Defence(
        "a tunnel outlives no absolute end",
        "proxy/tunnels.py",
        "if now >= seat.hard_deadline:",
        "proxy/test_tunnel.py",
    ),
    # --- who stands still
    Defence(
        "no more is read than its client takes",
        _PACING,
        "self.view = _MEMORY[: room(to)]",
        "proxy/test_pacing.py",
        "self.view = _MEMORY",
    ),
    Defence(
        "full as soon as anything waits", _PACING, "high=SMALL if tls else 1", "proxy/test_pacing.py", "high=1 << 20"
    ),
    Defence(
        "TLS below which much would wait",
        _PACING,
        "if self._waits or self._room.wait(descriptor, self):",
        "proxy/test_pacing.py",
    ),
    Defence(
        "much of TLS at once",
        "proxy/tls_reading.py",
        "tls.get_buffer(_AT_ONCE)[:_AT_ONCE]",
        "proxy/test_pacing.py",
        "tls.get_buffer(_AT_ONCE)",
    ),
    Defence(
        "what waits below TLS",
        _PACING,
        "high=_LITTLE_BELOW if lags else _BELOW",
        "proxy/test_pacing.py",
        "high=_BELOW",
    ),
    Defence(
        "who says goodbye in a tunnel by TLS",
        "proxy/tunnel.py",
        "if isinstance(self.transport, PacedTls):",
        "proxy/test_pacing.py",
    ),
    Defence(
        "who says goodbye by TLS",
        "proxy/reading.py",
        "if self.upstream is not None and isinstance(self.transport, PacedTls):",
        "proxy/test_pacing.py",
    ),
    # --- bodies that wait
    Defence(
        "no more waits than the file says",
        "proxy/buffers/held.py",
        "self.is_closed or self.size >= self._most",
        "proxy/buffers/test_responses.py",
        "self.is_closed",
    ),
    Defence(
        "no application takes all the room",
        "proxy/buffers/room.py",
        "self._settings().in_all - self._held",
        "proxy/buffers/test_responses.py",
        "self._settings().in_all",
    ),
    Defence(
        "half a body behind which another request would go",
        "proxy/buffers/gathered.py",
        "        return self.body_is_sent\n",
        "proxy/buffers/test_gathered.py",
        "        return True\n",
    ),
    Defence(
        "who left while their body was gathered",
        "proxy/buffers/gathering.py",
        "if isinstance(outcome, Forward):",
        "proxy/buffers/test_gathered.py",
        "if outcome:",
    ),
    Defence(
        "a disk that would be full",
        "proxy/buffers/room.py",
        "if free.f_bavail * free.f_frsize < size + _LEFT_FREE:",
        "proxy/buffers/test_held.py",
    ),
    # --- connections and admission
    Defence(
        "connections of one client",
        _ADMISSION,
        "if count > (most or limits.connections_per_client) and",
        "proxy/test_admission.py",
        "if False and",
    ),
    Defence("connections of all", _ADMISSION, "if self.held >= limits.connections:", "proxy/test_admission.py"),
    Defence(
        "a body over its limit",
        "proxy/walk.py",
        "elif 0 < limits.body < framing:",
        "proxy/test_invariants.py proxy/test_dataplane.py",
        "elif False:",
    ),
    Defence(
        "PROXY protocol from elsewhere",
        "server/acceptors.py",
        "if self._proxies and not self._is_proxy(peer):",
        "proxy/test_proxy_protocol.py",
    ),
    Defence(
        "limits of the client whom PROXY protocol tells of",
        "server/acceptors.py",
        "entered = self._keeper.enter(told.peer, connection.fileno())",
        "proxy/test_proxy_protocol.py",
        "entered = self._keeper.enter(peer, connection.fileno())",
    ),
    Defence(
        "a header of PROXY protocol that is none", _PROXY, "if not head.startswith(_SIGNATURE):", f"wire/{_PROXIES}"
    ),
    Defence("addresses that no client has", _PROXY, "source.is_unspecified or source.is_multicast", f"wire/{_PROXIES}"),
    Defence("a header that is cut", _PROXY, "if len(value) < length:", f"wire/{_PROXIES}"),
    Defence(
        "a header that does not come",
        "server/proxy_header.py",
        "async with asyncio.timeout(_LONGEST_WAIT):",
        "proxy/test_proxy_protocol.py",
        "async with asyncio.timeout(None):",
    ),
    Defence(
        "a connection that was announced as one client's is no other's",
        "proxy/upstream/pool.py",
        "0 if upstream.announces else _MOST_IDLE",
        "proxy/upstream/test_announced.py",
        "_MOST_IDLE",
    ),
    # --- responses
    Defence("a socket behind a link", _SOCKETS, "if stat.S_ISLNK(found.st_mode):", "ops/test_unix_sockets.py"),
    Defence(
        "our own socket under another name",
        _SOCKETS,
        "(own.st_dev, own.st_ino) == (found.st_dev, found.st_ino)",
        "ops/test_unix_sockets.py",
    ),
    Defence("sockets below the state folder", _SOCKETS, 'real.startswith(above + "/")', "ops/test_unix_sockets.py"),
    Defence(
        "a socket beyond a fence",
        "config/check/teams.py",
        "if socket is not None and not fence.holds_socket(socket):",
        "config/check/test_teams.py",
    ),
    Defence(
        "a socket in no listed folder",
        "config/check/app.py",
        "folder_of(socket, gateway.sockets) is not None",
        "config/check/test_sockets.py",
        "True",
    ),
    Defence(
        "an open socket beyond a new fence",
        "proxy/upstream/pool.py",
        "return not fence.holds_socket(self.upstream.socket.path)",
        "proxy/upstream/test_unix.py",
        "return False",
    ),
    Defence("what follows a fault of framing", _LENIENT, "if closes:", "proxy/upstream/test_lenient.py"),
    Defence(
        "lines that could tell a length",
        _LENIENT,
        "not any(name in letters for name in _FRAMING_NAMES)",
        "wire/test_lenient_heads.py",
        "True",
    ),
    Defence(
        "a head of thousands of lines",
        _LENIENT,
        "if number > HEAD_LINES:",
        "proxy/http1/test_response_head.py",
    ),
    Defence(
        "more hidden cookies than a jar holds",
        "proxy/hidden_cookies.py",
        "if len(hidden) > MOST_COOKIES:",
        "proxy/test_hidden_cookies.py",
    ),
    Defence(
        "changes of a jar that it has no room for",
        "proxy/hidden_cookies.py",
        "if key in room",
        "proxy/test_hidden_cookies.py",
        "",
    ),
    Defence("an interim response with a fault", _LENIENT, "if _INTERIM.match(status):", "wire/test_lenient_heads.py"),
    Defence(
        "a head of any length",
        "proxy/upstream/lenient.py",
        "if not end and len(data) > self.longest_head:",
        "proxy/upstream/test_lenient.py",
    ),
    *(
        Defence(
            f"{name} unless it is named", _LENIENT, f'if "{name}" in accepts', "wire/test_lenient_heads.py", "if True"
        )
        for name in ("odd_status", "line_without_colon", "zero_padded_length", "chunked_1_0")
    ),
    Defence(
        "streams outlive no seat", "proxy/lasting.py", "if now >= seat.hard_deadline:", "slow proxy/test_lasting.py"
    ),
    # --- TLS on both sides
    Defence(
        "our certificate before theirs is judged",
        "ops/upstream_tls.py",
        "if shown := _shown_so_far(self):",
        "proxy/upstream/test_tls.py",
        "if (shown := _shown_so_far(self)) and False:",
    ),
    Defence(
        "authorities are those of its own file",
        "ops/upstream_tls.py",
        "upstream.host, upstream.ca, upstream.tls)",
        "ops/test_upstream_tls.py",
        "upstream.host, None, upstream.tls)",
    ),
    Defence(
        "plain http beside https",
        "config/schema/gateway.py",
        'return "https" if beside and',
        "config/compile/test_compiler.py",
        'return "https" if False and',
    ),
    Defence(
        "a listener that leads to https",
        "proxy/walk.py",
        'elif self.redirects != "nothing" and',
        "proxy/test_redirect.py",
        "elif False and",
    ),
    Defence(
        "no HSTS for a host that goes back to http",
        "proxy/lane.py",
        "self.is_secure and (app is None or not app.responses.end_hsts)",
        "proxy/test_redirect.py",
        "self.is_secure",
    ),
    # --- what applications are told
    Defence(
        "more than fits",
        _RENDER,
        "if size > self.budget:",
        "translation/test_render.py translation/test_read_back.py proxy/test_prepared.py",
    ),
    Defence(
        "a value over its length",
        _RENDER,
        "if spec.length is not None and len(value) > spec.length:",
        "translation/test_render.py translation/test_read_back.py",
    ),
    Defence(
        "what no cookie can hold",
        _RENDER,
        "isinstance(spec, CookieSpec) and not _COOKIE_OCTETS.fullmatch(value)",
        "translation/test_render.py translation/test_read_back.py",
    ),
    Defence(
        "separators in values",
        _RENDER,
        "if escape is None and any(byte in separators for byte in value):",
        "translation/test_render.py translation/test_read_back.py",
    ),
    Defence(
        "a backslash hides a separator",
        _RENDER,
        'if value.endswith(b"\\\\"):',
        "translation/test_render.py translation/test_read_back.py",
    ),
    Defence(
        "several values and no join",
        _RENDER,
        "        if len(values) > 1:\n"
        '            raise GatewayError(translation_codes.SEVERAL, f"{len(values)} values and',
        "translation/test_render.py translation/test_read_back.py",
        '        if False:\n            raise GatewayError(translation_codes.SEVERAL, f"{len(values)} values and',
    ),
    Defence(
        "two names that one server folds",
        _RENDER,
        "if folded in seen:",
        "translation/test_render.py translation/test_read_back.py",
    ),
    Defence(
        "names that the gateway writes",
        _RENDER,
        "if folded in _RESERVED or folded.startswith(_RESERVED_PREFIXES):",
        "translation/test_render.py translation/test_read_back.py",
    ),
    Defence(
        "our cookies are not injected",
        _RENDER,
        "if folded.startswith(_OUR_COOKIES):",
        "translation/test_render.py translation/test_read_back.py",
    ),
    Defence(
        "a token past its end, by the wall clock",
        _PREPARATION,
        " or self._wall() >= kept.made.ends",
        "access/test_preparation.py proxy/test_application_tokens.py proxy/test_prepared.py",
        "",
    ),
    Defence(
        "a token past its end",
        _PREPARATION,
        "now >= kept.until or ",
        "access/test_preparation.py proxy/test_application_tokens.py proxy/test_prepared.py",
        "",
    ),
    Defence(
        "another identity's token",
        _PREPARATION,
        "kept.identity is not identity or ",
        "access/test_preparation.py proxy/test_application_tokens.py proxy/test_prepared.py",
        "",
    ),
    Defence(
        "prepared over the budget",
        _PREPARATION,
        "if size > app.translation.budget:",
        "access/test_preparation.py proxy/test_application_tokens.py proxy/test_prepared.py",
    ),
    # --- seats and the store
    Defence(
        "a seat of another host",
        _SESSIONS,
        "if seat is None or seat.host != host:",
        "stores/test_sessions.py stores/test_invariants.py",
        "if seat is None:",
    ),
    Defence(
        "a seat past its end",
        _SESSIONS,
        "if now >= seat.deadline or not seat.live:",
        "stores/test_sessions.py stores/test_invariants.py",
        "if not seat.live:",
    ),
    Defence(
        "records are bound to what they are",
        _SEALING,
        "return join(head, binding.kind.encode(), binding.id.encode(), binding.host.encode())",
        "stores/test_sealing.py",
        "return join(head, binding.id.encode(), binding.host.encode())",
    ),
    Defence(
        "records are bound to their place",
        _SEALING,
        "return join(head, binding.kind.encode(), binding.id.encode(), binding.host.encode())",
        "stores/test_sealing.py",
        "return join(head, binding.kind.encode(), binding.host.encode())",
    ),
    Defence(
        "records are bound to their host",
        _SEALING,
        "return join(head, binding.kind.encode(), binding.id.encode(), binding.host.encode())",
        "stores/test_sealing.py",
        "return join(head, binding.kind.encode(), binding.id.encode())",
    ),
    Defence("store keys that are too short", _SEALING, "if len(secret) < _LEAST_SECRET:", "stores/test_sealing.py"),
    Defence(
        "an ended session stays ended",
        _SEATS,
        "            self.ended[id] = moment\n",
        "stores/test_seats.py stores/test_sessions.py",
        "",
    ),
    Defence(
        "an end reaches seats that were dropped",
        _SEATS,
        "                del self._by_session[seat.session_id]\n            self._dropped.add(seat)\n",
        "stores/test_seats.py stores/test_sessions.py",
        "                del self._by_session[seat.session_id]\n",
    ),
    Defence(
        "an end reaches seats that are too large to keep",
        _SEATS,
        "            self._dropped.add(seat)\n            return\n",
        "stores/test_seats.py",
        "            return\n",
    ),
    Defence(
        "memory is trusted for a second",
        _TRUST,
        "self._known_at, self.until = moment, moment + TRUSTED_FOR",
        "stores/test_trust.py",
        'self._known_at, self.until = moment, float("inf")',
    ),
    Defence(
        "the grace ends",
        _TRUST,
        "return self.is_away and now < self._known_at + min(self._grace, own)",
        "stores/test_trust.py",
        "return self.is_away",
    ),
    Defence(
        "the grace is for a store that is away",
        _TRUST,
        "return self.is_away and now < self._known_at + min(self._grace, own)",
        "stores/test_trust.py",
        "return now < self._known_at + min(self._grace, own)",
    ),
    Defence(
        "a ticket works once, in memory",
        "stores/tickets.py",
        "return self._unsealed(id, key, await self._store.take_ticket(key, self._now(), ends=self._ends))",
        "stores/test_transactions.py stores/test_conformance.py",
        "return self._unsealed(id, key, await self._store.peek_ticket(key, self._now()))",
    ),
    Defence(
        "what works once",
        "stores/tickets.py",
        "return all(await asyncio.gather(*(self._store.perform([write], now) for write in writes)))",
        "portal/saml/test_sign_in.py",
        "return True",
    ),
    Defence(
        "no rounds without end",
        "stores/tickets.py",
        "if rounds >= most_rounds:",
        "portal/flow/test_enter.py portal/flow/test_start.py",
    ),
)
