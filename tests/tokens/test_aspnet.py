"""Tickets of ASP.NET, against cookies that System.Web has made and against a reader that shares no code.

The recorded cookies are published with the tests of AspNetCore.LegacyAuthCookieCompat (github.com/dazinator), each with
the machineKey under which the .NET Framework made it. Mono's System.Web has another layout, and none of Framework45.
"""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model.errors import GatewayError
from gateway.tokens.aspnet import DECRYPTION_KEY_BYTES, VALIDATION_KEY_BYTES, machine_key, protected, serialized
from gateway.tokens.making import MadeTokens, described, folded_names, make
from gateway.tokens.spec import AspNetTicketSpec, Carrier, TokenClaim
from tests.tokens.aspnet_reader import HASHES, Keys, Ticket, opened, read
from tests.tokens.test_making import FOREVER, HELENE, NOW

RECORDED = {
    "Framework45": (
        Keys(
            "Framework45",
            "HMACSHA512",
            "58703273357638792F423F4528472B4B6250655368566D597133743677397A24"
            "432646294A404D635166546A576E5A7234753778214125442A472D4B61506452",
            "66556A586E3272357538782F413F442A472D4B6150645367566B597033733676",
        ),
        (
            "4155EDCD81DB4687336A024F636B54ADB352E25E6D8D89E393C407A041DE0F8DFCA382DF1B1135B89AE0C580CCCFEBBB497C609ECA0B1BDD"
            "B5875E166A5C230A547FDBF7B4BDCA6A67A55E4AFA8F24B2399EAA55B4C31C00E36239E897B78FA234BF3DAFCCDB85CCA205A21569A7F4A2"
            "3A7D0A2AD7780C3B55720574E72461675B30453CB214576453BF9D27DD6F2DA78BF74183728B5196D6772BA6031366CBC38A289B171251E7"
            "AEC8132B00F39E80D37E4331D97EDFE825840954C7D1FC274C68617C1D1A4B5973E4B977905E38EDE616EEC7AE22C0C2393BEDF95126063A"
        ),
        ("test@example.com", "84e456a0-dbae-4ef9-9828-1f80def0d749"),
    ),
    "Framework20SP2, HMACSHA512": (
        Keys(
            "Framework20SP2",
            "HMACSHA512",
            "B8D67E50B3C95378DD4ED7FE5110646251C6A67220FBF76ED5977B11BA64A049"
            "913D6FEE64A0FB5DC0EF7B80C920F2BFC3A49CD1116ED6EB5B52E20914781182",
            "185411B38AE7D4A9778A993D9F6A6830748D45C8D93C480FB43E91A361508FA7",
        ),
        (
            "0A833139A5369842BC3555F7E533E011A136190ECC5FE989DFD4D011E079BC6ABD478DA9E00A4063D8B93E7745AC7A01E51BDF0BF70EA413"
            "E713F41B272FEDAF4A7BF8EEEB7B011A1051C7D9F2D6D81041A59DE8F7F385C1CFDAA379F76C45B0EBF2DAEAF297E8FAE13A5905A8A37DF1"
            "A06FE488E3754E7B636649606853C97F52F6E1EE7F5B8FBB7B1367CB6D84FB62572A342D5913359819124CDBC997F453D07D86E22B9CA9D1"
            "DB52CFFF64AD3DDE96A3A255890D66DE030EBE7BDE03F48FAA8A5A8274B3AAC6FCDD3B2A99E220D4B2CA5DCD2D8D3549F776146A63394886"
            "9D4B5E1D1269ABB8EB729EF8DEDDB5E783ED6B13A607FF1879AC398C514211EBAF55BB94487FDBF5E619340F694F90AD7976B044B9B822A4"
            "37470A5A133EB826A6325CD09B6795DC746DCED1EF66A86E28AF5DC015E33119EF4E666FE3690E1E"
        ),
        ("4@@@@ca@ilevelsolutions.com", "1a4359f8-9d6f-431b-96bf-e83ce59c06f9"),
    ),
    "Framework20SP2, HMACSHA256": (
        Keys(
            "Framework20SP2",
            "HMACSHA256",
            "2863C5606B3711FC0857F47664552890E2B060A1C11A0B2221660B3137DB8538"
            "164F4813BC5E4AA319F8FE3EB86F3751ADE6A96241664988CBB1C99EAE09E7F4",
            "3C4D2EF2FD5FA7ADA0AE5E7BCC312A31E901AE4821218893",
        ),
        (
            "71AE29F3588ACE8E0097BA62E71B3E3ADC92FBEAFC2CBBD3FC3AC200EB6F78BC85CE111125F1ED0D7F4A54805F06F572A1D5FAD25A4DE014"
            "B54D199E6FBAF10A8674107BD78A310E589A49F2ADF6019785AF065C6677CF769D7CB17419D9BCAC35820862DEBC5894B4012B1406DD5B94"
            "248FBF87DA197BBE983A2E0A3068B6FDF83B076E387262534F946E1D861EF008EF7F7B630D7851525F1E883C9D973692"
        ),
        ("foo@bar.com", "foo@bar.com"),
    ),
}
KEYS = RECORDED["Framework45"][0]


def spec(keys: Keys = KEYS, **changes: Any) -> AspNetTicketSpec:
    known = AspNetTicketSpec(
        carrier=Carrier("cookie", ".ASPXAUTH"),
        account=TokenClaim("account", "uid"),
        user_data=None,
        path="/",
        compatibility=keys.compatibility,
        validation=keys.validation,
        validation_key=bytes.fromhex(keys.validation_key),
        decryption_key=bytes.fromhex(keys.decryption_key),
        life=300,
        spare=15,
    )
    return replace(known, **changes)


