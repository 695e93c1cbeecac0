from deploy.demo.ports import free, own_block

AMANDA = 10_080
"""The highest port that browsers and Node refuse to speak to (WHATWG Fetch 2.9)."""


def test_no_port_is_given_that_a_browser_refuses_to_speak_to() -> None:
    assert min(own_block().ports) > AMANDA


def test_the_ports_of_one_call_differ() -> None:
    assert len({*free(8)}) == 8
