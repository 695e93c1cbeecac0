"""HS11, K085, K105, K106: whose cookie is whose."""

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.wire.cookies import (
    BINDING_COOKIE,
    SESSION_COOKIE,
    CookiePolicy,
    binding_hash,
    clear_seat,
    is_binding,
    is_ours,
    is_seat,
    language_asked,
    language_chosen,
    read_cookie,
    set_binding,
    set_language,
    set_seat,
    twins,
    without_cookies,
)
from tests.growth import is_linear
from tests.wire.cookie_readers import every_name, perl, searching, tomcat, werkzeug

INJECTED = frozenset({fold(b"app_user"), fold(b"CTSESSION")})
NOTHING: frozenset[bytes] = frozenset()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"__Host-ecluse=abc.def", b"abc.def"),
        (b"a=b; __Host-ecluse=abc; c=d", b"abc"),
        (b"a=b;__Host-ecluse=abc", b"abc"),
        (b"a=b;\t __Host-ecluse=abc \t;", b"abc"),
        (b"__Host-ecluse=", b""),
        (b"__Host-ecluse=a=b", b"a=b"),
        (b'__Host-ecluse="abc"', b'"abc"'),
        (b"__Host-ecluse-b=xyz; __Host-ecluse=abc", b"abc"),
        # Not that name.
        (b"", None),
        (b";;;", None),
        (b"=", None),
        (b"__Host-ecluse", None),
        (b"__Host-ecluse-b=abc", None),
        (b"__host-ecluse=abc", None),
        (b"x__Host-ecluse=abc", None),
        (b"a=__Host-ecluse=abc", None),
        (b"a=b __Host-ecluse=abc", None),
        (b"a=b, __Host-ecluse=abc", None),
        (b"__Host-ecluse =abc", None),
        (b"%5f_Host-ecluse=abc", None),
    ],
)
def test_our_cookie_is_read(header: bytes, value: bytes | None) -> None:
    assert read_cookie(header, SESSION_COOKIE) == value


def test_the_binding_cookie_is_another() -> None:
    header = b"__Host-ecluse-b=xyz; __Host-ecluse=abc"
    assert read_cookie(header, BINDING_COOKIE) == b"xyz"


