import re
from base64 import b64decode
from dataclasses import replace
from typing import Literal, get_args
from unicodedata import normalize
from urllib.parse import unquote

import pytest
from httptools import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import translation_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.translation.charset import LACKING, Encoding, Unencodable
from gateway.translation.render import BUDGET, Injection, Translation, check_cookie, check_header, why_or_value
from gateway.translation.specs import (
    Constant,
    CookieSpec,
    DateForm,
    FromAttribute,
    HeaderSpec,
    Lookup,
    Prefix,
    Simple,
    Source,
    Split,
    Template,
    parse_template,
)
from gateway.wire import headers as wire_headers
from gateway.wire.cookies import without_cookies
from gateway.wire.hop_by_hop import HOP_BY_HOP
from tests.translation.test_charset import by_another_reader


def person(left_out: frozenset[str] = frozenset(), **attributes: tuple[str, ...]) -> Identity:
    return Identity("metropole", "https://op.metropole.example", "s-1", attributes, left_out)


def header(source: Source, name: str = "X-A", encoding: Encoding = "utf8") -> HeaderSpec:
    return HeaderSpec(name, source, encoding)


def headers_of(identity: Identity | None, *specs: HeaderSpec) -> bytes:
    return Translation.compile(specs, []).render(identity).headers


def value_of(values: tuple[str, ...], join: str | None = None, encoding: Encoding = "utf8") -> bytes:
    line = headers_of(person(a=values), header(FromAttribute("a", join), encoding=encoding))
    return line.removeprefix(b"\r\nX-A: ")


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_header_lines_and_cookies_are_ready_to_be_joined_to_a_head() -> None:
    translation = Translation.compile(
        [
            HeaderSpec("ct-remote-user", FromAttribute("uid")),
            HeaderSpec("ctln", FromAttribute("family_name"), "latin1", "transliterate"),
            HeaderSpec("FrEduRne", FromAttribute("uai", join=",")),
            HeaderSpec("X-Gateway", Constant("ecluse")),
        ],
        [CookieSpec("CTSESSION", Constant("present")), CookieSpec("nom", FromAttribute("family_name"), "percent-utf8")],
    )
    agent = person(uid=("mcoeur",), family_name=("Cœur-Géant",), uai=("0291101P$UAJ$PU", "0350001A"))
    assert translation.render(agent) == Injection(
        b"\r\nct-remote-user: mcoeur"
        b"\r\nctln: Coeur-G\xe9ant"
        b"\r\nFrEduRne: 0291101P$UAJ$PU,0350001A"
        b"\r\nX-Gateway: ecluse",
        b"CTSESSION=present; nom=C%C5%93ur-G%C3%A9ant",
    )


def test_the_special_names_are_what_the_gateway_itself_knows() -> None:
    specs = [header(FromAttribute(name), f"X-{name}") for name in ("subject", "provider", "issuer")]
    lines = headers_of(person(subject=("evil",), provider=("evil",)), *specs)
    assert lines == b"\r\nX-subject: s-1\r\nX-provider: metropole\r\nX-issuer: https://op.metropole.example"


def test_nobody_gets_nothing_constants_included() -> None:
    """No application may take anything for a sign-in."""
    translation = Translation.compile(
        [header(Constant("ecluse")), header(FromAttribute("subject"), "X-B")], [CookieSpec("c", Constant("present"))]
    )
    assert translation.render(None) == Injection(b"", b"")


@pytest.mark.parametrize(
    "identity",
    [person(), person(dept=("",)), person(dept=()), person(dept=("", "")), person(frozenset({"dept"}), dept=("x",))],
)
def test_absent_is_absent(identity: Identity) -> None:
    """K040, and an empty value: some servers drop an empty header, so that the application sees an older one."""
    translation = Translation.compile(
        [header(FromAttribute("dept"), "X-Dept"), header(FromAttribute("dept", join=","), "X-Depts")],
        [CookieSpec("dept", FromAttribute("dept"))],
    )
    assert translation.render(identity) == Injection(b"", b"")
    # And no client can fill the gap: the names stay reserved.
    assert translation.header_folds == {b"xdept", b"xdepts"}
    assert translation.cookie_names == {b"dept"}


# --- several values (HS10) --------------------------------------------------------------------------------------------


