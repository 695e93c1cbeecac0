from gateway.oidc.call import Call, ProviderResponse


def test_what_is_logged_of_a_call_holds_no_secret() -> None:
    call = Call(
        "token answer", "POST", "https://op.example/token", (("Authorization", "Basic s3cret"),), b"code=s3cret"
    )
    assert "s3cret" not in repr(call)
    assert "https://op.example/token" in repr(call)


def test_what_is_logged_of_an_answer_holds_no_token() -> None:
    assert "s3cret" not in repr(ProviderResponse(200, "application/json", b'{"access_token": "s3cret"}'))