@pytest.mark.parametrize("second", [b"__Host-ecluse=abc", b"__Host-ecluse=other", b"__Host-ecluse="])
def test_two_of_ours_are_an_error(second: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        read_cookie(b"__Host-ecluse=abc; a=b; " + second, SESSION_COOKIE)
    assert caught.value.code is wire_codes.COOKIE
    assert "abc" not in caught.value.detail


@pytest.mark.parametrize(
    ("header", "left"),
    [
        (b"__Host-ecluse=abc", b""),
        (b"__Host-ecluse=abc; __Host-ecluse-b=xyz", b""),
        (b"a=b; __Host-ecluse=abc; c=d", b"a=b; c=d"),
        (b"__Host-ecluse=abc; a=b", b"a=b"),
        (b"__Host-ecluse=abc;a=b;  c=d", b"a=b;  c=d"),
        (b"a=b; __HOST-ECLUSE=abc", b"a=b"),
        (b"a=b; __Host-ecluse", b"a=b"),
        (b"a=b; __Host-ecluse =x", b"a=b"),
        (b"a=b; __Host-ecluse-anything=x", b"a=b"),
        (b"a=b; %5F%5fHost-ecluse=x", b"a=b"),
        (b"a=b; x=1, __Host-ecluse=y", b"a=b"),
    ],
)
def test_our_cookies_do_not_reach_the_application(header: bytes, left: bytes) -> None:
    assert without_cookies(header, NOTHING) == left


@pytest.mark.parametrize(
    "cookie",
    [
        b"app_user=admin",
        b"APP_USER=admin",
        b"app-user=admin",
        b"app.user=admin",
        b"app%5Fuser=admin",
        b"app%5fuser=admin",
        b"%61pp_user=admin",
        b"app%20user=admin",
        b"app user=admin",
        b'"app" user=admin',
        b"app,user=admin",
        b"app+user=admin",
        b"app%3Buser=admin",
        b'"app_user"=admin',
        b"app_user =admin",
        b"\tapp_user=admin",
        b"app_user",
        b"app_user=",
        b"app_user[]=admin",
        b"app_user[x]=admin",
        b"app_user%5Bx%5D=admin",
        b"app[user=admin",
        b"app%5Buser=admin",
        b"app_user%00x=admin",
        b"ctsession=1",
        # Where Perl, Python's http.cookies and RFC 2965 find a second cookie in the first.
        b"x=1, app_user=admin",
        b"x=1,app_user=admin",
        b"x=1 app_user=admin",
        b'x="1" app_user=admin',
        b'x="1"app_user=admin',
        b"x=1,CTSESSION",
        b"x=1%2Capp_user=admin",
        b"x=1%20app%5Fuser=admin",
        # Nothing for a name, and then another.
        b"x=1,=app_user=admin",
        b'x="1"=app_user=admin',
        b"x=1 =app_user",
        # Where WebOb and old Cookie.py search on, behind a byte that no value has.
        b"x=1[app_user=admin",
        b"x=1]app_user=admin",
        b"x=1\\app_user=admin",
        b"x=1\x01app_user=admin",
        b"x=1\x7fapp_user=admin",
        b"x=1\xe9app_user=admin",
        b"x=\xe9=app_user = admin",
        b"x=1\xa0app_user\xa0=admin",
        b"x=1%01app_user=admin",
        # Names that end at a separator.
        b"app_user/x",
        b"(app_user]x=admin",
        b"x=1,app_user{=admin",
        # Perl's CGI and classic ASP.
        b"%u0061pp_user=admin",
        b"%U0061pp%u005Fuser=admin",
    ],
)
def test_a_cookie_that_a_server_could_read_as_an_injected_one_is_taken_out(cookie: bytes) -> None:
    assert without_cookies(b"a=b; " + cookie + b"; c=d", INJECTED) == b"a=b; c=d"
    assert without_cookies(b"a=b; " + cookie, NOTHING) == b"a=b; " + cookie


@pytest.mark.parametrize(
    "nameless",
    [
        # Old Werkzeugs and Tomcats take what follows the `=` for a name (CVE-2023-23934).
        b"=app_user=admin",
        b"==app_user=admin",
        b"[=app_user=admin",
        b'"=app_user=admin',
        b"_=app_user=admin",
        b"(=app_user=admin",
        b"\xe9=app_user=admin",
        b"%3Dapp_user=admin",
        b"%00=app_user=admin",
        b" = app_user=admin",
        b"=",
        b"=x",
        b"_=1",
        b"-",
        b'"',
        b"\xe9=1",
        b" = ",
        b"%=1",
        b"[]=1",
        b"%3D=x",
    ],
)
def test_a_cookie_without_a_name_goes_no_further(nameless: bytes) -> None:
    """Whatever the application injects: nobody can say what some server reads of it."""
    for names in (INJECTED, NOTHING):
        assert without_cookies(b"a=b; " + nameless + b"; c=d", names) == b"a=b; c=d"
        assert CookiePolicy(names).read(b"a=b; " + nameless + b"; c=d") == (None, b"a=b; c=d")
    assert without_cookies(b"a=b; =__Host-ecluse=x; [=__Host-ecluse-b=x", NOTHING) == b"a=b"


@pytest.mark.parametrize(
    "name",
    [b"app user[x]", b"app.user[x]", b"app user[]", b"app%20user[x]", b"app user%00x", b"app[user%00x",
     b"app%5buser%00", b"app user%00[x]", b"__Host ecluse[x]"],
)  # fmt: skip
def test_what_php_writes_with_a_line_below_before_an_array_or_a_nul(name: bytes) -> None:
    for pair in (name, name + b"=root"):
        assert without_cookies(b"a=b; " + pair + b"; c=d", INJECTED) == b"a=b; c=d"
        assert CookiePolicy(INJECTED).read(b"a=b; " + pair + b"; c=d") == (None, b"a=b; c=d")
    assert without_cookies(b"app[user[x]=1; appuser[=1", INJECTED) == b"app[user[x]=1"


def test_what_the_recorded_readers_find() -> None:
    """Each as its application was seen to read it, or the property below says nothing."""
    assert list(werkzeug(b"a=b;=app_user=root")) == [b"a", b"app_user"]
    assert list(werkzeug(b'x="1; app_user=2"')) == [b"x"]
    assert b"app_user" in list(searching(b"x=1[app_user=root"))
    assert b"app_user" in list(searching(b"x=\xe9app_user=root"))
    assert list(tomcat(b"([=app_user=root, x=1")) == [b"app_user", b"x"]
    assert perl(b"%u0061pp%5Fuser") == b"app_user"
    assert every_name(b"a=b; c=d") == {b"a", b"c"}


def test_in_a_quoted_value_a_semicolon_parts_cookies_all_the_same() -> None:
    assert without_cookies(b'x="1; app_user=admin"; c=d', INJECTED) == b'x="1; c=d'


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b";;;",
        b"; ; ",
        b"a=b",
        b" a=b ;; c = d;",
        b"xapp_user=1; app_user2=1; my-app-user=1",
        b"a=app_user; b=__Host-ecluse",
        b"a=x=app_user; note=app_users,and,more",
        b"PHPSESSID=0123; lang=fr; _ga=GA1.2.3; cart=%5B%7B%22id%22%3A1%7D%5D; b[app_user]=1",
        b"back=/page?app_user=1&x=(app_user=1)/app_user=1",
        b"a=%zz%; %u=1; a=%E9\xe9",
        b"a=\xff\xfe",
    ],
)
def test_other_cookies_stay_byte_for_byte(header: bytes) -> None:
    assert without_cookies(header, INJECTED) == header
    assert read_cookie(header, SESSION_COOKIE) is None