def test_several_values_without_a_join_are_refused_for_nobody_could_say_which_one_counts() -> None:
    assert value_of(("one",)) == b"one"
    with pytest.raises(GatewayError, match="X-A: 2 values"):
        value_of(("one", "two"))


@pytest.mark.parametrize(
    ("values", "join", "encoding"),
    [
        (("users,admins",), ",", "utf8"),
        (("users", "a,b"), ",", "utf8"),
        (("a;admin",), ";", "utf8"),
        (("a;admin",), "; ", "utf8"),
        (("a; admin",), "; ", "utf8"),
        (("a|b",), "|", "utf8"),
        (("a|b",), "||", "utf8"),
        (("a|", "b"), "||", "utf8"),
        (("a b",), " ", "utf8"),
        # White space of any kind is a separator to who splits at blanks
        (("a\u3000admin",), " ", "utf8"),
        (("a\xa0admin",), "  ", "latin1"),
        (("a\u2028admin",), " ", "utf8"),
        ((r"a\,b",), ",", "utf8"),
        # Shibboleth: `a\;b` is one value
        (("a\\", "b"), ";", "utf8"),
        # NFC makes a semicolon of the Greek question mark
        (("a\u037eadmin",), ";", "utf8"),
        (("a\u037eadmin",), ";", "latin1"),
        # These are not hidden: `percent` leaves them, base64 writes them
        (("a-b",), "-", "percent-utf8"),
        (("a~b",), "~", "percent-utf8"),
        (("ab",), "b", "percent-utf8"),
        (("?>?",), "/", "base64"),
        (("a",), "=", "base64"),
    ],
)
def test_a_value_that_an_application_would_split_is_refused(
    values: tuple[str, ...], join: str, encoding: Encoding
) -> None:
    with pytest.raises(GatewayError) as refused:
        value_of(values, join, encoding)
    assert refused.value.code is translation_codes.SEPARATOR
    assert not any(value in refused.value.detail for value in values if len(value) > 2)


def test_white_space_is_no_separator_where_the_encoding_hides_it() -> None:
    """Who splits first and decodes then finds one value, and so does who splits at another character."""
    assert value_of(("a\u3000b", "c"), " ", "percent-utf8") == b"a%E3%80%80b c"
    assert value_of(("a\u3000b", "c"), ";") == "a\u3000b;c".encode()
    whole = HeaderSpec("X-A", FromAttribute("a", join=" ", whole=True), "base64")
    with pytest.raises(GatewayError, match="separator"):
        headers_of(person(a=("a\u3000admin",)), whole)


def test_a_separator_that_transliteration_makes_is_refused_too() -> None:
    spec = HeaderSpec("X-A", FromAttribute("a", join="'"), "latin1", "transliterate")
    with pytest.raises(GatewayError, match="separator"):
        headers_of(person(a=("l’admin",)), spec)


@pytest.mark.parametrize(
    ("values", "join", "encoding", "sent"),
    [
        (("a", "b"), ",", "utf8", b"a,b"),
        (("a", "b"), "; ", "utf8", b"a; b"),
        (("Jean Dupont", "b"), "; ", "utf8", b"Jean Dupont; b"),
        (("a;b", "c"), ",", "utf8", b"a;b,c"),
        (("a", "", "b"), ",", "utf8", b"a,b"),
        (("a,b", "c"), ",", "percent-utf8", b"a%2Cb,c"),
        (("a,b", "c"), ",", "base64", b"YSxi,Yw=="),
        ((r"CORP\agent", "b"), ",", "utf8", rb"CORP\agent,b"),
    ],
)
def test_each_value_is_encoded_by_itself_then_joined(
    values: tuple[str, ...], join: str, encoding: Encoding, sent: bytes
) -> None:
    assert value_of(values, join, encoding) == sent


JOINS = st.sampled_from([",", ";", "; ", "|", "||", "^", "$", " ", "a", "-", "=", ", ,"])


