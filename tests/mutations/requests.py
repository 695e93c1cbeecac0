"""Of requests and responses as bytes, and of what is decided about them: invariants 1 to 4, 10, 11 and 13."""

from tests.mutations.defence import Defence

_TARGET, _HEADERS, _COOKIES = "wire/target.py", "wire/headers.py", "wire/cookies.py"
_FRAMING, _GUARD, _FENCES = "wire/framing.py", "wire/response_guard.py", "wire/fences.py"
_KNOWN_QUESTIONS = "proxy/test_known_questions.py"

DEFENCES = (
    # --- one reading of host and path
    Defence("dot segments", _TARGET, 'or data.partition(b";")[0] in {b".", b".."}', "wire/test_target.py", ""),
    Defence("encoded separators, second layers", _TARGET, "_SPLITS.search(checked) is not None", "wire/test_target.py"),
    Defence("empty segments", _TARGET, "if not leniency.merge_slashes:", "wire/test_target.py"),
    Defence("overlong UTF-8", _TARGET, "_OVERLONG.search(data) is not None", "wire/test_target.py"),
    Defence("sessions of ASP.NET in the path", _TARGET, "_LIKE_COOKIELESS.match(compatible)", "wire/test_target.py"),
    Defence("sessions of SAP in the path", _TARGET, "if _LIKE_MANGLED.match(compatible):", "wire/test_target.py"),
    Defence("Zope's other root", _TARGET, "if text in _ZOPE:", "wire/test_target.py"),
    Defence("addresses back: two slashes", _TARGET, 'raw.startswith("//")', "wire/test_target.py"),
    Defence(
        "addresses back: our own pages", _TARGET, "target.segments[0].lower() == _OUR_PATHS", "wire/test_target.py"
    ),
    Defence("hosts in odd forms", "wire/host.py", "_DOTTED_QUAD.fullmatch(host) is None", "wire/test_host.py"),
    # --- what a client says of itself
    Defence("injected names, however spelled", _HEADERS, "or folded in injected_folds:", "wire/test_headers.py", ":"),
    Defence("names with _", _HEADERS, 'if b"_" in name or', "wire/test_headers.py", "if"),
    Defence(
        "reserved names",
        _HEADERS,
        "if folded in RESERVED or folded in _MEMBERS",
        "wire/test_headers.py wire/test_identity_headers.py",
        "if folded in _MEMBERS",
    ),
    Defence("families of names", _HEADERS, "or _BEGINNINGS(name) or tells", "wire/test_headers.py", "or tells"),
    Defence(
        "names of products",
        _HEADERS,
        "_BEGINNINGS(name) or tells_identity(name):",
        "wire/test_headers.py wire/test_identity_headers.py",
        "_BEGINNINGS(name):",
    ),
    Defence(
        "a listed name that is injected",
        _HEADERS,
        " and fold(name) not in self._injected:",
        "wire/test_headers.py wire/test_identity_headers.py proxy/test_listed_headers.py",
        ":",
    ),
    Defence(
        "names that Connection takes off",
        "wire/hop_by_hop.py",
        "frozenset(tokens - _NO_NAME) or",
        "wire/test_hop_by_hop.py",
        "",
    ),
    Defence("our own cookies upstream", _COOKIES, "or folded.startswith(OURS)", "wire/test_cookies.py", ""),
    Defence("injected cookies, however spelled", _COOKIES, "or folded in self._names", "wire/test_cookies.py", ""),
    Defence("cookies without a name", _COOKIES, "dropped = not folded or", "wire/test_cookies.py", "dropped ="),
    Defence("two cookies of ours", _COOKIES, "if len(values) > 1:", "wire/test_cookies.py"),
    Defence("cookies read otherwise: parted", _COOKIES, "            (_PARTED, named),\n", "wire/test_cookies.py", ""),
    Defence("cookies read otherwise: searched", _COOKIES, "(_SEARCHED, searched),", "wire/test_cookies.py", ""),
    Defence("cookies read otherwise: token", _COOKIES, "            (_TOKEN, named),\n", "wire/test_cookies.py", ""),
    Defence(
        "an application's cookies of our names",
        _COOKIES,
        'fold(set_cookie.partition(b";")[0]).startswith(OURS)',
        "wire/test_cookies.py",
    ),
    # --- framing
    Defence("one Host", _FRAMING, "if hosts != 1:", "wire/test_framing.py"),
    Defence(
        "Transfer-Encoding beside a length",
        _FRAMING,
        "content_length is not None or transfer",
        "wire/test_framing.py",
        "transfer",
    ),
    Defence(
        "Transfer-Encoding in HTTP/1.0",
        _FRAMING,
        'if version == "1.0" or content',
        "wire/test_framing.py",
        "if content",
    ),
    Defence(
        "other codings than chunked",
        _FRAMING,
        'transfer_encoding.strip(b" \\t").lower() != b"chunked"',
        "wire/test_framing.py",
    ),
    Defence(
        "one spelling of a length", _FRAMING, "if _LENGTH.fullmatch(content_length) is None:", "wire/test_framing.py"
    ),
    Defence("other versions", _FRAMING, 'if version not in {"1.1", "1.0"}:', "wire/test_framing.py"),
    Defence(
        "Upgrade with a body",
        _FRAMING,
        "framing not in NO_CONTENT:\n        raise",
        "wire/test_framing.py",
        "False:\n        raise",
    ),
    Defence("statuses beyond 599", _FRAMING, "not 100 <= status <= 599", "wire/test_framing.py"),
    # --- tunnels
    Defence("several protocols", "wire/websocket.py", 'if b"," in protocol:', "wire/test_websocket.py"),
    Defence("one version of WebSocket", "wire/websocket.py", "if versions != [VERSION]:", "wire/test_websocket.py"),
    Defence("one key", "wire/websocket.py", "if len(keys) != 1 or", "wire/test_websocket.py", "if"),
    Defence(
        "the answer to the key", "wire/websocket.py", "!= [accept_of(key)]", "wire/test_websocket.py", "== [b'none']"
    ),
    # --- what an application says
    Defence(
        "orders to a front",
        _GUARD,
        "name.startswith(_FRONT_ORDERS) and",
        "wire/test_headers.py proxy/http1/test_response_head.py",
        "False and",
    ),
    Defence(
        "orders to caches", _GUARD, "name.endswith(_TARGETED)", "wire/test_headers.py proxy/http1/test_response_head.py"
    ),
    Defence("words that clear cookies", _GUARD, "if word in _CLEARED", "wire/test_response_guard.py", ""),
    Defence(
        "the end of HSTS",
        _GUARD,
        "return _ENDS.search(value) is not None",
        "wire/test_response_guard.py",
        "return False",
    ),
    # --- clients, pages, fences
    Defence(
        "addresses that no trusted proxy wrote",
        "wire/forwarded.py",
        "forwarded_for if peer.listed else None",
        "wire/test_forwarded.py",
        "forwarded_for",
    ),
    Defence(
        "the scheme that no trusted proxy said",
        "wire/forwarded.py",
        " or not peer.listed:",
        "wire/test_forwarded.py",
        ":",
    ),
    Defence(
        "frames are no navigation",
        "wire/navigation.py",
        'return "frame" if destination in _FRAMES else "other"',
        "wire/test_navigation.py",
        'return "navigation"',
    ),
    Defence(
        "scripts are no navigation",
        "wire/navigation.py",
        ' and b"x-requested-with" not in said',
        "wire/test_navigation.py",
        "",
    ),
    Defence(
        "prefetches are no navigation",
        "wire/navigation.py",
        " or not _AHEAD.isdisjoint(said)",
        "wire/test_navigation.py",
        "",
    ),
    Defence(
        "hosts with _ that no file lists",
        "access/virtual_host.py",
        "if name in snapshot.exact_hosts:\n            return name",
        "access/test_virtual_host.py",
        "return name",
    ),
    Defence(
        "frames of other sites",
        "wire/navigation.py",
        'is_own = destination == [b"iframe"] and site in _OWN_SITE',
        "wire/test_navigation.py",
        'is_own = destination == [b"iframe"]',
    ),
    Defence(
        "frames of hosts that no file lists",
        "proxy/portal_lane.py",
        "return is_page_of(",
        "proxy/test_refusals.py",
        "return True or is_page_of(",
    ),
    Defence(
        "pages of other origins",
        "wire/navigation.py",
        'return site == b"same-origin" and',
        "wire/test_navigation.py",
        "return True or",
    ),
    Defence("no application where no one is", _FENCES, "reach_of(address) is Reach.FORBIDDEN", "wire/test_fences.py"),
    Defence(
        "no application at our listeners", _FENCES, "if is_ours(address, port) or (", "wire/test_fences.py", "if ("
    ),
    Defence("a team's fence", _FENCES, "if not fence.holds(address, port):", "wire/test_fences.py"),
    # --- decisions
    Defence(
        "no rule: no",
        "policy/decide.py",
        "return Deny(None, POLICY_NO_RULE)",
        "policy/test_decide.py",
        "return Allow(None, POLICY_ALLOWED)",
    ),
    Defence("a deny wins", "policy/decide.py", "if truth is TRUE:", "policy/test_decide.py"),
    Defence("an unknown deny", "policy/decide.py", "if unknown is not None:", "policy/test_decide.py"),
    Defence(
        "no other method",
        "policy/decide.py",
        "return Deny(match.rules[0].ref, POLICY_METHOD, match.rules[0].refusal)",
        "policy/test_decide.py",
        "return Allow(match.rules[0].ref, POLICY_ALLOWED)",
    ),
    Defence(
        "unknown is no yes",
        "policy/decide.py",
        "    if truth is UNKNOWN:\n        return",
        "policy/test_decide.py",
        "    if False:\n        return",
    ),
    Defence(
        "providers that are not listed",
        "access/decision.py",
        "identity is not None and app.accepts(identity)",
        "access/test_decision.py",
        "identity is not None",
    ),
    Defence(
        "directories that could not say",
        "access/decision.py",
        "self.missing = missing_from(self.accepted, app.directories)",
        "access/test_mandates.py",
        "pass",
    ),
    Defence(
        "a dead seat",
        "access/pipeline.py",
        "if seat is not None and not seat.live:",
        "access/test_pipeline.py proxy/test_invariants.py",
    ),
    Defence(
        "a decision past its end",
        "access/pipeline.py",
        "and now < ready.valid_until else",
        "access/test_mandates.py",
        "else",
    ),
    Defence(
        "an unreachable store",
        "access/pipeline.py",
        "else Refuse(STORE_UNREACHABLE, error.detail)",
        "access/test_pipeline.py proxy/test_invariants.py",
        "else outcome",
    ),
    # --- fronts that ask
    Defence(
        "a front that is not listed",
        "proxy/forward_auth.py",
        "or not memo.is_trusted(snapshot):",
        "fronts/test_questions.py",
        ":",
    ),
    Defence(
        "a front without the secret",
        "proxy/forward_auth.py",
        "or not compare_digest(shown, settings.secret):",
        "fronts/test_questions.py",
        ":",
    ),
    Defence(
        "a front that the application does not name",
        "proxy/forward_auth.py",
        "app.front != front.name:",
        "fronts/test_questions.py",
        "False:",
    ),
    Defence(
        "a front that is listed no more, by a known question",
        "proxy/forward_auth.py",
        "self.memo.is_trusted(tables.snapshot) and",
        _KNOWN_QUESTIONS,
        "True and",
    ),
    Defence(
        "the secret of a known question",
        "proxy/forward_auth.py",
        "and compare_digest(values[known.secret], settings.secret)):",
        _KNOWN_QUESTIONS,
        "):",
    ),
    Defence(
        "a known question about another front's application",
        "proxy/forward_auth.py",
        "app.front != known.front.name:",
        _KNOWN_QUESTIONS,
        "False:",
    ),
    Defence(
        "headers that a front would pass on",
        "proxy/forward_auth.py",
        "if kept and not front.removes:",
        "fronts/test_questions.py",
    ),
    Defence(
        "each thing said once by a front",
        "wire/fronts.py",
        "if name in said:",
        "wire/test_fronts.py fronts/test_questions.py",
    ),
    Defence(
        "Connection in a front's question",
        "wire/fronts.py",
        "if connection_tokens((value,)):",
        "wire/test_fronts.py fronts/test_questions.py",
    ),
    Defence(
        "headers that a front may write under another name",
        "wire/fronts.py",
        "self.renames or ",
        "wire/test_oauth2_proxy.py fronts/test_oauth2_proxy.py",
        "",
    ),
    Defence(
        "the browser's address beside a front's word for it",
        "wire/fronts.py",
        'elif name == b"x-forwarded-for" and self.client:',
        "wire/test_oauth2_proxy.py",
        "elif False:",
    ),
    Defence(
        "a question of oauth2-proxy's with a query",
        "proxy/forward_auth.py",
        "OAUTH2_PROXY if target.raw == QUESTION",
        "fronts/test_oauth2_proxy.py",
        "OAUTH2_PROXY if target.path == QUESTION",
    ),
    Defence(
        "rd of another host",
        "wire/oauth2_proxy.py",
        'if _PORT.sub(b"", absolute[1]).lower() != host.encode("ascii"):',
        "wire/test_oauth2_proxy.py",
    ),
    Defence(
        "rd of a sign-in",
        "wire/oauth2_proxy.py",
        "return home if first.lower() == FIRST else target",
        "wire/test_oauth2_proxy.py",
        "return target",
    ),
    Defence(
        "no other answer looks like an allowance",
        "proxy/forward_auth.py",
        "if self.front is None or self.front.leads or page.status not in _ALLOWING:",
        "fronts/test_questions.py",
        "if True:",
    ),
    Defence(
        "empty lines over a client's",
        "access/permission.py",
        'lines = dict.fromkeys(injected.values(), b"")',
        "access/test_permission.py fronts/test_questions.py",
        "lines = dict[bytes, bytes]()",
    ),
)
