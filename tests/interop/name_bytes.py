"""One name in each encoding, as an application's own library has to find it."""

from typing import Final

from gateway.translation.charset import Encoding

NAME: Final = "Hélène Lebœuf-Müller, Cœur d'Yvelines"
SENT: Final[dict[Encoding, bytes]] = {
    "utf8": b"H\xc3\xa9l\xc3\xa8ne Leb\xc5\x93uf-M\xc3\xbcller, C\xc5\x93ur d'Yvelines",
    "latin1": b"H\xe9l\xe8ne Leboeuf-M\xfcller, Coeur d'Yvelines",
    "latin9": b"H\xe9l\xe8ne Leb\xbduf-M\xfcller, C\xbdur d'Yvelines",
    "cp1252": b"H\xe9l\xe8ne Leb\x9cuf-M\xfcller, C\x9cur d'Yvelines",
    "ascii": b"Helene Leboeuf-Muller, Coeur d'Yvelines",
    "percent-utf8": b"H%C3%A9l%C3%A8ne%20Leb%C5%93uf-M%C3%BCller%2C%20C%C5%93ur%20d%27Yvelines",
    "base64": b"SMOpbMOobmUgTGVixZN1Zi1Nw7xsbGVyLCBDxZN1ciBkJ1l2ZWxpbmVz",
    "braced-base64": b"{base64}SMOpbMOobmUgTGVixZN1Zi1Nw7xsbGVyLCBDxZN1ciBkJ1l2ZWxpbmVz",
    "rfc2047": b"=?UTF-8?B?SMOpbMOobmUgTGVixZN1Zi1Nw7xsbGVyLCBDxZN1ciBkJ1l2ZWxpbmVz?=",
    "rfc8187": b"UTF-8''H%C3%A9l%C3%A8ne%20Leb%C5%93uf-M%C3%BCller%2C%20C%C5%93ur%20d%27Yvelines",
}
HEADERS: Final = ", ".join(
    f'Nom-{encoding}: {{template: "Hélène {{family_name}}, Cœur d\'Yvelines", encoding: {encoding}'
    + (", unencodable: transliterate}" if encoding in ("latin1", "ascii") else "}")
    for encoding in SENT
)
"""Of Hélène Lebœuf-Müller, entries of `translate.headers`."""
