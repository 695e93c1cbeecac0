"""HS01 to HS04, K007, K026, K040, K041, K086: no spelling of a name that we write or reserve gets through."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.names import fold
from gateway.wire import headers
from gateway.wire.headers import (
    AUTHENTICATE,
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    FORWARDED_AS_READ,
    FORWARDED_FOR,
    FORWARDED_PROTO,
    HOST,
    METHOD_OVERRIDE,
    METHOD_OVERRIDE_ODD,
    SET_COOKIE,
    TRACEPARENT,
    TRACESTATE,
    TRANSFER_ENCODING,
    UNSEEN,
    UPGRADE,
    HeaderPolicy,
    ResponsePolicy,
    binds_connection,
)

INJECTED = frozenset({b"xremoteuser", b"ctln", b"xdept", b"fredurne"})


def judge(name: bytes, injected: frozenset[bytes] = INJECTED) -> object:
    return HeaderPolicy.compile(injected).learn(name)


SPELLINGS = [
    b"X-Remote-User",
    b"x-remote-user",
    b"X-REMOTE-USER",
    b"x-ReMoTe-uSeR",
    b"X_Remote_User",
    b"X-Remote_User",
    b"x_remote_user",
    b"X.Remote.User",
    b"X~Remote~User",
    b"X!Remote!User",
    b"X|Remote|User",
    b"HTTP_X_REMOTE_USER",
    b"XRemoteUser",
    b"X--Remote--User-",
    b"-X-Remote-User",
    b"X-Dept",
    b"x.dept",
    b"CTLN",
    b"ct-ln",
    b"C.T.L.N",
    b"FrEduRne",
    b"FREDU-RNE",
]


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_injected_name_is_dropped_in_every_spelling(name: bytes) -> None:
    assert judge(name) is None


RESERVED = [
    b"Proxy",
    b"X-Original-URL",
    b"X-Original-URI",
    b"X-Original-Host",
    b"X-Original-Method",
    b"X-Original-Forwarded-For",
    b"X-Rewrite-URL",
    b"AspFilterSessionId",
    b"X-Forwarded-Host",
    b"X-Forwarded-Port",
    b"X-Forwarded-Prefix",
    b"X-Forwarded-Server",
    b"X-Forwarded-User",
    b"X-Forwarded-Uri",
    b"Forwarded",
    b"X-Real-IP",
    b"X-Request-Id",
    b"Client-IP",
    b"True-Client-IP",
    b"CF-Connecting-IP",
    b"Remote-User",
    b"Remote-Groups",
    b"X-Remote-Addr",
    b"X-Remote-Group",
    b"X-WEBAUTH-USER",
    b"X-Auth-User",
    b"X-Auth-Request-Email",
    b"Shib-Session-ID",
    b"Shib-Identity-Provider",
    b"OIDC-CLAIM-sub",
    b"MELLON-NAME-ID",
    b"Auth-User",
    b"SSL-CLIENT-S-DN",
    b"X-SSL-Client-Cert",
    b"X-Client-Cert",
    b"X-Client-Cert-Chain",
    b"X-Envoy-Original-Path",
    b"X-Envoy-External-Address",
    b"X-Accel-Redirect",
    b"X-Sendfile",
    b"X-Sendfile-Type",
    b"X-Script-Name",
    b"X-Vhm-Root",
    b"X-Vhm-Host",
    b"X-Scheme",
    b"X-Url-Scheme",
    b"Front-End-Https",
    b"Forwarded-For",
    b"X-Forward-For",
    b"X-True-Client-IP",
    b"X-Coming-From",
    b"Cf-Connecting-IPv6",
    b"X-Azure-ClientIP",
    b"X-Azure-SocketIP",
    b"X-Sucuri-ClientIP",
    b"Incap-Client-IP",
    b"Ali-CDN-Real-IP",
    b"X-Ecluse-Anything",
    # With an underscore: dropped as such.
    b"REMOTE_USER",
    b"OIDC_CLAIM_sub",
    b"MELLON_NAME_ID",
    b"SSL_CLIENT_S_DN",
    b"Content_Length",
    b"Transfer_Encoding",
    b"Accept_Language",
    b"_",
    # One connection only.
    b"TE",
    b"Trailer",
    b"Keep-Alive",
    b"Proxy-Connection",
    b"Proxy-Authorization",
    b"Proxy-Authenticate",
    b"HTTP2-Settings",
    # Nothing is left of these for a server that folds.
    b"-",
    b"~!~",
]


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("spell", [bytes.title, bytes.lower, bytes.upper, lambda name: name.replace(b"-", b".")])
def test_a_reserved_name_is_dropped_for_every_app(name: bytes, spell: object) -> None:
    assert callable(spell)
    assert judge(spell(name), frozenset()) is None


KNOWN = [
    family.replace("*", member).encode()
    for family, members in headers.FAMILIES.items()
    for member in members or ("-a",)
]


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_name_of_a_family_is_dropped_however_it_folds(name: bytes) -> None:
    # Two are ours to read in their own spelling.
    own = () if name.lower() in map(bytes.lower, SPECIAL) else (name, name.lower())
    for spelled in (*own, name.replace(b"-", b"."), b"-" + name.upper()):
        assert judge(spelled, frozenset()) is None
    # Of what we write ourselves no other name is known.
    assert judge(name.replace(b"-", b""), frozenset()) is None or b"cluse-" in name.lower()


@pytest.mark.parametrize(
    "name",
    [b"Remoteness", b"Remote", b"X-Remotely", b"X-Authority", b"X-Authorization", b"X-Authentic", b"Shibboleth",
     b"Shibuya", b"SHIBThing", b"Oidcs", b"Mellonique", b"X-SSLv3", b"X-Forwardedness", b"X-Originality",
     b"X-Accelerate", b"X-Envoys", b"X-Webauthn", b"Eclusetier"],
)  # fmt: skip
def test_the_beginning_of_a_family_counts_with_a_separator_behind_it(name: bytes) -> None:
    """Issue 10, number 11."""
    assert judge(name, frozenset()) == b"\r\n" + name + b": "


@pytest.mark.parametrize(
    "name", [b"SSLClientCertStatus", b"SSLClientCertb64", b"SSL-CLIENT-S-DN", b"X-Client-Certificate", b"X-ClientCert"]
)
def test_certificates_that_fronts_tell_are_dropped_without_one(name: bytes) -> None:
    for spelled in (name, name.lower(), name.upper()):
        assert judge(spelled, frozenset()) is None


SPECIAL = {
    b"Host": HOST,
    b"Connection": CONNECTION,
    b"Cookie": COOKIE,
    b"Content-Length": CONTENT_LENGTH,
    b"Transfer-Encoding": TRANSFER_ENCODING,
    b"Upgrade": UPGRADE,
    b"Expect": EXPECT,
    b"Authorization": AUTHORIZATION,
    b"Traceparent": TRACEPARENT,
    b"Tracestate": TRACESTATE,
    b"X-Forwarded-For": FORWARDED_FOR,
    b"X-Forwarded-Proto": FORWARDED_PROTO,
}


@pytest.mark.parametrize("name", [b"X-HTTP-Method", b"X-HTTP-Method-Override", b"X-Method-Override"])
def test_a_name_of_another_method_is_read_and_never_dropped(name: bytes) -> None:
    """To drop it would have the application do another thing than was asked, and answer 200."""
    for spelled in (name, name.lower(), name.upper()):
        assert judge(spelled, frozenset()) == METHOD_OVERRIDE
    for odd in (name.replace(b"-", b"_"), name.replace(b"-", b"."), b"-" + name, name.replace(b"-", b"")):
        assert judge(odd, frozenset()) == METHOD_OVERRIDE_ODD


@pytest.mark.parametrize("name", SPECIAL)
def test_what_is_ours_to_read_is_marked_in_its_own_spelling_and_dropped_in_any_other(name: bytes) -> None:
    for spelled in (name, name.lower(), name.upper()):
        assert judge(spelled) == SPECIAL[name]
    for disguised in (name.replace(b"-", b"."), b"-" + name, name + b"~", name.replace(b"-", b"")):
        assert disguised == name or judge(disguised) is None


def test_the_markers_are_small_distinct_integers_and_none_is_unseen() -> None:
    marks = [*SPECIAL.values(), SET_COOKIE, AUTHENTICATE, METHOD_OVERRIDE, METHOD_OVERRIDE_ODD]
    assert len(set(marks)) == len(marks)
    assert UNSEEN == 0
    assert all(0 < mark < 256 for mark in marks)


@pytest.mark.parametrize(
    "name",
    [b"Accept", b"accept-language", b"User-Agent", b"Origin", b"Sec-Fetch-Dest", b"If-None-Match", b"Range",
     b"X-CSRF-Token", b"X-Requested-With", b"Content-Type", b"X-Department", b"Sec-WebSocket-Key", b"DNT"],
)  # fmt: skip
def test_the_rest_goes_on_as_it_is_spelled(name: bytes) -> None:
    assert judge(name) == b"\r\n" + name + b": "


def test_authorization_is_the_clients_unless_the_app_injects_it() -> None:
    assert judge(b"authorization") == AUTHORIZATION
    assert FORWARDED_AS_READ[AUTHORIZATION] == b"\r\nAuthorization: "
    assert judge(b"authorization", frozenset({b"authorization"})) is None
    assert judge(b"Auth-orization", frozenset()) is None


tokens = st.text(string.ascii_letters + string.digits + "!#$%&'*+.^_`|~-", min_size=1, max_size=20).map(str.encode)
separators = st.text("!#$%&'*+.^_`|~-", max_size=2).map(str.encode)


@given(st.sampled_from([b"X-Remote-User", b"Ct-Ln", b"Forwarded", b"X-Real-IP", b"Host", b"Content-Length"]), st.data())
def test_however_a_name_is_cut_and_cased_it_never_goes_on(name: bytes, data: st.DataObject) -> None:
    letters = [bytes((byte,)) for byte in fold(name)]
    spelled = b"".join(
        data.draw(separators) + (letter.upper() if data.draw(st.booleans()) else letter) for letter in letters
    )
    verdict = judge(spelled + data.draw(separators))
    assert verdict is None or (isinstance(verdict, int) and spelled.lower() == name.lower())


@given(tokens)
def test_what_goes_on_folds_to_no_name_that_is_written_or_reserved(name: bytes) -> None:
    verdict = judge(name)
    if isinstance(verdict, bytes):
        assert verdict == b"\r\n" + name + b": "
        assert b"_" not in name
        assert fold(name) not in INJECTED | headers.RESERVED | {fold(special) for special in SPECIAL}
        members = {
            fold(family.replace("*", member).encode()) for family, of in headers.FAMILIES.items() for member in of
        }
        assert fold(name) not in members


@given(tokens)
def test_the_fold_does_not_see_case_nor_punctuation(name: bytes) -> None:
    folded = fold(name)
    assert folded == fold(name.upper()) == fold(name.lower()) == fold(b"-" + name + b".") == fold(folded)
    assert not folded or folded.isalnum()


# --- memory ---


def test_a_name_is_judged_once() -> None:
    policy = HeaderPolicy.compile(INJECTED)
    assert policy.table.get(b"Accept", UNSEEN) == UNSEEN
    policy.learn(b"Accept")
    policy.learn(b"X_Remote_User")
    assert policy.table == {b"Accept": b"\r\nAccept: ", b"X_Remote_User": None}


@pytest.mark.parametrize("policy", [HeaderPolicy.compile(INJECTED), ResponsePolicy()])
def test_strangers_cannot_fill_the_memory(policy: HeaderPolicy | ResponsePolicy) -> None:
    for number in range(5000):
        assert policy.learn(b"X-%d" % number) == b"\r\nX-%d: " % number
        assert len(policy.table) <= 1024
    long = b"X-" + b"a" * 63
    assert policy.learn(long) == b"\r\n" + long + b": "
    assert long not in policy.table


# --- responses ---


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        (b"Content-Type", b"\r\nContent-Type: "),
        (b"location", b"\r\nlocation: "),
        (b"X_Odd", b"\r\nX_Odd: "),
        (b"SET-COOKIE", SET_COOKIE),
        (b"Content-Length", CONTENT_LENGTH),
        (b"transfer-encoding", TRANSFER_ENCODING),
        (b"Connection", CONNECTION),
        (b"Upgrade", UPGRADE),
        (b"WWW-Authenticate", AUTHENTICATE),
        (b"Keep-Alive", None),
        (b"Proxy-Authenticate", None),
        (b"Trailer", None),
        (b"TE", None),
    ],
)
def test_an_upstreams_headers(name: bytes, verdict: object) -> None:
    assert ResponsePolicy().learn(name) == verdict


# --- values ---


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        (b"NTLM TlRMTVNTUAAB", True),
        (b"Negotiate YIIB", True),
        (b"negotiate", True),
        (b"Kerberos", True),
        (b'Basic realm="x", Negotiate', True),
        (b"Basic dXNlcjpwdw==", False),
        (b"Bearer negotiate", False),
        (b"NTLMv3 x", False),
        (b"", False),
    ],
)
def test_what_signs_in_the_connection(value: bytes, bound: bool) -> None:
    assert binds_connection(value) is bound
