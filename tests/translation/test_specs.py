import pytest

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.translation.specs import parse_template
from tests.growth import is_linear


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{uid}", ("", "uid", "")),
        ("{given_name} {family_name}", ("", "given_name", " ", "family_name", "")),
        ("uid={uid},ou=agents", ("uid=", "uid", ",ou=agents")),
        ("{{{uid}}}", ("{", "uid", "}")),
        ("{uid}{uid}", ("", "uid", "", "uid", "")),
    ],
)
def test_a_template_is_texts_and_names_by_turns(text: str, parts: tuple[str, ...]) -> None:
    template = parse_template(text)
    assert template.parts == parts
    assert template.names == parts[1::2]


@pytest.mark.parametrize(
    "text", ["", "x", "{", "{uid", "}", "a}b{uid}", "{}", "{a b}", "{{uid}}", "{uid!r}", "{uid.x}", "{a:>5}"]
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(GatewayError) as refused:
        parse_template(text)
    assert refused.value.code is translation_codes.SPEC


@pytest.mark.parametrize("piece", ["a", "{{", "{uid}"])
def test_a_long_template_takes_no_more_than_its_length(piece: str) -> None:
    assert is_linear(lambda size: lambda: parse_template("{uid}" + piece * size), small=2_000, large=200_000)