@given(
    st.lists(st.text(alphabet="ab ,;|^$\\-=é\u037e", max_size=6), max_size=5),
    JOINS,
    st.sampled_from(["utf8", "percent-utf8", "base64"]),
)
def test_splitting_gives_the_list_again_or_nothing_is_sent(values: list[str], join: str, encoding: Encoding) -> None:
    try:
        sent = value_of(tuple(values), join, encoding)
    except GatewayError:
        return
    alone = [value_of((value,), None, encoding) for value in values if value]
    assert (sent.split(join.encode()) if sent else []) == alone
    # Applications that split at the sign and trim see no more.
    if join.strip() and sent:
        assert [part.strip() for part in sent.split(join.strip().encode())] == alone or len(join.strip()) > 1


def test_500_groups_pass_and_what_no_application_takes_does_not() -> None:
    groups = tuple(f"groupe-{number:03}" for number in range(500))
    assert value_of(groups, ",").split(b",") == [group.encode() for group in groups]
    with pytest.raises(GatewayError, match=f"over {BUDGET}; the longest is X-A") as refused:
        value_of(("x" * BUDGET,))
    assert refused.value.code is translation_codes.BUDGET
    with pytest.raises(GatewayError, match=f"over {BUDGET}; the longest is X-A"):
        headers_of(person(a=("x" * (BUDGET // 2),)), *(header(FromAttribute("a"), name) for name in ("X-A", "X-B")))


# --- values that no line or cookie can hold ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["a\r\nX-Remote-User: root", "a\nb", "a\0", "a\x85b", " a", "a\t"])
@pytest.mark.parametrize("join", [None, ","])
def test_a_value_that_would_end_the_line_or_change_on_the_way_is_refused(value: str, join: str | None) -> None:
    with pytest.raises(GatewayError, match=r"^translation\.(control|unencodable): X-A: ") as refused:
        value_of((value,), join)
    assert "root" not in refused.value.detail


@pytest.mark.parametrize("value", ["a;b=c", "a,b", 'a"b', "a\\b", "a b", "é", "a\tb"])
def test_a_cookie_holds_cookie_octets_or_what_percent_and_base64_make_of_the_rest(value: str) -> None:
    identity = person(a=(value.replace("\t", " \t"),)) if "\t" in value else person(a=(value,))
    with pytest.raises(GatewayError, match="app_user"):
        Translation.compile([], [CookieSpec("app_user", FromAttribute("a"))]).render(identity)
    if "\t" not in value:
        for encoding in ("percent-utf8", "base64"):
            cookies = Translation.compile([], [CookieSpec("app_user", FromAttribute("a"), encoding)]).render(identity)
            assert cookies.cookies.startswith(b"app_user=")
            assert not set(b';," \\') & set(cookies.cookies)


@pytest.mark.parametrize("value", ["%61dmin", "x%0Aadmin", "100%2b"])
def test_a_cookie_holds_nothing_of_a_person_that_an_application_would_decode(value: str) -> None:
    """PHP, Rack and Express do."""
    identity = person(a=(value,))

    def cookie(source: Source, encoding: Encoding, unencodable: Unencodable = "refuse") -> str:
        spec = CookieSpec("app_user", source, encoding, unencodable)
        return unquote(Translation.compile([], [spec]).render(identity).cookies.removeprefix(b"app_user=").decode())

    sources: tuple[Source, ...] = (FromAttribute("a"), Template(("", "a", "")))
    for source in sources:
        visible: tuple[Encoding, ...] = ("utf8", "latin1", "ascii", "rfc2047")
        for encoding in visible:
            with pytest.raises(GatewayError, match=r"^translation\.unencodable: app_user: a `%`"):
                cookie(source, encoding)
        assert cookie(source, "percent-utf8") == value
        assert cookie(source, "latin1", "percent") == value
        assert b64decode(cookie(source, "base64")).decode() == value
    assert cookie(Constant(value), "utf8") == unquote(value), "what the file says is sent as it is"
    assert headers_of(identity, header(FromAttribute("a"))), "nothing decodes a header unasked"


# --- what may not be written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "", "X Remote", "X-A:", "X-A\r\nX-B", "é", "X/A", "X(A)", "-", "!!",
        "Host", "host", "Content-Length", "Transfer-Encoding", "Content-Type", "Content-Encoding", "Connection",
        "Keep-Alive", "TE", "Trailer", "Upgrade", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate",
        "HTTP2-Settings", "Cookie", "Set-Cookie", "Expect", "Proxy", "Forwarded", "X-Forwarded-For",
        "X-Forwarded-Proto", "X-Forwarded-Host", "X.Forwarded.For", "XForwardedFor", "X-Request-Id", "traceparent",
        "tracestate", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "Ecluse-Subject", "X-Ecluse-A",
    ],
)  # fmt: skip
def test_names_that_no_application_may_inject(name: str) -> None:
    with pytest.raises(GatewayError) as refused:
        check_header(HeaderSpec(name, Constant("x")))
    assert refused.value.code is translation_codes.SPEC
    with pytest.raises(GatewayError):
        Translation.compile([HeaderSpec(name, Constant("x"))], [])


@pytest.mark.parametrize(
    "name",
    ["X-Remote-User", "Remote-User", "Auth-User", "ct-remote-user", "FrEduRne", "SM.USER", "iv-user", "Authorization",
     "X-Forwarded-User", "X-Auth-Request-Email", "OIDC-CLAIM-sub", "Shib-Identity-Provider", "cn"],
)  # fmt: skip
def test_names_that_applications_know(name: str) -> None:
    check_header(HeaderSpec(name, Constant("x")))


NEVER_INJECTED = HOP_BY_HOP | set(wire_headers._REQUEST_SPECIAL) - {b"authorization"}


@pytest.mark.parametrize("special", sorted(NEVER_INJECTED))
def test_what_the_data_plane_writes_itself_is_never_injected(special: bytes) -> None:
    with pytest.raises(GatewayError):
        check_header(HeaderSpec(special.decode(), Constant("x")))


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "é", "a,b", 'a"', "app%5Fuser", "...", "__Host-ecluse",
                                  "__host-ECLUSE-b", "__Host-ecluse2", "Host.ecluse"])  # fmt: skip
