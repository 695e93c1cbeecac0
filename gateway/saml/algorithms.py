"""The algorithms that a signature may use. They are checked before a cryptographic library sees the document."""

from collections.abc import Mapping
from typing import Literal

from gateway.saml.names import EXC_C14N

KeyType = Literal["RSA", "EC"]

ENVELOPED_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
# The only canonicalisation that a message may name. It leaves comments out, so that what is signed is what is read.
# Where a message names none, the inclusive one applies, which also signs the namespaces around an element.
CANONICALISATION = EXC_C14N


# RFC 9231 2.3, each with its type of key. SHA-1, MD5, SHA-224, DSA and every MAC are missing on purpose.
SIGNATURES: Mapping[str, KeyType] = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "RSA",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": "RSA",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": "RSA",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": "RSA",
    "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1": "RSA",
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1": "RSA",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": "EC",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": "EC",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": "EC",
}

DIGESTS: Mapping[str, str] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}

SMALLEST_RSA = 2048
LARGEST_RSA = 8192
LONGEST_EXPONENT = 32
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
