import pytest

from gateway.formlogin.account import account_of, credential_of
from gateway.formlogin.spec import TrustedAccount
from gateway.model.codes import form_login_codes
from gateway.model.credential import Credential
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity


def who(**attributes: tuple[str, ...]) -> Identity:
    return Identity(provider="metropole", issuer="https://op.example", subject="s1", attributes=attributes)


def test_it_is_an_attribute_of_the_person_or_one_for_everybody() -> None:
    assert account_of(TrustedAccount("uid"), who(uid=("helene",))) == "helene"
    assert account_of(TrustedAccount("subject"), who()) == "s1"
    assert account_of(TrustedAccount(None, "svc"), who()) == "svc"


@pytest.mark.parametrize(
    "values", [(), ("",), ("a", "b"), ("helene ",), (" helene",), ("hel\nene",), ("\u00a0helene",)]
)
def test_whose_account_is_not_clear_has_none(values: tuple[str, ...]) -> None:
    with pytest.raises(GatewayError) as refused:
        account_of(TrustedAccount("uid"), who(uid=values))
    assert refused.value.code is form_login_codes.ACCOUNT
    assert "hel" not in refused.value.detail


def test_its_secret_is_that_of_all_or_the_person_s_own() -> None:
    helene = Identity("metropole", "https://op.example", "s1", {"uid": ("helene",), "secret:grr": ("à elle",)})
    assert credential_of(TrustedAccount("uid", secret="de tous"), helene) == Credential("helene", "de tous")
    assert credential_of(TrustedAccount("uid", secret_attribute="secret:grr"), helene) == Credential("helene", "à elle")
    with pytest.raises(GatewayError) as refused:
        credential_of(TrustedAccount("uid", secret_attribute="secret:grr"), who(uid=("paul",)))
    assert (refused.value.code, refused.value.detail) == (
        form_login_codes.ACCOUNT,
        "form_login: no directory gives this person a secret",
    )
