import pytest

from gateway.model.errors import GatewayError
from gateway.stores.people.told_forms import SEEN_AS, SEEN_PERSON, TOLD_NAME, TOLD_USER, KeptUser, SeenPerson


def test_what_is_kept_comes_back() -> None:
    user = KeptUser("7", "hélène", None, 1, 2)
    assert TOLD_USER.read(TOLD_USER.write(user)) == user
    person = SeenPerson("https://op.example", "é")
    assert SEEN_PERSON.read(SEEN_PERSON.write(person)) == person
    assert TOLD_NAME.read(TOLD_NAME.write("7")) == "7"
    assert SEEN_AS.read(SEEN_AS.write(("é", "7"))) == ("é", "7")


@pytest.mark.parametrize("form", [TOLD_USER, SEEN_PERSON, TOLD_NAME, SEEN_AS])
@pytest.mark.parametrize("data", [b"\xff", b"\xc3\xa9"])
def test_another_releases_form_is_no_fault(form: object, data: bytes) -> None:
    with pytest.raises(GatewayError):
        form.read(data)  # type: ignore[attr-defined]
