"""Characters that some server turns into another character: three tables, derived again by
tests/wire/test_look_alikes.py.

Unicode defines the results of normalisation (NFKC, NFKD, case folding). Microsoft defines the "best fit" that Windows
uses for characters absent from code page 1252 (unicode.org, MAPPINGS/VENDORS/MICSFT/WindowsBestFit/bestfit1252.txt).
"""

import re
from typing import Final

# Letters without a form (Unicode's category Cf, among them the soft hyphen, U+200B and U+FEFF). HFS+ ignores a part of
# them in a file's name, and so do comparisons of .NET and of databases: `ad\u200cmin` is `admin` (CVE-2014-9390).
IGNORED: Final = re.compile(
    "["
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f"
    "]"
)

# One of the two turns these characters into `/`, `\`, `.`, `;`, `?`, `#`, `%` or a control, alone or in a longer text
# (U+2105: `c/o`). Without U+2026: three dots are no dot segment, and French file names contain the character. Without
# fractions: NFKC turns their bar into U+2044, which no server reads as a slash in the same step.
SEPARATORS: Final = re.compile(
    "["
    "\x80-\x9f"
    "\u037e\u066a\u2024\u2025\u2044\u2047-\u2049\u2100\u2101\u2105\u2106\u2215\u2216\u2488-\u249b\u33c2"
    "\u33c7\u33d8\ufe14\ufe16\ufe19\ufe30\ufe52\ufe54\ufe56\ufe5f\ufe68\ufe6a\uff03\uff05\uff0e\uff0f"
    "\uff1b\uff1f\uff3c\U0001f100"
    "]"
)

# For programs with code page 1252, Windows turns these characters into a similar letter: U+0101 opens the file `a`.
BEST_FIT: Final = re.compile(
    "["
    "\u0100-\u0131\u0134-\u0137\u0139-\u013e\u0141-\u0148\u014c-\u0151\u0154-\u015f\u0162-\u0177"
    "\u0179-\u017c\u0180\u0189\u0191\u0197\u019a\u019f-\u01a1\u01ab\u01ae-\u01b0\u01b6\u01c0\u01c3"
    "\u01cd-\u01dc\u01de\u01df\u01e4-\u01ed\u01f0\u0261\u02b9\u02ba\u02bc\u02c4\u02c8-\u02cb\u02cd\u02da"
    "\u0300-\u0305\u0308\u030a\u030e\u0327\u0331\u0332\u037e\u0393\u0398\u03a3\u03a6\u03a9\u03b1\u03b2"
    "\u03b4\u03b5\u03bc\u03c0\u03c3\u03c4\u03c6\u04bb\u0589\u066a\u2000-\u2006\u2010\u2011\u2017\u2024"
    "\u2032\u2035\u2044\u2070\u2074-\u2078\u207f-\u2089\u20a1\u20a4\u20a7\u2102\u2107\u210a-\u210e"
    "\u2110-\u2113\u2115\u2118-\u211d\u2124\u2128\u212a-\u2131\u2133\u2134\u2205\u2212\u2213\u2215-\u221a"
    "\u221e\u2223\u2229\u2236\u223c\u2248\u2261\u2264\u2265\u226a\u226b\u22c5\u2302\u2303\u2310"
    "\u2320\u2321\u2329\u232a\u2500\u2502\u250c\u2510\u2514\u2518\u251c\u2524\u252c\u2534\u253c"
    "\u2550-\u256c\u2580\u2584\u2588\u258c\u2590-\u2593\u25a0\u263c\u2758\u3000\u3008-\u300b\u301a\u301b"
    "\u30fb\uff01-\uff5e"
    "]"
)