def chance(size: int) -> bytes:
    return bytes(range(size))


def made(of: AspNetTicketSpec, who: Any = HELENE, not_after: float = FOREVER) -> MadeTokens:
    return make([of], who, [], now=NOW, not_after=not_after, chance=chance)


def cookie_of(found: MadeTokens) -> str:
    name, _, value = found.cookies.partition(b"=")
    assert name == b".ASPXAUTH"
    return value.decode()


@pytest.mark.parametrize("name", RECORDED)
def test_what_the_framework_has_written_is_written_here_to_the_byte(name: str) -> None:
    """The crypto whole, by the same salt or vector; the ticket but for its version and the fractions of its seconds."""
    keys, cookie, (who, user_data) = RECORDED[name]
    theirs = opened(cookie, keys)
    assert protected(spec(keys), theirs.written, theirs.chance + bytes(32)) == cookie.encode()
    ours = serialized(spec(keys), name=who, user_data=user_data, issued=0, ends=0)
    assert (ours[0], ours[10], ours[19:]) == (theirs.written[0], theirs.written[10], theirs.written[19:])
    assert len(ours) == len(theirs.written)


@pytest.mark.parametrize("compatibility", ["Framework20SP1", "Framework20SP2", "Framework45"])
@pytest.mark.parametrize("validation", HASHES)
@pytest.mark.parametrize("size", DECRYPTION_KEY_BYTES)
def test_a_ticket_says_who_and_until_when(compatibility: str, validation: str, size: int) -> None:
    keys = Keys(compatibility, validation, "AB" * 64, "0C" * size)
    user_data = TokenClaim("UserData", "cn")
    found = made(spec(keys, user_data=user_data, path="/permis"))
    told = read(cookie_of(found), keys)
    ticks = 621_355_968_000_000_000
    assert told == Ticket(
        2, ticks + 1_800_000_000 * 10**7, ticks + 1_800_000_300 * 10**7, False, "helene", "Léa", "/permis"
    )
    assert (found.renew_at, found.ends) == (NOW + 150, 1_800_000_285)
    assert not found.headers


def test_it_ends_with_the_session() -> None:
    """Invariant 16."""
    told = read(cookie_of(made(spec(), not_after=NOW + 40)), KEYS)
    assert told.ends - told.issued == 55 * 10**7


def test_another_key_reads_nothing() -> None:
    cookie = cookie_of(made(spec()))
    for changed in (KEYS._replace(validation_key="AB" * 64), KEYS._replace(compatibility="Framework20SP2")):
        with pytest.raises(ValueError, match="another key"):
            read(cookie, changed)


def test_a_long_text_is_counted_in_units_of_utf_16() -> None:
    """Its length takes two bytes from 128 on, and a letter beyond the first plane has two units."""
    who = replace(HELENE, attributes={"uid": ("é" * 200 + "𝒜",)})
    assert read(cookie_of(made(spec(), who)), KEYS).name == "é" * 200 + "𝒜"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((), ".ASPXAUTH: this person has no account"),
        (("a", "b"), "claim account: 2 values"),
        (("a\0b",), "claim account: a control character"),
        (("admin ",), "claim account: white space at an end"),
    ],
)
def test_nobody_is_told_under_a_name_that_is_none(values: tuple[str, ...], why: str) -> None:
    who = replace(HELENE, attributes={"uid": values} if values else {})
    with pytest.raises(GatewayError) as refused:
        made(spec(), who)
    assert refused.value.code.id == "translation.unencodable"
    assert refused.value.detail.startswith(why)


def test_a_ticket_that_would_not_be_read_is_not_cut() -> None:
    who = replace(HELENE, attributes={"uid": ("x" * 1000,)})
    with pytest.raises(GatewayError, match=r"translation\.length"):
        made(spec(), who)


@pytest.mark.parametrize(
    ("content", "lengths", "why"),
    [
        (b"AB" * 20, VALIDATION_KEY_BYTES, ""),
        (b"ab" * 64, VALIDATION_KEY_BYTES, ""),
        (b"AB" * 19, VALIDATION_KEY_BYTES, "38 digits"),
        (b"AB" * 65, VALIDATION_KEY_BYTES, "130 digits"),
        (b"AB" * 16, DECRYPTION_KEY_BYTES, ""),
        # Of DES, or 3DES at 48 digits, which is not offered; these are AES with 192 bits.
        (b"AB" * 8, DECRYPTION_KEY_BYTES, "16 digits"),
        (b"AutoGenerate,IsolateApps", DECRYPTION_KEY_BYTES, "not hexadecimal digits"),
        ("é".encode(), DECRYPTION_KEY_BYTES, "not hexadecimal digits"),
    ],
)
def test_a_key_is_as_web_config_has_it(content: bytes, lengths: Any, why: str) -> None:
    if not why:
        assert machine_key(content, lengths).hex().upper().encode() == content.upper()
    else:
        with pytest.raises(ValueError, match=why):
            machine_key(content, lengths)


def test_what_is_described_can_be_used_by_nobody() -> None:
    of = spec(user_data=TokenClaim("UserData", "cn"))
    assert described([of], HELENE) == (
        {},
        {
            ".ASPXAUTH": "(ASP.NET ticket, Framework45, AES and HMACSHA512, 300 s)"
            ' {"Name": "helene", "UserData": "Léa", "CookiePath": "/"}'
        },
    )
    assert "key" not in repr(of)
    assert folded_names([of], "cookie") == {b"aspxauth"}
