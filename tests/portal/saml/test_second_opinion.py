"""A second opinion of python3-saml itself on Responses that were accepted: it refuses, and never admits."""

import asyncio
import json
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.portal.report import Report
from gateway.portal.saml import second_opinion
from gateway.portal.saml.other_implementation import Accepted, ask_python3_saml
from gateway.portal.saml.second_opinion import SecondOpinions
from gateway.saml.parties import SecondOpinion
from tests.patience import PATIENCE
from tests.portal.saml.region import OTHER_KEY, Region, metadata
from tests.saml.parties import pair

# python3-saml asks the time in a way that Python 3.12 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")


def wants(region: Region, *, deny: bool = True) -> None:
    gateway = replace(region.here.snapshot.gateway, second_opinion=SecondOpinion("python3-saml", deny))
    region.here.snapshot = replace(region.here.snapshot, gateway=gateway)


def counted(region: Region, verdict: str) -> float:
    return region.here.counters.values.get(("ecluse_saml_second_opinion_total", "python3-saml", verdict), 0)


def told(region: Region) -> list[dict[str, str]]:
    return [line for line in region.here.logged() if line["event"] == "saml.second_opinion"]


async def test_what_both_accept_signs_in(region: Region) -> None:
    wants(region)
    page = await region.signed_in(region.person())
    assert told(region) == []
    assert page.url.endswith("/dossier?id=7")
    assert counted(region, "agree") == 1


async def test_nobody_is_asked_where_the_file_names_none(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "ask_python3_saml", never)
    assert (await region.signed_in(region.person())).status == 200


async def test_it_opens_what_is_encrypted_with_each_of_our_keys(region: Region) -> None:
    """While one key replaces another, a provider may still encrypt for the second."""
    wants(region)
    gateway = region.here.snapshot.gateway
    assert gateway.service_provider is not None
    both = replace(gateway.service_provider, keys=(pair("sp-next"), *gateway.service_provider.keys))
    region.here.snapshot = replace(region.here.snapshot, gateway=replace(gateway, service_provider=both))
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked, encrypted=True), asked.relay_state)
    assert (await person.follow(reply)).url.endswith("/dossier?id=7")
    assert counted(region, "agree") == 1


async def test_a_provider_that_changes_its_keys_has_two(region: Region) -> None:
    wants(region)
    region.here.saml_metadata.known["region"] = metadata(pair("idp"), OTHER_KEY)
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked, key=OTHER_KEY), asked.relay_state)
    assert (await person.follow(reply)).url.endswith("/dossier?id=7")


async def test_it_admits_nobody_whom_we_refuse(region: Region) -> None:
    """It is not even asked: what it would say of a comment in a NameID is known (tests/saml/opinions.toml)."""
    wants(region)
    person = region.person()
    asked = await region.asked(person)
    forged = region.response(asked, key=OTHER_KEY)
    reply = await region.answer(person, forged, asked.relay_state)
    assert reply.status == 403
    assert region.here.codes()[-1] == "saml.signature"
    assert sum(counted(region, verdict) for verdict in ("agree", "disagree", "failed")) == 0


