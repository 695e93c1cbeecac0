from gateway.model.codes.code import Code


def test_a_code_without_a_status_has_no_page() -> None:
    code = Code("saml.metadata.gone", 0)
    assert (code.status, code.title, code.advice) == (0, "", "")