def test_4_000_cookies() -> None:
    others = b"; ".join(b"a%d=b" % number for number in range(4000))
    assert read_cookie(others + b"; __Host-ecluse=abc", SESSION_COOKIE) == b"abc"
    assert without_cookies(others + b"; __Host-ecluse=abc; app_user=x", INJECTED) == others


@pytest.mark.parametrize(
    ("piece", "times"),
    [
        (b"%61pp_user=app_user; ", 1500),
        (b"app_user, ", 3000),
        (b"%;", 2500),
        (b"; ", 5000),
        (b" ", 32_000),
        (b"__Host-ecluse", 2400),
    ],
)
def test_32_kilobytes_of_anything_hold_nobody_up(piece: bytes, times: int) -> None:
    def reading(number: int) -> Callable[[], object]:
        header = piece * number
        return lambda: (read_cookie(header, SESSION_COOKIE), without_cookies(header, INJECTED))

    assert is_linear(reading, small=times // 100, large=times)


def test_no_browser_has_so_many() -> None:
    with pytest.raises(GatewayError) as caught:
        without_cookies(b";" * 6000, NOTHING)
    assert caught.value.code is wire_codes.COOKIE


@given(st.binary(max_size=60))
def test_any_bytes(header: bytes) -> None:
    left = without_cookies(header, INJECTED)
    assert without_cookies(left, INJECTED) == left
    assert {pair.strip(b" \t") for pair in left.split(b";")} <= {pair.strip(b" \t") for pair in header.split(b";")} | {
        b""
    }


pieces = st.sampled_from(
    [b"app user[", b"app[user", b"%00", b"[x]=", b"app_user", b"app_user=", b"=app_user=", b"app", b"user",
     b"_", b"CTSESSION", b"__Host-ecluse", b"__Host-ecluse=",
     b"=", b";", b"; ", b",", b" ", b'"', b"%5F", b"%20", b"%u0061pp_user=", b"%3D", b"$", b"(", b"/", b"\0", b"\x01",
     b"\x7f", b"\xe9", b"\xa0", b"[", b"]", b"x", b"1", b"\t", b"\\"]
)  # fmt: skip


@given(st.lists(pieces, max_size=14).map(b"".join), st.sampled_from([b"", b"x=", b"x=1", b"=", b'x="']))
def test_no_known_reader_finds_one_of_them_in_what_is_left(header: bytes, before: bytes) -> None:
    """Invariant 3, by a second reading that has every habit of every server that is known."""
    left = CookiePolicy(INJECTED).read(before + header)[1] if b"__Host" not in header else None
    for line in {left, without_cookies(before + header, INJECTED)} - {None}:
        found = every_name(line)
        assert not found & {b"app_user", b"ctsession"}
        assert not [name for name in found if name.startswith(b"host-ecluse")]


names = st.text(string.ascii_letters + string.digits + "_-.", min_size=1, max_size=8).map(str.encode)


@given(st.lists(st.tuples(names, names), max_size=8))
def test_only_what_folds_to_our_names_is_taken_out(cookies: list[tuple[bytes, bytes]]) -> None:
    injected = frozenset(fold(name) for name, _ in cookies[::2]) - {b""}
    header = b"; ".join(b"%b=%b" % cookie for cookie in cookies)
    expected = b"; ".join(b"%b=%b" % (name, value) for name, value in cookies if fold(name) not in injected | {b""})
    assert without_cookies(header, injected) == expected


@pytest.mark.parametrize(
    ("set_cookie", "ours"),
    [
        (b"__Host-ecluse=x; Path=/; Secure", True),
        (b"__host-ECLUSE=x", True),
        (b"__Host-ecluse-b=x", True),
        (b"__Host-ecluse", True),
        (b" __Host-ecluse =x", True),
        (b"=__Host-ecluse=x", True),
        (b'"__Host-ecluse"=x', True),
        (b"__Host-ecluse-theme=dark", True),
        (b"PHPSESSID=x", False),
        (b"\x0b=__Host-ecluse=y", True),
        (b"_[=__Host-ecluse=y", True),
        (b"x=__Host-ecluse=y", False),
        (b"x=1; __Host-ecluse=y", False),
        (b"__Host-other=x", False),
        (b"", False),
        (b";", False),
        (b"=", False),
    ],
)
def test_an_applications_cookie_of_our_names(set_cookie: bytes, ours: bool) -> None:
    assert is_ours(set_cookie) is ours


# --- both in one, of a line in the usual form: the same answers


def both(header: bytes) -> tuple[bytes | None, bytes] | None:
    try:
        return read_cookie(header, SESSION_COOKIE), without_cookies(header, INJECTED)
    except GatewayError:
        return None


def in_one(policy: CookiePolicy, header: bytes) -> tuple[bytes | None, bytes] | None:
    try:
        return policy.read(header)
    except GatewayError:
        return None


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (b"__Host-ecluse=a.b; JSESSIONID=0A; theme=clair", (b"a.b", b"JSESSIONID=0A; theme=clair")),
        (b"a=b; APP.USER=x; ctsession=; c=d", (None, b"a=b; c=d")),
        (b"a=1=app_user; __host-ecluse=x; __Host-ecluse-b=y", (None, b"a=1=app_user")),
        (b"__Host-ecluse=a; b=c; __Host-ecluse=a", None),
        (b"a=b; x=1,app_user=2", (None, b"a=b")),
        (b"", (None, b"")),
    ],
)
def test_what_one_application_gets_of_a_line(header: bytes, answer: tuple[bytes | None, bytes] | None) -> None:
    policy = CookiePolicy(INJECTED)
    assert in_one(policy, header) == both(header) == answer
    assert in_one(policy, header) == answer


