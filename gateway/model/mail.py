"""The one reading of an e-mail address, for perimeters and conditions alike."""

import re

# A deliberately small part of RFC 5322: no quoted local part, no comment, no address literal, no U-label. A text in
# another form has no domain for the gateway: other software could read a different domain.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?+\.)++[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
)
_LONGEST = 254
# NFKC makes an @ of the second and third. Many scripts take header values for percent-encoded: that is the last.
_SIGNS = ("@", "\uff20", "\ufe6b", "%40")


def mail_domain(address: str) -> str | None:
    """The lower-case domain of `local@domain`; None for a different form."""
    is_one = len(address) <= _LONGEST and "%40" not in address
    found = _ADDRESS.fullmatch(address) if is_one else None
    return found[1].lower() if found else None


def looks_like_an_address(text: str) -> bool:
    """Whether some application may read an e-mail address in the text: full-width and small forms of `@` count, and its
    percent-encoding.
    """
    return any(sign in text for sign in _SIGNS)
