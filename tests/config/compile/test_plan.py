import json

from gateway.config.compile.plan import encode_plan, gateway_plan, plan_lines, revision_of
from tests.config.samples import sample_plan


def test_a_plan_is_one_json_object_a_line() -> None:
    lines = list(plan_lines(sample_plan()))
    assert [list(json.loads(line)) for line in lines] == [["gateway"], ["provider"], ["rules"], ["app"]]
    assert b"".join(lines) == sample_plan()
    assert gateway_plan(lines[0])["portal_host"] == "portail.localhost"


def test_the_same_values_give_the_same_bytes() -> None:
    gateway = gateway_plan(next(plan_lines(sample_plan())))
    assert encode_plan(gateway, [], []) == encode_plan(gateway, [], [])
    assert revision_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_folder_may_have_any_name() -> None:
    gateway = gateway_plan(next(plan_lines(sample_plan())))
    gateway["state_folder"] = "/srv/\udce9"
    assert gateway_plan(encode_plan(gateway, [], []))["state_folder"] == "/srv/\udce9"


def test_a_text_with_line_ends_stays_in_its_line() -> None:
    gateway = gateway_plan(next(plan_lines(sample_plan())))
    gateway["admin"] = "a\nb\rc\u2028d\x85e"
    (line,) = plan_lines(encode_plan(gateway, [], []))
    assert gateway_plan(line)["admin"] == "a\nb\rc\u2028d\x85e"
