from gateway.model.assertion import NameId, SamlAttribute


def test_a_value_is_in_no_log_line() -> None:
    assert "secret" not in repr(SamlAttribute("n", None, ("secret",)))


def test_an_attribute_that_is_absent_is_not_an_empty_one() -> None:
    assert NameId("x") != NameId("x", format="")


def test_an_empty_qualifier_is_another_name_than_none() -> None:
    assert NameId("h.durand", name_qualifier="") != NameId("h.durand")