def test_cookies_that_no_application_may_inject(name: str) -> None:
    with pytest.raises(GatewayError) as refused:
        check_cookie(CookieSpec(name, Constant("x")))
    assert refused.value.code is translation_codes.SPEC
    with pytest.raises(GatewayError):
        Translation.compile([], [CookieSpec(name, Constant("x"))])


@pytest.mark.parametrize("name", ["CTSESSION", "app_user", "PHPSESSID", "ASP.NET_SessionId", "_shibsession_a"])
def test_cookies_that_applications_know(name: str) -> None:
    check_cookie(CookieSpec(name, Constant("x")))


def test_two_names_that_a_server_may_read_as_one_are_refused() -> None:
    for one, other in (("X-A", "X-A"), ("X-A", "x-a"), ("X-A", "X.A"), ("X-A", "XA")):
        with pytest.raises(GatewayError, match=f"`{one}`"):
            Translation.compile([header(Constant("1"), one), header(Constant("2"), other)], [])
    for one, other in (("app_user", "app_user"), ("app_user", "APP.user")):
        with pytest.raises(GatewayError, match=f"`{one}`"):
            Translation.compile([], [CookieSpec(one, Constant("1")), CookieSpec(other, Constant("2"))])
    Translation.compile([header(Constant("1"), "app-user")], [CookieSpec("app_user", Constant("1"))])


@pytest.mark.parametrize(
    ("source", "encoding", "why"),
    [
        (Constant(""), "utf8", "empty"),
        (Constant("a\nb"), "utf8", "control"),
        (Constant(" a"), "utf8", "white space"),
        (Constant("Cœur"), "latin1", "8859-1"),
        (FromAttribute(""), "utf8", "no attribute"),
        (FromAttribute("a", ""), "utf8", "join"),
        (FromAttribute("a", "\n"), "utf8", "join"),
        (FromAttribute("a", "é"), "utf8", "join"),
        (FromAttribute("a", "123456789"), "utf8", "join"),
    ],
)
def test_a_source_that_could_never_be_sent_is_found_at_load(source: Source, encoding: Encoding, why: str) -> None:
    with pytest.raises(GatewayError, match=why) as refused:
        Translation.compile([HeaderSpec("X-A", source, encoding)], [])
    assert refused.value.code is translation_codes.SPEC


@pytest.mark.parametrize("source", [Constant("a b"), Constant("a;b"), Constant("é"), FromAttribute("a", ";"),
                                    FromAttribute("a", ", ")])  # fmt: skip
