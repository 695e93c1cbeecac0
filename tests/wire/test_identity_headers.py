"""HS02: the names by which known gateways and products tell who is calling."""

import pytest

from gateway.translation.render import Translation
from gateway.translation.specs import FromAttribute, HeaderSpec
from gateway.wire.headers import HeaderPolicy
from gateway.wire.identity_headers import IDENTITY


def judge(name: bytes, injected: frozenset[bytes] = frozenset()) -> object:
    return HeaderPolicy.compile(injected).learn(name)


@pytest.mark.parametrize("name", sorted({name for names in IDENTITY.values() for name in names}))
def test_a_name_of_a_known_product_is_dropped_in_every_spelling(name: str) -> None:
    for behind in ("User", "x-y") if name.endswith("*") else ("",):
        spelled = (name.removesuffix("*") + behind).encode()
        dots = spelled.replace(b"-", b".")
        for one in (
            spelled,
            spelled.lower(),
            spelled.upper(),
            dots,
            b"-" + spelled,
            b"~" + dots.lower(),
            spelled + b"!",
        ):
            assert judge(one) is None, one
        assert judge(spelled.replace(b"-", b"_")) is None or b"-" not in spelled


@pytest.mark.parametrize(
    "name",
    [b"Authority", b"Authentication-Info", b"Smart-Card", b"Smart-Client", b"SM", b"IV", b"Ctx-Id", b"Cast-Id",
     b"Cascade", b"Ivory-Tower", b"Oamaru", b"Ajp13", b"Gaping-Hole", b"Tailscaled", b"Sec-Fetch-User", b"Sec-CH-UA",
     b"Sec-GPC", b"Sec-WebSocket-Protocol", b"Title", b"uid", b"X-Users", b"X-Tokenizer", b"X-Amzn-Trace-Id",
     b"X-Goog-Api-Key", b"X-MS-Version", b"Cf-Ray", b"Proxying", b"Cnx", b"X-Consumers", b"Ws-At-Home",
     b"X-User-Agent", b"X-User-Token", b"X-Grafana-Org-Id", b"X-Grafana-Device-Id", b"X-Scope", b"X-Cosmoses",
     b"X-Rolestone", b"X-TLS-Version", b"X-Groupware"],
)  # fmt: skip
def test_a_beginning_counts_with_a_separator_behind_it(name: bytes) -> None:
    assert judge(name) == b"\r\n" + name + b": "


@pytest.mark.parametrize("name", [b"FrEduVecteur", b"freduvecteur", b"FREDU-Vecteur", b"Fr-Edu-Rne"])
def test_all_that_begins_as_those_of_the_education_nationale_is_dropped(name: bytes) -> None:
    """Its téléservices have more of them than anybody lists."""
    assert judge(name) is None


def test_what_an_application_injects_is_dropped_of_clients_only() -> None:
    """The files of old applications go on to name these."""
    names = sorted({name for names in IDENTITY.values() for name in names if "$" not in name})
    for name in names:
        spec = HeaderSpec(name.replace("*", "User"), FromAttribute("uid"))
        folds = Translation.compile((spec,), ()).header_folds
        assert judge(spec.name.encode(), folds) is None
