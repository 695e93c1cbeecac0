"""Every response that must not sign anybody in."""

from tests.saml.forged_documents import DOCUMENTS
from tests.saml.forged_encryption import ENCRYPTIONS
from tests.saml.forged_enveloped import ENVELOPED_ALONE
from tests.saml.forged_signatures import SIGNATURES
from tests.saml.forged_statements import STATEMENTS
from tests.saml.forged_wrapping import MORE_WRAPPINGS, WRAPPINGS

FORGERIES = (*WRAPPINGS, *MORE_WRAPPINGS, *SIGNATURES, *DOCUMENTS, *STATEMENTS, *ENCRYPTIONS, *ENVELOPED_ALONE)