def test_a_cookie_source_that_could_never_be_sent_is_found_at_load(source: Source) -> None:
    with pytest.raises(GatewayError):
        Translation.compile([], [CookieSpec("a", source)])


# --- at the seam with the data plane ----------------------------------------------------------------------------------


@pytest.mark.parametrize("received", [b"X-Remote-User", b"x-remote-user", b"X_Remote_User", b"X.Remote.User"])
def test_the_folded_names_keep_a_client_s_own_off(received: bytes) -> None:
    translation = Translation.compile([HeaderSpec("X-Remote-User", FromAttribute("uid"))], [])
    assert wire_headers.fold(received) in translation.header_folds


def test_the_folded_cookie_names_keep_a_client_s_own_off() -> None:
    translation = Translation.compile([], [CookieSpec("app_user", FromAttribute("uid"))])
    received = b'a=1; app_user=root; APP.USER=root; "app_user"=root; app%5Fuser=root'
    assert without_cookies(received, translation.cookie_names) == b"a=1"


# --- at the end of a session, without its person ----------------------------------------------------------------------


def test_what_is_the_same_for_everybody_and_one_value_that_was_kept() -> None:
    translation = Translation.compile(
        [
            header(Constant("é"), "X-Secret", "latin1"),
            header(FromAttribute("uid")),
            header(FromAttribute("mail"), "X-B"),
        ],
        [CookieSpec("present", Constant("1")), CookieSpec("who", FromAttribute("uid"))],
    )
    fixed = b"\r\nX-Secret: \xe9"
    assert translation.known_again("", b"h\xe9") == Injection(fixed + b"\r\nX-A: h\xe9", b"present=1")
    assert translation.known_again("X-B", b"m") == Injection(fixed + b"\r\nX-B: m", b"present=1")
    assert translation.known_again("who", b"h") == Injection(fixed, b"present=1; who=h")
    assert translation.known_again("", b"") == Injection(fixed, b"present=1")
    assert translation.named("X-Secret") == translation.headers[0]
    assert Translation.compile([], []).named("") is None


# --- templates, transforms, absent and nobody -------------------------------------------------------------------------

HELENE = replace(
    person(
        given_name=("Hélène",), family_name=("Lebœuf",), groups=("a", "b", "c"), dn=("cn=a;b", "c"), names=("x", "y"),
    ),
    acr="eidas2",
    authenticated_at=1_700_000_000,
)  # fmt: skip


NAME = parse_template("{given_name} {family_name}")


@pytest.mark.parametrize(
    ("spec", "sent"),
    [
        (HeaderSpec("X-A", NAME), "Hélène Lebœuf".encode()),
        (HeaderSpec("X-A", NAME, "latin9", transforms=(Simple("upper"),)), "HÉLÈNE LEBŒUF".encode("iso8859-15")),
        (HeaderSpec("X-A", FromAttribute("groups", ";", only=("b", "d"))), b"b"),
        (HeaderSpec("X-A", FromAttribute("groups", "; ", whole=True), "base64"), b"YTsgYjsgYw=="),
        (HeaderSpec("X-A", FromAttribute("groups", ","), transforms=(Prefix("g-"),)), b"g-a,g-b,g-c"),
        (HeaderSpec("X-A", FromAttribute("dn", ";", "backslash")), rb"cn=a\;b;c"),
        (HeaderSpec("X-A", FromAttribute("dn", ",", "quotes")), b'"cn=a;b","c"'),
        (HeaderSpec("X-A", FromAttribute("mail"), absent="-"), b"-"),
        (HeaderSpec("X-A", parse_template("{mail}!"), absent="-"), b"-"),
        (HeaderSpec("X-A", FromAttribute("groups", ",", only=("z",)), absent="none"), b"none"),
        (HeaderSpec("X-A", FromAttribute("acr")), b"eidas2"),
        (HeaderSpec("X-A", FromAttribute("authenticated_at"), transforms=(DateForm("%Y"),)), b"2023"),
        (HeaderSpec("X-A", FromAttribute("family_name"), "latin1", "drop"), None),
        (HeaderSpec("X-A", FromAttribute("mail")), None),
        (HeaderSpec("X-A", parse_template("{given_name} {mail}")), None),
    ],
)
def test_what_a_spec_sends(spec: HeaderSpec, sent: bytes | None) -> None:
    line = b"" if sent is None else b"\r\nX-A: " + sent
    assert headers_of(HELENE, spec) == line
    why, value = why_or_value(spec, HELENE)
    assert (value, bool(why)) == (sent or b"", sent is None)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (HeaderSpec("X-A", parse_template("{names}")), translation_codes.SEVERAL),
        (HeaderSpec("X-A", FromAttribute("names")), translation_codes.SEVERAL),
        (HeaderSpec("X-A", FromAttribute("family_name"), length=6), translation_codes.LENGTH),
        (
            HeaderSpec("X-A", FromAttribute("family_name"), transforms=(Lookup({"a": "b"}, "refuse"),)),
            translation_codes.NO_ROW,
        ),
        (HeaderSpec("X-A", FromAttribute("dn", ";", whole=True), "base64"), translation_codes.SEPARATOR),
    ],
)
def test_what_a_spec_refuses(spec: HeaderSpec, code: Code) -> None:
    with pytest.raises(GatewayError, match="X-A: ") as refused:
        headers_of(HELENE, spec)
    assert refused.value.code is code


