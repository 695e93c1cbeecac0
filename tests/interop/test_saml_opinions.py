"""Two other implementations read the forged responses, and python3-saml the good ones: each difference from our
verdict is on a list."""

import tomllib
from pathlib import Path
from unittest import mock

import pytest
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from gateway.model.errors import GatewayError
from gateway.portal.saml.other_implementation import Accepted, ask_python3_saml
from gateway.saml.document import parse
from tests.saml import second_opinions
from tests.saml.forgeries import FORGERIES
from tests.saml.forging import Forgery, saying
from tests.saml.scene import ASKED, ASKED_FOR, METADATA, NOW, SCENE, SP, provider, validated
from tests.saml.second_opinions import LARGEST, OPINIONS
from tests.saml.valid import Valid, valid_responses

_BESIDE = Path(second_opinions.__file__).parent
LISTED = tomllib.loads((_BESIDE / "opinions.toml").read_text())
REFUSED = tomllib.loads((_BESIDE / "refused_by_python3_saml.toml").read_text())
USUAL = {valid.id.removesuffix(", now"): valid for valid in valid_responses(NOW) if valid.id.endswith(", now")}

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


def second_opinion(valid: Valid) -> str:
    """As it is asked where `saml.second_opinion` says so; empty where it agrees."""
    document, of = parse(valid.make(SCENE)), provider(**valid.settings)
    assertion = validated(document.octets, of=of)
    with mock.patch.object(OneLogin_Saml2_Utils, "now", staticmethod(lambda: NOW)):
        try:
            ask_python3_saml(Accepted(document, assertion, of, METADATA, SP, ASKED, "post", NOW))
        except Exception as refused:
            return str(refused) if type(refused).__name__ == "DoesNotAgree" else type(refused).__name__
    return ""


def test_what_it_refuses_of_good_responses_is_on_the_list_with_its_reason() -> None:
    reasons = {id: reason for reason, ids in REFUSED.items() for id in ids}
    for id, valid in USUAL.items():
        found = second_opinion(valid)
        assert found.startswith(reasons.get(id, "")), id
        assert bool(found) == (id in reasons), f"{id}: {found}"
    assert reasons.keys() <= USUAL.keys()
