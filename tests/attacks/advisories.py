"""K: one case for each advisory of attacks.md 1A that concerns what is built, and where the others are."""

from tests.attacks import advisories_operations, advisories_requests, advisories_signing

CASES = advisories_requests.CASES + advisories_signing.CASES + advisories_operations.CASES
