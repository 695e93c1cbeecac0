"""K: one case for each advisory of attacks.md 1A that concerns what is built, and where the others are."""

import importlib

from tests.attacks import (
    advisories_headers,
    advisories_operations,
    advisories_requests,
    advisories_signing,
    advisories_sources,
    fronts,
    standing,
)
from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.not_yet import NOT_YET
from tests.attacks.world import World

# Lines that other groups try: line to the cases, each of which has to exist.
ELSEWHERE = {
    "K005": ("OC09.4", "OC09.5", "OC09.8", "OC09.9"),
    "K006": ("SE06.3",),
    "K010": ("OR01.1", "OR01.4", "OR01.7"),
    "K011": ("CS01.1", "CS01.2"),
    "K015": ("OR01.1", "OR01.59"),
    "K019": ("OC14.1", "OC14.4"),
    "K020": ("SE04.5", "K097"),
    "K024": ("PC01.1", "PC02.1", "PC03.1", "PC04.1", "PC05.1", "PC06.1", "PC07.1", "PC09.1"),
    "K027": ("OR02.1", "OR02.2"),
    "K036": ("PC13.4", "PC13.5", "PC13.6", "PC13.22", "PC14.8"),
    "K040": ("HS14.3",),
    "K047": ("K045",),
    "K049": ("SE06.1",),
    "K051": ("OR01.1", "SS01.1", "HS07.1", "K057"),
    "K064": ("PC13.21", "OR01.20"),
    "K065": ("OC07.6",),
    "K070": ("CS01.4", "SE05.1"),
    "K081": ("K030.2",),
    "K082": ("OC08.35", "OC08.36", "OC08.37", "OC08.38"),
    "K089": ("HR09.9", "HR09.10", "HR09.11", "HR09.12"),
    "K090": ("HR09.17",),
    "K094": ("OC09.10",),
    "K095": ("SE01.1", "SE01.2"),
    "K100": ("SE04.5",),
    "K101": ("OR01.2", "OR01.4", "OR01.12"),
    "K107": ("OR01.7", "OR01.59"),
    "K109": ("HS14.1", "HS01.1"),
}
# Every line of attacks.md 1A up to K117.
LINES = (
    "001 002 004 005 006 007 009 010 011 012 014 015 016 017 019 020 021 022 024 025 026 027 029 030 031 032 034 "
    "035 036 037 039 040 041 042 044 045 046 047 049 050 051 052 054 055 056 057 059 060 061 062 064 065 066 067 "
    "069 070 071 072 074 075 076 077 079 080 081 082 084 085 086 087 089 090 091 092 094 095 096 097 099 100 101 "
    "102 104 105 106 107 109 110 111 112 114 115 116 117"
)
_GROUPS = ("headers", "paths", "desync", "redirects", "cross_site", "sessions", "openid", "outbound")

_OWN = (
    *advisories_headers.CASES,
    *advisories_requests.CASES,
    *advisories_signing.CASES,
    *advisories_operations.CASES,
    *advisories_sources.CASES,
    *fronts.ADVISORIES,
    *standing.CASES,
)


async def every_line_has_its_place(world: World) -> None:
    """Tried here, tried by the named cases of another group, or told to be not yet: each line in one of them."""
    known = {case.id for case in _OWN}
    for name in _GROUPS:
        known |= {case.id for case in importlib.import_module(f"tests.attacks.{name}").CASES}
    missing = [f"{line}: {id}" for line, ids in ELSEWHERE.items() for id in ids if id not in known]
    expect(not missing, f"no such case: {missing}")
    here = {case.id.partition(".")[0] for case in _OWN}
    for number in LINES.split():
        line = f"K{number}"
        places = (line in here) + (line in ELSEWHERE) + (line in NOT_YET)
        expect(places == 1, f"{line} is in {places} places")


CASES: tuple[Case, ...] = (
    *sorted(_OWN, key=lambda case: case.id),
    uncontrolled("K.lines", "every line of the corpus has its place", every_line_has_its_place),
)
