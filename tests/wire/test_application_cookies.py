"""An application's own cookies between browsers and the application: hidden, renamed, kept to one host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.names import fold
from gateway.wire.application_cookies import ApplicationCookies, CookieRules

OURS = b"__Host-ecluse=abc"
INJECTED = frozenset({fold(b"CTSESSION")})
HIDDEN = ApplicationCookies(CookieRules(hidden=("PHPSESSID",)), INJECTED)
ALL = ApplicationCookies(CookieRules(hidden=("*",), visible=("lang",)), INJECTED)
RENAMED = ApplicationCookies(CookieRules(prefix="permis_", visible=("lang",), host_only=True), INJECTED)
BOTH = ApplicationCookies(CookieRules(hidden=("PHPSESSID",), prefix="permis_"), INJECTED)


def line(*pairs: bytes) -> bytes:
    return b"; ".join((OURS, *pairs))


def test_what_is_not_hidden_goes_on_as_it_is() -> None:
    assert HIDDEN.read(line(b"a=1", b"PHPSESSID=x", b"b=2")) == (b"abc", b"a=1; b=2")


@pytest.mark.parametrize(
    "forged",
    [
        b"PHPSESSID=x", b"phpsessid=x", b"PHP_SESSID=x", b"PHPSESSID[0]=x", b'a="b, PHPSESSID=x"', b"PHP%53ESSID=x",
        b"CTSESSION=x", b"=PHPSESSID=x", b'q="; PHPSESSID=x', b"a=1,PHPSESSID=x", b"__Host-ecluse-c=1.2",
    ],
)  # fmt: skip
def test_a_client_says_no_hidden_cookie_in_any_reading(forged: bytes) -> None:
    """Invariant 3: a hidden cookie is one that the gateway alone says."""
    for cookies, prefix in ((HIDDEN, b""), (BOTH, b""), (ALL, b""), (BOTH, b"permis_")):
        _, rest = cookies.read(line(prefix + forged))
        assert b"x" not in rest
        assert b"ecluse" not in rest


def test_where_all_are_hidden_only_those_that_are_named_go_on() -> None:
    assert ALL.read(line(b"theme=dark", b"lang=fr", b"lang[0]=de", b" lang =x")) == (b"abc", b"lang=fr")
    assert ALL.read(b'lang="fr; x') == (None, b'lang="fr')


def test_renamed_ones_come_back_by_their_own_name_and_no_others() -> None:
    brought = line(b"permis_JSESSIONID=1", b"paie_JSESSIONID=2", b"JSESSIONID=3", b"lang=fr", b"__Host-permis_a=4")
    assert RENAMED.read(brought) == (b"abc", b"JSESSIONID=1; lang=fr; __Host-a=4")
    assert RENAMED.read(line(b"permis_lang=x", b"permis_=y", b"__Secure-permis_b=5", b"lang=fr")) == (
        b"abc",
        b"__Secure-b=5; lang=fr",
    )


@pytest.mark.parametrize("name", [b"CTSESSION", b"ct_session", b"__Host-ecluse", b"CTSESSION[0]"])
def test_without_its_prefix_a_name_is_judged_again(name: bytes) -> None:
    assert RENAMED.read(line(b"permis_" + name + b"=forged"))[1] == b""


def test_what_browsers_get() -> None:
    assert RENAMED.edited(b"JSESSIONID=1; Domain=example.org; Path=/; domain") == b"permis_JSESSIONID=1; Path=/"
    assert RENAMED.edited(b"__Host-a=1; Secure; Path=/") == b"__Host-permis_a=1; Secure; Path=/"
    assert RENAMED.edited(b"__secure-a=1; Secure") == b"__secure-permis_a=1; Secure"
    assert RENAMED.edited(b"lang=fr; Path=/") == b"lang=fr; Path=/"
    assert HIDDEN.edited(b"a=1; Domain=example.org") == b"a=1; Domain=example.org"


def test_what_a_browser_brought_of_it() -> None:
    brought = line(b"permis_a=1", b"__Host-permis_b=2", b"other=3", b"lang=fr", b"permis_a=4", b"permis_x[0]=5", b"")
    assert RENAMED.brought(brought) == [b"permis_a", b"__Host-permis_b"]
    assert HIDDEN.brought(brought + b"; __host-Ecluse-c=1") == [
        b"permis_a", b"__Host-permis_b", b"other", b"lang",
    ]  # fmt: skip


def test_what_no_browser_gets() -> None:
    assert [
        HIDDEN.hides(value)
        for value in (b"PHPSESSID=1", b"phpsessid=1; Path=/", b"=PHPSESSID=1", b"x", b"", b"PHPSESSID[0]=1")
    ] == ([True] * 6)
    assert [HIDDEN.hides(value) for value in (b"a=PHPSESSID", b"PHPSESSID2=1")] == [False] * 2
    assert [ALL.hides(value) for value in (b"a=1", b"lang=fr", b"LANG=fr")] == [True, False, True]


def test_the_jar_says_nothing_that_is_injected() -> None:
    assert HIDDEN.of_jar(b"PHPSESSID=1; ct_session=x") == b"PHPSESSID=1"
    assert HIDDEN.of_jar(b'PHPSESSID="1, CTSESSION=x"; b=2') == b"b=2"


NAMES = st.from_regex(r"(__Host-|__Secure-)?[A-Za-z0-9!#$&'*+.^_`|~-]{1,20}", fullmatch=True).map(str.encode)


@given(NAMES)
def test_a_renamed_cookie_comes_back_as_it_went(name: bytes) -> None:
    given_name = RENAMED.edited(name + b"=v").partition(b"=")[0]
    _, rest = RENAMED.read(given_name + b"=v")
    folded = fold(name)
    if folded and folded not in INJECTED and not folded.startswith(b"hostecluse") and name != b"__Host-":
        assert rest in (name + b"=v", b"")
        assert rest or name.lower() in (b"__host-", b"__secure-")


@given(st.binary(max_size=120))
def test_whatever_a_client_sends_no_prefix_means_nothing(text: bytes) -> None:
    _, rest = ApplicationCookies(CookieRules(prefix="p_"), INJECTED).read(b"a=1; " + text.replace(b"p_", b"q_"))
    assert rest == b""
