"""Of what a worker remembers of heads: each is found by all that it was worked out from. Where one of these is left
out, what is remembered shows in an answer."""

from typing import Final

from tests.mutations.defence import Defence

_REQUEST, _HEADS, _APPLICATION = "proxy/request.py", "proxy/known_heads.py", "access/application.py"
_PROOF: Final = "proxy/test_remembered_heads.py"

DEFENCES = (
    Defence("what was admitted was so for one host", _REQUEST, "host is self.host and cookie", _PROOF, "cookie"),
    Defence("and for one cookie line", _REQUEST, "cookie == self.cookie and rare", _PROOF, "rare"),
    Defence("and for what else is read", _REQUEST, "and rare == self.rare", _PROOF, ""),
    Defence(
        "the header lines of before hold under one snapshot",
        _REQUEST,
        "if block == self._block and tables.number == self._tables_number:",
        _PROOF,
        "if block == self._block:",
    ),
    Defence(
        "a head that is known leads to no divided host",
        _REQUEST,
        "if len(values) != len(known.goes) or host.is_divided:",
        _PROOF,
        "if len(values) != len(known.goes):",
    ),
    Defence(
        "a line of an absolute target is read with its head",
        _REQUEST,
        "        if line.authority is not None:\n            return False\n",
        _PROOF,
        "",
    ),
    Defence(
        "only heads that other values leave what they are",
        _REQUEST,
        "usual = layout.opaque and line.authority is None and",
        _PROOF,
        "usual = line.authority is None and",
    ),
    Defence(
        "only heads whose Connection says nothing",
        _REQUEST,
        "and (connection is None or connection in _USUAL)",
        _PROOF,
        "",
    ),
    Defence(
        "a client is known by what the proxy says of it",
        "proxy/tables.py",
        "self._clients.add(said, client)",
        _PROOF,
        "self._clients.add((*said[:2], b'192.0.2.1', said[3]), client)",
    ),
    Defence(
        "cookies are split by the rules of their host",
        "proxy/memo.py",
        "if cookie != self._cookie or host is not self._cookie_host:",
        _PROOF,
        "if cookie != self._cookie:",
    ),
    Defence(
        "a line that is known is split whole",
        _HEADS,
        "return own == len(values) and own + shared == len(names)",
        _PROOF,
        "return own == len(values)",
    ),
    Defence(
        "a known path with another query may name a method",
        _APPLICATION,
        'plain = b"ethod" not in behind.lower() and (b"%" not in behind or not may_name(behind))',
        _PROOF,
        "plain = True",
    ),
    Defence(
        "a known path with another query may mean to sign out",
        _APPLICATION,
        "usual = usual and (sign_outs is None or not sign_outs.have_path(line.target.segments))",
        _PROOF,
        "usual = usual and True",
    ),
    Defence(
        "what is decided is kept by what the application is told there",
        _APPLICATION,
        "translations = self._translations_at(target.segments) if self._translates_by_path else ()",
        _PROOF,
        "translations = ()",
    ),
    Defence(
        "what is decided is kept for one person",
        "access/pipeline.py",
        "kept = access.anonymous if seat is None else seat.outcomes",
        _PROOF,
        "kept = access.anonymous",
    ),
    Defence(
        "responses are read by the rules of their application",
        "proxy/dataplane.py",
        "key = edits.names, edits.adds",
        _PROOF,
        "key = frozenset(), False",
    ),
    Defence(
        "a known response has its own length",
        "proxy/http1/response_head.py",
        "self.status, self._directed, self.left = known.status, known.directed, left",
        _PROOF,
        "self.status, self._directed, self.left = known.status, known.directed, 0",
    ),
    Defence(
        "a question that is known holds for one application",
        "proxy/known_questions.py",
        "return lane is self.there or not self.dropped",
        "proxy/test_known_questions.py",
        "return True",
    ),
)
