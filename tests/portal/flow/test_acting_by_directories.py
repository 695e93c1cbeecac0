"""Somebody acts for an organisation because a directory says so: a teacher who is a mayor as well chooses who to be."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.directories.index import index_path
from gateway.directories.indexing import make_index
from gateway.identity.directories import known_with
from gateway.model.directory import ActsFor, Directory, FileSource, GivenAttribute, KeyPart
from gateway.model.mandate import TermColumns
from gateway.model.session import Seat
from tests.portal.browser import Browser
from tests.portal.flow.test_acting import COMMUNE, LYCEE, OTHER, SOURCES, acts_for, arrived, choose
from tests.portal.installation import ACTES, PORTAL, Installation

SOURCE = FileSource("", "csv")
BY_SUBJECT = (KeyPart("uid", "subject", providers=("metropole",)),)
COLUMNS = TermColumns("office", "siret", "siret", "start", "end", zone="Europe/Paris")
HELD = GivenAttribute("mandates", "mandates", "mandates", terms=COLUMNS, acts_for=ActsFor((COMMUNE, OTHER)))
SCHOOLS = GivenAttribute("uai", "uai", many=True)
ANY_DAY = "2020-05-25", "2099-03-21"


class Tables:
    """Of mandates, and of schools by the organisation that somebody acts for."""

    def __init__(self, here: Installation, **changes: Any) -> None:
        self.here = here
        self.folder = Path(here.state) / "directories"
        self.folder.mkdir()
        self.elus = self._made("elus", BY_SUBJECT, HELD, rows="many", **changes)
        by_tenant = (KeyPart("siret", "tenant", providers=("metropole",)),)
        self.schools = self._made("schools", by_tenant, SCHOOLS, away="without")
        self._write(self.schools, "siret,uai", f"{LYCEE},0590001A", f"{COMMUNE},0590002B")
        here.snapshot = replace(here.snapshot, directories={"elus": self.elus, "schools": self.schools})
        here.change("actes", directories=(self.elus, self.schools), naming=(self.elus,))
        told = {"siret": [LYCEE], "siren": [LYCEE[:9]], "grade": ["A"]}
        here.metropole.tamper = lambda claims: {**claims, **told}
        here.change_provider("metropole", tenant_attribute="siret", attributes=SOURCES)

    def _made(self, name: str, key: tuple[KeyPart, ...], given: GivenAttribute, **changes: Any) -> Directory:
        path = Path(self.here.state) / f"{name}.csv"
        source = FileSource(str(path), "csv")
        return replace(Directory(name, "f1", source, key, (given,), "one", "refuse", 0, 2.0, 600), **changes)

    def _write(self, directory: Directory, *lines: str) -> None:
        Path(directory.file.path).write_text("\n".join((*lines, "")))
        make_index(directory, self.folder, int(self.here.clock.now()))

    def says(self, *mandates: tuple[str, str, str, str]) -> None:
        self._write(self.elus, "uid,office,siret,start,end", *(",".join(("alice", *one)) for one in mandates))

    def is_away(self) -> None:
        index_path(self.folder, self.elus).unlink()

    def known(self, seat: Seat) -> dict[str, tuple[str, ...]]:
        found = known_with(seat.identity, (self.elus, self.schools), self.here.clock.now())
        return {name: found.attributes.get(name, ()) for name in ("siret", "uai", "mandates_in_full")}


async def signed_in(here: Installation, chosen: str) -> tuple[Browser, Seat]:
    browser = here.browser()
    reply = await browser.get((await choose(here, browser, await arrived(here, browser), chosen)).location)
    assert reply.url == here.url(ACTES, "/dossiers?a=1")
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    return browser, seat


async def looked(here: Installation, seat: Seat) -> None:
    assert here.renewal is not None
    await here.renewal.renew(seat)


async def test_a_teacher_and_a_mayor_are_two_contexts_that_never_mix(here: Installation) -> None:
    tables = Tables(here)
    tables.says(("maire", COMMUNE, *ANY_DAY))
    page = await arrived(here, here.browser())
    assert [LYCEE in page.text, COMMUNE in page.text] == [True, True]
    _, mayor = await signed_in(here, COMMUNE)
    assert (mayor.tenant, dict(mayor.identity.attributes)) == (COMMUNE, {"uid": ("alice",), "grade": ("A",)})
    assert tables.known(mayor) == {"siret": (), "uai": ("0590002B",), "mandates_in_full": (f"maire:{COMMUNE}",)}
    _, teacher = await signed_in(here, LYCEE)
    assert (teacher.tenant, teacher.identity.attributes["siret"]) == (LYCEE, (LYCEE,))
    assert tables.known(teacher) == {"siret": (LYCEE,), "uai": ("0590001A",), "mandates_in_full": ()}


async def test_who_has_no_mandate_any_more_is_not_asked(here: Installation) -> None:
    tables = Tables(here)
    tables.says(("maire", COMMUNE, "2014-04-05", "2020-05-24"))
    browser = here.browser()
    reply = await browser.get(here.url(ACTES))
    assert urlsplit(reply.url).path == "/"
    assert (await acts_for(here, browser))[0] == LYCEE


async def test_where_the_provider_names_none_the_directory_does(here: Installation) -> None:
    tables = Tables(here)
    here.metropole.tamper = lambda claims: claims
    tables.says(("maire", COMMUNE, *ANY_DAY))
    browser = here.browser()
    assert urlsplit((await browser.get(here.url(ACTES))).url).path == "/"
    assert (await acts_for(here, browser))[0] == COMMUNE


async def test_an_organisation_that_the_file_does_not_list_is_nobodys(here: Installation) -> None:
    tables = Tables(here)
    tables.says(("maire", LYCEE[:9] + "00025", *ANY_DAY), ("maire", COMMUNE, *ANY_DAY))
    browser = here.browser()
    assert urlsplit((await browser.get(here.url(ACTES))).url).path == "/"
    assert (await acts_for(here, browser))[0] == LYCEE


@pytest.mark.parametrize("then", [(), (("maire", OTHER, *ANY_DAY),)], ids=["none", "another"])
async def test_a_choice_that_the_directory_does_not_allow_any_more_is_refused(here: Installation, then: Any) -> None:
    tables = Tables(here)
    tables.says(("maire", COMMUNE, *ANY_DAY))
    browser = here.browser()
    page = await arrived(here, browser)
    for siret in (OTHER, "", "nonsense"):
        assert (await choose(here, browser, page, siret)).status == 403
    tables.says(*then)
    reply = await choose(here, browser, page, COMMUNE)
    assert (reply.status, here.codes()[-1]) == (403, "login.mapping")
    assert "__Host-ecluse" not in browser.jar.get(PORTAL, {})


async def test_a_mandate_that_ends_ends_the_session_in_its_name_and_no_other(here: Installation) -> None:
    tables = Tables(here)
    tomorrow = datetime.fromtimestamp(here.clock.now() + 86400, UTC).date().isoformat()
    tables.says(("maire", COMMUNE, "2020-05-25", tomorrow))
    assert tables.elus.lifetime == 600
    browser, mayor = await signed_in(here, COMMUNE)
    _, teacher = await signed_in(here, LYCEE)
    here.clock.ahead = 550
    await looked(here, mayor)
    assert mayor.live, "it goes on while the mandate does"
    here.clock.ahead = 3 * 86400
    cookie = browser.jar[ACTES]["__Host-ecluse"].encode()
    here.change("actes", naming=(tables.elus,))
    assert here.snapshot.apps["actes"].tenant_of(mayor, here.clock.now()) is None, "before anybody has looked"
    assert here.snapshot.apps["actes"].tenant_of(teacher, here.clock.now()) == LYCEE
    assert await here.sessions.load(ACTES, cookie) is None


@pytest.mark.parametrize("how", ["taken back", "gone", "another"])
async def test_who_is_mayor_no_more_loses_that_session_at_the_next_look(here: Installation, how: str) -> None:
    tables = Tables(here)
    tables.says(("maire", COMMUNE, *ANY_DAY))
    _, mayor = await signed_in(here, COMMUNE)
    _, teacher = await signed_in(here, LYCEE)
    if how == "gone":
        tables.is_away()
        here.clock.ahead = 650
    else:
        tables.says(*([("maire", OTHER, *ANY_DAY)] if how == "another" else []))
        here.clock.ahead = 550
    await looked(here, mayor)
    await looked(here, teacher)
    assert (mayor.live, teacher.live) == (False, True)
    assert "directory.organisation" in here.codes()


async def test_they_may_change_and_the_session_before_ends(here: Installation) -> None:
    tables = Tables(here)
    tables.says(("maire", COMMUNE, *ANY_DAY))
    browser, mayor = await signed_in(here, COMMUNE)
    assert "Act for another organisation" in (await browser.get(here.url(PORTAL, "/_ecluse/home"))).text
    changed = await browser.post(here.url(PORTAL, "/_ecluse/acting/change"))
    assert not mayor.live
    page = await browser.get(changed.location)
    id = parse_qs(urlsplit(page.url).query)["c"][0]
    await browser.post(here.url(PORTAL, "/_ecluse/acting"), {"c": id, "organisation": LYCEE})
    await browser.get(here.url(ACTES))
    assert (await acts_for(here, browser))[0] == LYCEE


async def test_a_folder_without_the_directory_leaves_nobody_in_its_organisation(here: Installation) -> None:
    tables = Tables(here)
    tables.says(("maire", COMMUNE, *ANY_DAY))
    _, mayor = await signed_in(here, COMMUNE)
    app = here.snapshot.apps["actes"]
    assert app.tenant_of(mayor, here.clock.now()) == COMMUNE
    assert replace(app, naming=(), directories=()).tenant_of(mayor, here.clock.now()) is None
    otherwise = replace(tables.elus, fingerprint="f2")
    assert replace(app, naming=(otherwise,)).tenant_of(mayor, here.clock.now()) is None