usual_pairs = st.tuples(
    names | st.sampled_from([b"app_user", b"App-User", b"ctsession", b"__Host-ecluse", b"__host-ecluse-b"]),
    st.lists(st.sampled_from([bytes((byte,)) for byte in range(0x20, 0x100)]) | names, max_size=4).map(b"".join),
)


@given(st.lists(usual_pairs, max_size=6), st.sampled_from([b"; ", b";", b", ", b" "]))
def test_a_usual_line_is_read_as_any_other(pairs: list[tuple[bytes, bytes]], between: bytes) -> None:
    header = between.join(b"%b=%b" % pair for pair in pairs)
    assert in_one(CookiePolicy(INJECTED), header) == both(header)


@given(st.lists(pieces, max_size=14).map(b"".join))
def test_odd_lines_are_read_in_one_as_in_two(header: bytes) -> None:
    assert in_one(CookiePolicy(INJECTED), header) == both(header)


def test_names_are_remembered_and_no_more_than_some() -> None:
    policy = CookiePolicy(INJECTED)
    for number in range(5000):
        assert policy.read(b"app_user=1; n%d=1" % number) == (None, b"n%d=1" % number)
    policy.read(b"n" * 100 + b"=1")
    assert len(policy._dropped) <= 1024
    assert max(map(len, policy._dropped)) <= 64


