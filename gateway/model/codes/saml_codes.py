"""Codes of SAML 2.0."""

from gateway.model.codes import shared_texts
from gateway.model.codes.code import Code

# saml: faults in a message of an identity provider, a code for each check. The browser sees the same answer for every
# code: a forger must not learn which check failed.
DOCUMENT = Code("saml.document", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SHAPE = Code("saml.shape", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
ID = Code("saml.id", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
VERSION = Code("saml.version", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
METADATA = Code("saml.metadata", 403, shared_texts.UNUSABLE, shared_texts.UNUSABLE_ADVICE)
METADATA_SIGNATURE = Code("saml.metadata.signature", 403, shared_texts.UNUSABLE, shared_texts.UNUSABLE_ADVICE)
METADATA_ENTITY = Code("saml.metadata.entity", 403, shared_texts.UNUSABLE, shared_texts.UNUSABLE_ADVICE)
METADATA_KEY = Code("saml.metadata.key", 403, shared_texts.UNUSABLE, shared_texts.UNUSABLE_ADVICE)
METADATA_ENDPOINT = Code("saml.metadata.endpoint", 403, shared_texts.UNUSABLE, shared_texts.UNUSABLE_ADVICE)
METADATA_VALIDITY = Code("saml.metadata.validity", 403, shared_texts.UNUSABLE, shared_texts.OUT_OF_DATE_ADVICE)
METADATA_UNREACHABLE = Code(
    "saml.metadata.unreachable",
    502,
    "Your sign-in service does not answer",
    "Wait a moment, then start again from the application.",
)
# The metadata were fetched, but the state folder cannot be written: a full disk, or another account's folder.
METADATA_UNWRITTEN = Code("saml.metadata.unwritten", 0)
METADATA_GONE = Code("saml.metadata.gone", 403, shared_texts.UNUSABLE, shared_texts.UNUSABLE_ADVICE)
LOGO = Code("saml.logo", 403, shared_texts.UNUSABLE, shared_texts.UNUSABLE_ADVICE)
METADATA_EXPIRED = Code("saml.metadata.expired", 403, shared_texts.UNUSABLE, shared_texts.OUT_OF_DATE_ADVICE)
ALGORITHM = Code("saml.algorithm", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SIGNATURE = Code("saml.signature", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SIGNATURE_MISSING = Code("saml.signature.missing", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SIGNATURE_FORM = Code("saml.signature.form", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SIGNATURE_KEY = Code("saml.signature.key", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
ENCRYPTION_MISSING = Code("saml.encryption.missing", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
ENCRYPTION_FORM = Code("saml.encryption.form", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
ENCRYPTION_ALGORITHM = Code("saml.encryption.algorithm", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
DECRYPTION = Code("saml.decryption", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
DESTINATION = Code("saml.destination", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
ISSUER = Code("saml.issuer", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
STATUS = Code("saml.status", 403, shared_texts.CANCELLED, shared_texts.CANCELLED_ADVICE)
STATUS_REQUEST = Code("saml.status.request", 403, shared_texts.SIGN_IN_FAILED, shared_texts.NOT_TAKEN)
STATUS_UNEXPLAINED = Code("saml.status.unexplained", 403, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
NO_AUTHN_CONTEXT = Code("saml.no_authn_context", 403, shared_texts.TOO_WEAK, shared_texts.TOO_WEAK_ADVICE)
NO_PASSIVE = Code("saml.no_passive", 403, shared_texts.SEEN_FIRST, shared_texts.SEEN_FIRST_ADVICE)
IN_RESPONSE_TO = Code("saml.in_response_to", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
UNSOLICITED = Code("saml.unsolicited", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
ISSUE_INSTANT = Code("saml.issue_instant", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
TIME = Code("saml.time", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
NOT_BEFORE = Code("saml.not_before", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
EXPIRED = Code("saml.expired", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SUBJECT = Code("saml.subject", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SUBJECT_CONFIRMATION = Code("saml.subject_confirmation", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
RECIPIENT = Code("saml.recipient", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
CONDITIONS = Code("saml.conditions", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
AUDIENCE = Code("saml.audience", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
AUTHN_STATEMENT = Code("saml.authn_statement", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
AUTHN_INSTANT = Code("saml.authn_instant", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SESSION_EXPIRED = Code("saml.session_expired", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
AUTHN_CONTEXT = Code("saml.authn_context", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
BINDING_SIZE = Code("saml.binding.size", 413, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
BINDING_ENCODING = Code("saml.binding.encoding", 400, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
BINDING_PARAMETER = Code("saml.binding.parameter", 400, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
BINDING_ALGORITHM = Code("saml.binding.algorithm", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
BINDING_SIGNATURE = Code("saml.binding.signature", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
# The second implementation of SAML, which checks responses that the gateway accepted.
SECOND_OPINION = Code("saml.second_opinion", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SECOND_OPINION_FAILED = Code("saml.second_opinion.failed", 503, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
ENDPOINT = Code("saml.endpoint", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
REPLAYED = Code("saml.replayed", 403, "This sign-in page has been used already", shared_texts.SIGN_IN_AGAIN)
ARTIFACT = Code("saml.artifact", 400, shared_texts.SIGN_IN_FAILED, shared_texts.SIGN_IN_AGAIN)
ARTIFACT_SOURCE = Code("saml.artifact.source", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
ARTIFACT_RESPONSE = Code("saml.artifact.response", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
SOAP = Code("saml.soap", 403, shared_texts.SIGN_IN_FAILED, shared_texts.PROVIDER_FAULT)