@pytest.mark.parametrize("mode", ["log", "deny"])
async def test_what_it_refuses_is_told_and_refused_where_the_file_says_so(
    region: Region, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    def other_audience(accepted: Accepted) -> None:
        sp = replace(accepted.sp, entity_id="https://another.example")
        ask_python3_saml(replace(accepted, sp=sp))

    monkeypatch.setattr(second_opinion, "ask_python3_saml", other_audience)
    wants(region, deny=mode == "deny")
    page = await region.signed_in(region.person())
    (line,) = told(region)
    assert (line["by"], line["verdict"], line["provider"]) == ("python3-saml", "disagree", "region")
    assert line["theirs"] == '"https://another.example is not a valid audience for this Response"'
    assert line["ours"].startswith("Assertion signed by https://idp.region.example/metadata, InResponseTo _")
    assert "alice" not in json.dumps(line)
    assert counted(region, "disagree") == 1
    if mode == "log":
        assert page.url.endswith("/dossier?id=7")
    else:
        assert page.status == 403
        assert region.here.codes()[-1] == "saml.second_opinion"


async def test_one_who_reads_another_person_does_not_agree(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a wrapped signature comes to: both find it good, and read two people."""
    wants(region)

    def other_person(accepted: Accepted) -> None:
        name_id = accepted.assertion.name_id
        assert name_id is not None
        other = replace(accepted.assertion, name_id=replace(name_id, value="bob"))
        ask_python3_saml(replace(accepted, assertion=other))

    monkeypatch.setattr(second_opinion, "ask_python3_saml", other_person)
    assert (await region.signed_in(region.person())).status == 403
    assert told(region)[0]["theirs"] == '"it reads another NameID"'


async def test_one_who_reads_another_value_does_not_agree(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    wants(region)

    def other_value(accepted: Accepted) -> None:
        first, *rest = accepted.assertion.attributes
        changed = replace(accepted.assertion, attributes=(replace(first, values=("mallory@x.example",)), *rest))
        ask_python3_saml(replace(accepted, assertion=changed))

    monkeypatch.setattr(second_opinion, "ask_python3_saml", other_value)
    assert (await region.signed_in(region.person())).status == 403
    assert told(region)[0]["theirs"].startswith('"it reads other values of ')
    assert "mallory" not in json.dumps(told(region))


@pytest.mark.parametrize(("deny", "status"), [(False, 200), (True, 503)])
async def test_a_fault_of_theirs_is_no_word_and_quotes_nothing(
    region: Region, monkeypatch: pytest.MonkeyPatch, deny: bool, status: int
) -> None:
    def fails(accepted: Accepted) -> None:
        raise RuntimeError("alice's own value")

    monkeypatch.setattr(second_opinion, "ask_python3_saml", fails)
    wants(region, deny=deny)
    assert (await region.signed_in(region.person())).status == status
    (line,) = told(region)
    assert (line["verdict"], line["theirs"]) == ("failed", "RuntimeError")
    assert counted(region, "failed") == 1
    assert not deny or region.here.codes()[-1] == "saml.second_opinion.failed"


async def test_one_that_takes_too_long_is_not_waited_for(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody else waits behind it: those who come meanwhile are told no word either."""
    over = threading.Event()
    monkeypatch.setattr(second_opinion, "ask_python3_saml", lambda accepted: over.wait(10 * PATIENCE))
    monkeypatch.setattr(second_opinion, "WITHIN", 0.1)
    wants(region, deny=False)
    try:
        for _ in range(2):
            signing_in = region.signed_in(region.person())
            assert (await asyncio.wait_for(signing_in, PATIENCE)).status == 200, "it was waited for"
        assert [line["theirs"] for line in told(region)] == ["no answer within 0.1 s"] * 2
    finally:
        over.set()


async def test_one_providers_long_documents_are_waited_for_by_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six of one provider, none of which comes back, and one of another: more than there are threads."""
    over, slow_ones = threading.Event(), []

    def ask(accepted: Accepted) -> None:
        if accepted.provider.name == "slow":
            slow_ones.append(accepted)
            over.wait(30)

    monkeypatch.setattr(second_opinion, "WITHIN", 0.2)
    monkeypatch.setattr(second_opinion, "ask_python3_saml", ask)
    opinions = SecondOpinions(cast(Report, None))
    try:
        slow = [opinions._opinion(from_provider("slow")) for _ in range(6)]
        told = await asyncio.gather(*slow, opinions._opinion(from_provider("quick")))
        assert told[:-1] == [("failed", "no answer within 0.2 s")] * 6
        assert told[-1] == ("agree", "")
        assert len(slow_ones) == 1, "those behind the first had no turn"
    finally:
        over.set()
        opinions.close()


async def test_a_provider_has_its_turn_again_when_the_thread_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(second_opinion, "WITHIN", 0.2)
    monkeypatch.setattr(second_opinion, "ask_python3_saml", lambda accepted: over.wait(30))
    opinions = SecondOpinions(cast(Report, None))
    try:
        assert (await opinions._opinion(from_provider("slow")))[0] == "failed"
        over.set()
        monkeypatch.setattr(second_opinion, "WITHIN", 10)
        assert await opinions._opinion(from_provider("slow")) == ("agree", "")
    finally:
        over.set()
        opinions.close()


async def test_what_is_too_large_is_not_shown_to_it(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "ask_python3_saml", never)
    monkeypatch.setattr(second_opinion, "LARGEST", 1000)
    wants(region, deny=True)
    assert (await region.signed_in(region.person())).status == 503
    assert told(region)[0]["theirs"].endswith("bytes, over 1000")


async def test_no_more_wait_than_can_be_looked_at_in_time(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "ask_python3_saml", never)
    monkeypatch.setattr(second_opinion, "_MOST_WAITING", 0)
    wants(region, deny=False)
    assert (await region.signed_in(region.person())).status == 200
    assert told(region)[0]["theirs"] == "0 responses of region wait for it"


def from_provider(name: str) -> Accepted:
    """As much of one as is looked at before an implementation is asked."""
    document = SimpleNamespace(octets=b"<Response/>")
    return cast(Accepted, SimpleNamespace(document=document, provider=SimpleNamespace(name=name)))


def never(accepted: Accepted) -> None:
    raise AssertionError("nobody is to be asked")
