from gateway.policy.facts import NO_FACTS, Facts


def test_without_facts_there_is_no_request_and_no_tenant() -> None:
    assert (NO_FACTS.method, NO_FACTS.tenant, NO_FACTS.asked) == ("", None, None)
    assert Facts("GET") == Facts(method="GET")
