"""Two other implementations over the forged responses and over good ones: where they take what we refuse, or refuse
what we take, is written down, to the line."""

import tomllib
from pathlib import Path
from typing import get_args
from unittest import mock

import pytest
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from gateway.model.errors import GatewayError
from gateway.portal.saml.other_implementations import Accepted, other_implementation
from gateway.saml.document import parse
from gateway.saml.parties import OtherImplementation
from tests.saml import second_opinions
from tests.saml.forgeries import FORGERIES
from tests.saml.forging import Forgery, saying
from tests.saml.scene import ASKED, ASKED_FOR, METADATA, NOW, SCENE, SP, provider, validated
from tests.saml.second_opinions import LARGEST, OPINIONS
from tests.saml.valid import Valid, valid_responses

_BESIDE = Path(second_opinions.__file__).parent
LISTED = tomllib.loads((_BESIDE / "opinions.toml").read_text())
REFUSED = tomllib.loads((_BESIDE / "refused_by_others.toml").read_text())
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


def second_opinion(by: OtherImplementation, valid: Valid) -> str:
    """As it is asked where `saml.second_opinion` says so; empty where it agrees."""
    document, of = parse(valid.make(SCENE)), provider(**valid.settings)
    assertion = validated(document.octets, of=of)
    with mock.patch.object(OneLogin_Saml2_Utils, "now", staticmethod(lambda: NOW)):
        try:
            other_implementation(by)(Accepted(document, assertion, of, METADATA, SP, ASKED, "post", NOW))
        except Exception as refused:
            return str(refused) if type(refused).__name__ == "DoesNotAgree" else type(refused).__name__
    return ""


@pytest.mark.parametrize("by", get_args(OtherImplementation))
def test_what_it_refuses_of_good_responses_is_on_the_list_with_its_reason(by: OtherImplementation) -> None:
    reasons = {id: reason for reason, ids in REFUSED[by].items() for id in ids}
    for id, valid in USUAL.items():
        found = second_opinion(by, valid)
        assert found.startswith(reasons.get(id, "")), id
        assert bool(found) == (id in reasons), f"{id}: {found}"
    assert reasons.keys() <= USUAL.keys()