@pytest.mark.parametrize("escape", ["backslash", "quotes"])
@pytest.mark.parametrize("value", ["a\\", "a\\;b", 'a"b'])
def test_an_escape_that_readers_would_take_apart_otherwise_is_refused(escape: str, value: str) -> None:
    harmless = {("backslash", 'a"b'), ("quotes", "a\\;b")}
    spec = HeaderSpec("X-A", FromAttribute("a", ";", escape))  # type: ignore[arg-type]
    if (escape, value) in harmless:
        assert headers_of(person(a=(value,)), spec)
        return
    with pytest.raises(GatewayError) as refused:
        headers_of(person(a=(value,)), spec)
    assert refused.value.code is translation_codes.SEPARATOR


@given(st.lists(st.text(alphabet='ab;,\\" é', min_size=1, max_size=6), min_size=1, max_size=4))
def test_an_escaped_list_has_as_many_values_as_there_are(values: list[str]) -> None:
    """As Shibboleth's readers split, and as WebSEAL's do."""
    for escape, splits in (("backslash", r"(?<!\\);"), ("quotes", '(?<=");(?=")')):
        spec = HeaderSpec("X-A", FromAttribute("a", ";", escape))  # type: ignore[arg-type]
        try:
            line = headers_of(person(a=tuple(values)), spec).decode().removeprefix("\r\nX-A: ")
        except GatewayError:
            continue
        parts = re.split(splits, line)
        if escape == "backslash":
            assert [part.replace("\\;", ";") for part in parts] == values
        else:
            assert line == ";".join(f'"{value}"' for value in values)
            assert line.count('"') == 2 * len(values)


def test_nobody_is_sent_what_the_file_gives_for_nobody_and_no_more() -> None:
    specs = [
        HeaderSpec("iv-user", FromAttribute("uid"), nobody="Unauthenticated"),
        HeaderSpec("X-B", FromAttribute("mail"), absent="-"),
        HeaderSpec("X-C", Constant("c")),
    ]
    assert headers_of(None, *specs) == b"\r\niv-user: Unauthenticated"


SIGNS = st.text(st.sampled_from([*'ab,,;;^""\\%= =?\u037eéœ', "\r", "\n", "\0"]), min_size=1, max_size=6)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
TROUBLE = st.one_of(SIGNS, SIGNS, SIGNS, ANY)
LISTS: st.SearchStrategy[tuple[str, Literal["backslash", "quotes"] | None, bool]] = st.sampled_from(
    [(",", None, False), ("; ", None, False), ("^", None, True), (";", "backslash", False), (",", "quotes", False)]
)


def groups_in(value: bytes, join: str, escape: str | None) -> list[bytes]:
    """As the application takes them apart: it trims, as most do, and undoes the escape."""
    if escape == "quotes":
        return re.findall(rb'"([^"]*)"', value)
    sign = re.escape(join.strip().encode())
    if escape == "backslash":
        return [one.replace(b"\\" + join.encode(), join.encode()) for one in re.split(rb"(?<!\\)" + sign, value)]
    return [one.strip(b" ") for one in re.split(sign, value)]


