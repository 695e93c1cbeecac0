"""RFC 7636: proof that whoever redeems a code is whoever asked for it. S256 only."""

import base64
import hashlib
import re

CHALLENGE_METHOD = "S256"
# RFC 7636 4.1
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def code_challenge(code_verifier: str) -> str:
    """RFC 7636 4.2. ValueError for a verifier that is too short, too long or of other characters."""
    if not _VERIFIER.fullmatch(code_verifier):
        raise ValueError("a code verifier is 43 to 128 unreserved characters")
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
