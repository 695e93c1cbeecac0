"""Accounts of an application, and their owners. The issuer, and attributes that the application's file chooses,
identify the owner.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from gateway.model.codes import account_codes, form_login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.theme import Words

ATTRIBUTE: Final = "account"
"""The name of the login among the attributes in `translate`."""
SUBJECT: Final = "subject"

BY_THEMSELVES: Final = {"link": account_codes.LINK, "request": account_codes.ASK}
"""By `AccountSettings.missing`, the code of the page on which a person without a link can link or request an
account."""

LINKED_ANEW: Final = (account_codes.LINK, form_login_codes.REFUSED, form_login_codes.LOOP)
"""The codes after which a person who may link an account is sent to the page for linking. form_login_codes.LOOP is the
result of an old password, if the application's refusal looks like a success."""

LONGEST_LOGIN: Final = 256
LONGEST_PERSON: Final = 2048
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Punctuation that stays in the text of a person. A reader of a table could misread others, which are percent-encoded.
_SAFE: Final = "!$'()*+,-./:;?@_~"
# Unicode's names of letters that consist of one or two letters of the alphabet.
_LATIN: Final = re.compile(r"LATIN (SMALL|CAPITAL) (?:LETTER|LIGATURE) (?:DOTLESS )?([A-Z]{1,2})(?: WITH .*)?")
# MySQL reads ß as `s` (utf8_general_ci) or as `ss`, ü as `y` (latin1_swedish_ci), as `u` or as `ue`, and so on.
_SHARP_S: Final = re.compile(r"(s)s+", re.IGNORECASE)
_UMLAUTS: Final = re.compile(r"([aou])e+", re.IGNORECASE)
_SWEDISH: Final = str.maketrans("yY", "uU")
_NAMED: Final = {"ß": "s", "ẞ": "S", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH"}


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """`account:` of an application's file.

    `by`: the attributes that name a person, beside the issuer.
    `ask`: the text for a person without a login, by language.
    `missing`: the further step for a person without a login.
    `shared`: several people may have one login.
    `source`: the directory attribute with the login; None: the login comes from an account link.
    """

    by: tuple[str, ...] = (SUBJECT,)
    ask: tuple[tuple[str, str], ...] = ()
    missing: Literal["refuse", "link", "request"] = "refuse"
    shared: bool = False
    source: str | None = None

    @property
    def words(self) -> Words:
        """The text of `ask` for display."""
        one_for_all = len(self.ask) == 1 and not self.ask[0][0]
        return self.ask[0][1] if one_for_all else self.ask


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """A person at an application. `person`: in the form of `person_of`."""

    application: str
    issuer: str
    person: str


def person_of(by: tuple[str, ...], identity: Identity) -> str:
    """`subject=ab12`, or `siret=21590350100017&uid=a.durand`: the names in the file's order, with a value each.

    Raises GatewayError(account_codes.PERSON) for a missing, repeated or unknown value.
    """
    found = {}
    for name in by:
        values = (identity.subject,) if name == SUBJECT else identity.attributes.get(name, ())
        if name in identity.left_out:
            raise GatewayError(account_codes.PERSON, f"the provider left {name} out")
        if len(values) != 1 or not values[0]:
            raise GatewayError(account_codes.PERSON, f"{len(values)} values of {name}, where one is needed")
        found[name] = values[0]
    return written_person(found)


def written_person(values: Mapping[str, str]) -> str:
    """Raises GatewayError(account_codes.PERSON) for a text that is no Unicode, or too long."""
    try:
        person = "&".join(f"{name}={quote(values[name], safe=_SAFE)}" for name in sorted(values))
    except UnicodeEncodeError:
        raise GatewayError(account_codes.PERSON, "a value is not Unicode") from None
    if len(person) > LONGEST_PERSON:
        raise GatewayError(account_codes.PERSON, f"the name of this person has {len(person)} characters")
    return person


def read_person(text: str) -> dict[str, str]:
    """The values in the text form of a person, also typed by hand with letters that `written_person` escapes. Raises
    GatewayError(account_codes.PERSON).
    """
    found: dict[str, str] = {}
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not value or _NAME.fullmatch(name) is None or name in found:
            raise GatewayError(account_codes.PERSON, "not written as subject=VALUE or NAME=VALUE&NAME=VALUE")
        try:
            found[name] = unquote_to_bytes(value).decode()
        except UnicodeDecodeError:
            raise GatewayError(account_codes.PERSON, f"the value of {name} is not UTF-8") from None
    return found


def checked_login(text: str) -> str:
    """A login in its stored form (NFC). Raises GatewayError(account_codes.LOGIN), without the login."""
    login = unicodedata.normalize("NFC", text)
    if not login or len(login) > LONGEST_LOGIN:
        raise GatewayError(
            account_codes.LOGIN, f"a login has 1 to {LONGEST_LOGIN} characters, and this one {len(login)}"
        )
    if login != login.strip():
        # Applications trim, and databases compare without the blanks at an end: it would be another's account.
        raise GatewayError(account_codes.LOGIN, "white space at an end of the login")
    if any(unicodedata.category(letter)[0] == "C" for letter in login):
        raise GatewayError(account_codes.LOGIN, "an invisible character in the login, such as a line end")
    return login


def same_login(login: str) -> str:
    """Equal for logins that an application may treat as the same login: most applications ignore case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login).casefold())


ToldApart = Literal["case", "accents", "spaces", "domain"]
"""A difference by which an application tells two logins apart."""


class CountedLogin(NamedTuple):
    """A login, for counting its sign-ins.

    `base`: the owner of the accounts.
    `account`: equal for logins that may be one account.
    `login`: as written.
    """

    base: str
    account: str
    login: str


class CountedTry(NamedTuple):
    """The place of a try among the tries of its account. `used`: the number of earlier returns of the place."""

    place: int
    used: int


def counted_login(login: str, apart: Collection[ToldApart] = ()) -> str:
    """As `same_login`, also without domain, accents, blanks and invisible characters, and with plain letters for
    strokes and ligatures: MySQL's usual collations, and directories, treat such logins as one.

    For counting tries, whatever the application's rule; never for the owner of an account. `apart`: characters that
    stay, because two accounts may differ in them.
    """
    text = unicodedata.normalize("NFKC", login) if "case" in apart else same_login(login)
    if "domain" not in apart:
        # helene@ville.example, VILLE\helene. A domain without a name stays whole.
        text = text.partition("@")[0].rpartition("\\")[2] or text
    if "accents" not in apart:
        apart_from_marks = unicodedata.normalize("NFKD", text)
        text = "".join(_plain(letter) for letter in apart_from_marks if unicodedata.category(letter)[0] != "M")
    text = "".join(one for one in text if "spaces" in apart or unicodedata.category(one)[0] not in "ZC")
    if "accents" not in apart:
        text = _UMLAUTS.sub(r"\1", _SHARP_S.sub(r"\1", text).translate(_SWEDISH))
    # A column of numbers has the same row for 0425 and 425.
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def _plain(letter: str) -> str:
    """`o` for ø and `oe` for œ, which no normal form decomposes; an empty text for a filler. Follows Unicode Technical
    Standard 10, first level.
    """
    if letter in _NAMED:
        return _NAMED[letter]
    name = "" if letter.isascii() else unicodedata.name(letter, "")
    latin = _LATIN.fullmatch(name)
    if latin is None:
        return "" if name.endswith("FILLER") else letter
    return latin[2] if latin[1] == "CAPITAL" else latin[2].lower()