@given(
    st.lists(TROUBLE, min_size=1, max_size=4),
    st.sampled_from(get_args(Encoding)),
    st.sampled_from(get_args(Unencodable)),
    LISTS,
)
def test_no_value_adds_a_group(values, encoding, unencodable, listed) -> None:  # type: ignore[no-untyped-def]
    """Each encoding, read by another library: the groups of the person, as many and the same, or a refusal."""
    join, escape, whole = listed
    spec = HeaderSpec("X-A", FromAttribute("a", join, escape, whole), encoding, unencodable)
    try:
        line = headers_of(person(a=tuple(values)), spec)
    except GatewayError:
        return
    sent = line.removeprefix(b"\r\nX-A: ")
    if not sent:
        assert unencodable == "drop" or not any(values)
        return
    if whole:
        found = [one.decode() for one in groups_in(by_another_reader(sent, encoding).encode(), join, escape)]
    else:
        found = [by_another_reader(one, encoding) for one in groups_in(sent, join, escape)]
    wanted = [normalize("NFC", value) for value in values if value]
    assert len(found) == len(wanted)
    if encoding not in LACKING or unencodable in ("refuse", "drop"):
        assert found == wanted
    elif unencodable == "percent":
        assert [unquote(one, errors="strict") for one in found] == wanted


class Parsed:
    """By llhttp, as Node's servers do."""

    def __init__(self, head: bytes) -> None:
        self.lines: list[tuple[bytes, bytes]] = []
        self.ends = 0
        HttpRequestParser(self).feed_data(head)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name, value))

    def on_message_complete(self) -> None:
        self.ends += 1


@given(
    st.lists(TROUBLE, min_size=1, max_size=3),
    st.sampled_from(get_args(Encoding)),
    st.sampled_from(get_args(Unencodable)),
)
def test_a_head_has_the_lines_of_the_file_and_no_other(values, encoding, unencodable) -> None:  # type: ignore[no-untyped-def]
    listed = FromAttribute("a", ",")
    headers = [
        HeaderSpec("X-A", FromAttribute("b"), encoding, unencodable),
        HeaderSpec("X-B", listed, encoding, unencodable),
        HeaderSpec("X-C", Constant("c")),
    ]
    cookies = [CookieSpec("d", FromAttribute("b"), encoding, unencodable), CookieSpec("e", Constant("e"))]
    try:
        made = Translation.compile(headers, cookies).render(person(a=tuple(values), b=(values[0],)))
    except GatewayError:
        return
    head = Parsed(b"GET / HTTP/1.1\r\nHost: a%b\r\nCookie: %b\r\n\r\n" % (made.headers, made.cookies))
    assert head.ends == 1
    names = [name for name, _ in head.lines]
    assert [name for name in names if name not in (b"X-A", b"X-B")] == [b"Host", b"X-C", b"Cookie"]
    assert len(names) == len(set(names))
    (crumbs,) = [value for name, value in head.lines if name == b"Cookie"]
    assert [one.partition(b"=")[0] for one in crumbs.split(b";")] in ([b"d", b" e"], [b"e"])


@given(
    st.lists(st.text(max_size=12), max_size=4),
    st.sampled_from(get_args(Encoding)),
    st.sampled_from(get_args(Unencodable)),
    st.sampled_from([None, ";", ", ", "^"]),
    st.sampled_from([None, "backslash", "quotes"]),
    st.sampled_from(
        [(), (Simple("upper"),), (Split(";"),), (Prefix("a\r\nX-B: b"),), (Lookup({}, "keep"), Simple("strip"))]
    ),
)
def test_no_value_ends_its_line_or_begins_another(values, encoding, unencodable, join, escape, transforms) -> None:  # type: ignore[no-untyped-def]
    spec = HeaderSpec("X-A", FromAttribute("a", join, escape), encoding, unencodable, transforms, absent="\r\nX-B: c")
    try:
        headers = Translation((spec,), ()).render(person(a=tuple(values))).headers
    except GatewayError:
        return
    assert headers == b"" or headers.startswith(b"\r\nX-A: ")
    assert not set(headers[2:]) & {*range(32), 127}
