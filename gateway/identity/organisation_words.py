"""The words by which people find their organisation: as typed, and as indexed.

Both are folded alike: no accents, no capitals, no punctuation, `St` as `Saint`. An expression for SQLite's FTS5
contains only folded words in quotation marks: typed text is never read as FTS5 syntax.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.model.mail import mail_domain
from gateway.model.organisations import ListedOrganisation

LONGEST_QUERY: Final = 200
_MOST_WORDS: Final = 8
_LONGEST_WORD: Final = 40
_WORD: Final = re.compile(r"[a-z0-9]+")
# `l’Haÿ` is also written `lHay`.
_ELIDED: Final = re.compile(r"(?<![a-z])([a-z]++)['\u2019]([a-z0-9]+)")
_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
_SAINTS: Final = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}
# Words that people write before the name of a place.
_AROUND: Final = frozenset(
    ("mairie", "ville", "commune", "communaute", "departement", "departemental", "region", "regional", "conseil",
     "hotel", "de", "du", "des", "d", "la", "le", "les", "l")
)  # fmt: skip
SIREN_DIGITS: Final = 9
_SIRET_DIGITS: Final = 14


@dataclass(frozen=True, slots=True)
class OrganisationQuery:
    """A person's search.

    `name`: the whole text, folded as the name of an organisation.
    `terms`: words that must be found together, each in one of its spellings. Empty if `domains` is not.
    `domains`: the domains of an e-mail address, the longest first.
    """

    name: str = ""
    terms: tuple[tuple[str, ...], ...] = ()
    domains: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.terms or self.domains)

    def without_what_is_around(self) -> "OrganisationQuery | None":
        """`Lille` for `mairie de Lille`. None if no word can be omitted, or if no word would remain."""
        terms = tuple(term for term in self.terms if term[-1] not in _AROUND)
        return OrganisationQuery(terms=terms) if 0 < len(terms) < len(self.terms) else None


def query_of(typed: str) -> OrganisationQuery:
    """Never raises."""
    typed = typed[:LONGEST_QUERY]
    if "@" in typed or _domain_of(typed):
        # The part before the @ is a person's name, and is not used.
        return OrganisationQuery(domains=tuple(domains_above(_domain_of(typed.rpartition("@")[2]))))
    found = _words(fold(typed))[:_MOST_WORDS]
    if len(found) > 1 and all(map(str.isdigit, found)) and sum(map(len, found)) <= _SIRET_DIGITS:
        found = ["".join(found)]
    terms = dict.fromkeys(_spellings(word[:_LONGEST_WORD]) for word in found)
    return OrganisationQuery(_joined(found), tuple(terms))


def fold(text: str) -> str:
    """Lower case without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def folded_name(name: str) -> str:
    """The form in which whole names are compared."""
    return _joined(_words(fold(name)))


def words_of_name(organisation: ListedOrganisation) -> str:
    return " ".join(dict.fromkeys(_all_words(organisation.name)))


def words_beside(organisation: ListedOrganisation) -> str:
    """The numbers, other names and place of an organisation."""
    numbers = (organisation.siren, organisation.siret, organisation.insee.lower(), *organisation.postcodes)
    return " ".join(
        dict.fromkeys((*(one for one in numbers if one), *_all_words(f"{organisation.aliases} {organisation.place}")))
    )


def expression(query: OrganisationQuery, column: str = "") -> str:
    """FTS5: each word as a prefix. `column`: the only column to search."""
    terms = " AND ".join("(" + " OR ".join(f'"{word}"*' for word in term) + ")" for term in query.terms)
    return f"{{{column}}} : ({terms})" if column else terms


def domains_above(domain: str) -> Iterator[str]:
    """`a.b.example` and `b.example`; empty for an empty text."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        yield ".".join(labels[start:])


def _domain_of(typed: str) -> str:
    """The domain of an e-mail address; empty for other texts."""
    return mail_domain(f"a@{typed.strip()}") or ""


def _words(folded: str) -> list[str]:
    return _WORD.findall(folded)


def _joined(words: list[str]) -> str:
    return " ".join(_SAINTS.get(word, word) for word in words)


def _spellings(word: str) -> tuple[str, ...]:
    """The word itself comes last."""
    if word in _SAINTS:
        return _SAINTS[word], word
    if word.isdigit() and len(word) > SIREN_DIGITS:
        # The SIRET of an establishment: the organisation has the first nine digits.
        return word[:SIREN_DIGITS], word
    return (word,)


def _all_words(text: str) -> Iterator[str]:
    folded = fold(text)
    for word in _words(folded):
        yield _SAINTS.get(word, word)
    for first, second in _ELIDED.findall(folded):
        yield first + second
