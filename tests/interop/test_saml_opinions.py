"""Two other implementations over the forged responses: where they take what we refuse is written down, to the line."""

import tomllib
from pathlib import Path

import pytest

from gateway.model.errors import GatewayError
from tests.saml import second_opinions
from tests.saml.forgeries import FORGERIES
from tests.saml.forging import Forgery, saying
from tests.saml.scene import ASKED_FOR, SCENE, provider, validated
from tests.saml.second_opinions import LARGEST, OPINIONS

LISTED = tomllib.loads((Path(second_opinions.__file__).parent / "opinions.toml").read_text())

# python3-saml asks the time in a way that Python 3.12 warns of.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("name", OPINIONS)
def test_what_is_not_forged_signs_in_with_each(name: str) -> None:
    good = Forgery("good", "", FORGERIES[0].code, saying())
    assert validated(good.make(SCENE))
    assert OPINIONS[name](good.make(SCENE), good)


@pytest.mark.parametrize("name", OPINIONS)
def test_a_difference_is_on_the_list_and_what_is_on_the_list_is_a_difference(name: str) -> None:
    taken = set()
    for forgery in FORGERIES:
        document = forgery.make(SCENE)
        with pytest.raises(GatewayError):
            validated(document, of=provider(**forgery.settings), asked=ASKED_FOR[forgery.asked])
        if len(document) <= LARGEST and OPINIONS[name](document, forgery):
            taken.add(forgery.id)
    listed = set(LISTED[name])
    assert taken - listed == set(), "taken by it, and not on the list"
    assert listed - taken == set(), "on the list, and no longer taken"


def test_each_difference_names_a_section() -> None:
    assert set(LISTED) == set(OPINIONS)
    for differences in LISTED.values():
        assert all(any(character.isdigit() for character in section) for section in differences.values())
