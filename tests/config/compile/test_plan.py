import json
from dataclasses import replace

import pytest

from gateway.config.compile.build import build, build_gateway
from gateway.config.compile.plan import (
    decode_line,
    encode_plan,
    hosts_of_plan,
    lines_of,
    names_of,
    plan_lines,
    revision_of,
)
from gateway.config.snapshot import Gateway
from tests.config.samples import PERMIS, sample_plan


def gateway() -> Gateway:
    return build_gateway(sample_plan())


def test_a_plan_is_one_json_object_a_line() -> None:
    lines = list(plan_lines(sample_plan()))
    assert [list(json.loads(line)) for line in lines] == [
        ["Gateway"],
        ["OidcProvider"],
        ["AccessRules"],
        ["Application"],
    ]
    assert b"".join(lines) == sample_plan()
    assert gateway().portal_host == "portail.localhost"


def test_the_same_values_give_the_same_bytes() -> None:
    assert encode_plan([gateway()]) == encode_plan([gateway()])
    assert revision_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_folder_may_have_any_name() -> None:
    odd = replace(gateway(), state_folder="/srv/\udce9")
    assert decode_line(encode_plan([odd])) == odd


def test_a_text_with_line_ends_stays_in_its_line() -> None:
    odd = replace(gateway(), admin="a\nb\rc\u2028d\x85e")
    (line,) = plan_lines(encode_plan([odd]))
    assert decode_line(line) == odd


def test_a_line_that_says_less_or_more_is_no_plan() -> None:
    first, *rest = plan_lines(sample_plan())
    value = json.loads(first)
    for change in ({"workers": "2"}, {"unknown": 1}):
        changed = json.dumps({"Gateway": {**value["Gateway"], **change}}).encode() + b"\n"
        with pytest.raises(ValueError, match=r"^not "):
            build(b"".join((changed, *rest)))
    with pytest.raises(ValueError, match="without a gateway"):
        build(b"".join(rest))


def test_a_plan_tells_the_hosts_of_each_app_file_and_none_of_shadows() -> None:
    plan = sample_plan({"apps/next.yaml": PERMIS.replace("app: permis", "shadow: true\napp: permis")})
    assert hosts_of_plan(plan) == {"apps/permis.yaml": ("permis.localhost",)}


def test_a_plan_tells_what_it_serves_by_name() -> None:
    plan = sample_plan({"apps/next.yaml": PERMIS.replace("app: permis", "shadow: true\napp: permis")})
    assert names_of(plan) == (("permis",), ("metropole",), ())
    assert list(lines_of(plan, Gateway)) == [gateway()]