# --- the language that a person has chosen


@pytest.mark.parametrize(
    ("cookies", "language"),
    [
        (b"", "en"),
        (b"__Host-ecluse-lang=fr", "fr"),
        (b"a=b;__Host-ecluse-lang=fr ; c=d", "fr"),
        (b"__Host-ecluse-lang=FR", "en"),
        (b'__Host-ecluse-lang="fr"', "en"),
        (b"__Host-ecluse-lang=de", "en"),
        (b"__Host-ecluse-lang=", "en"),
        (b"__Host-ecluse-lang", "en"),
        (b"x__Host-ecluse-lang=fr", "en"),
        (b"__host-ecluse-lang=fr", "en"),
        (b"__Host-ecluse-lang=fr; __Host-ecluse-lang=fr", "en"),
        (b"__Host-ecluse-lang=fr; __Host-ecluse-lang=en", "en"),
        (b"__Host-ecluse-lang=\xe9", "en"),
    ],
)
def test_the_cookie_counts_in_one_form_alone(cookies: bytes, language: str) -> None:
    assert language_asked(cookies, "en") == language


def test_what_is_set_is_read() -> None:
    pair = set_language("en").partition(";")[0].encode()
    assert language_chosen(b"a=b; " + pair) == "en"


# --- our two cookies: the one form that is believed

SEAT = b"s" * 22 + b"." + b"k" * 43
BINDING = b"b" * 43


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (SEAT, True),
        (b"A-_0" + b"s" * 18 + b"." + b"k" * 43, True),
        (b"", False),
        (SEAT + b"\n", False),
        (SEAT[:-1], False),
        (SEAT + b"k", False),
        (SEAT.replace(b".", b"_"), False),
        (b"/" * 22 + b"." + b"k" * 43, False),
        (b'"' + SEAT + b'"', False),
        ("é".encode() * 11 + b"." + b"k" * 43, False),
    ],
)
def test_a_seat_is_22_and_43_characters(value: bytes, expected: bool) -> None:
    assert is_seat(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [(BINDING, True), (BINDING[1:], False), (BINDING + b"\n", False), (b"=" * 43, False)]
)
def test_a_binding_is_43_characters(value: bytes, expected: bool) -> None:
    assert is_binding(value) is expected


def test_they_are_set_with_every_flag() -> None:
    flags = "; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert set_seat(SEAT) == f"__Host-ecluse={SEAT.decode()}{flags}"
    assert clear_seat() == f"__Host-ecluse={flags}; Max-Age=0"
    main, twin = set_binding(BINDING)
    assert main == f"__Host-ecluse-b={BINDING.decode()}{flags}"
    assert twin == f"__Host-ecluse-b-{binding_hash(BINDING)[:8]}={BINDING.decode()}{flags}; Max-Age=600"


def test_a_twin_is_found_by_the_hash_that_a_record_keeps() -> None:
    hash = binding_hash(BINDING)
    line = set_binding(BINDING)[1].partition(";")[0].encode()
    assert twins(b"a=b; " + line + b";c=d", hash) == [BINDING]
    assert twins(b"a=b", hash) == []
    assert twins(line + b"x", hash) == [], "another form"
    assert twins(b"x" + line, hash) == [], "another name"
