"""Codes of faults in the operator's files, by kind, for programs that read `ecluse check --output json`."""

from gateway.model.codes.code import Code

# The file cannot be read: wrong bytes, wrong YAML, or a wrong place in the folder
FILE = Code("config.file", 0)
# A key is unknown or missing, or a value has the wrong form for the key
SCHEMA = Code("config.schema", 0)
# The target of a reference is missing or wrong: a key of the wrong kind
REFERENCE = Code("config.reference", 0)
# A name does not exist: an attribute in a template, a claim or a condition
NAME = Code("config.name", 0)
# A secret in clear
SECRET = Code("config.secret", 0)
# Valid settings contradict each other
CONFLICT = Code("config.conflict", 0)
# The operator's copy of the State's design system is missing, incomplete or of another version
DSFR = Code("config.dsfr", 0)
# A library is not installed or cannot be loaded: of an extra, of SAML's signatures, or of the gateway itself
LIBRARY = Code("config.library", 0)
# The folder is valid, but must not replace the served folder: most hosts would be gone
HOSTS_GONE = Code("config.hosts_gone", 0)
# Likewise: open sessions would become unreadable
STORE_KEYS = Code("config.store_keys", 0)
# Likewise: the file of a directory with changed questions cannot be read
DIRECTORY = Code("config.directory", 0)
# A fingerprint that the operator gave is the fingerprint of no key of the provider
FINGERPRINT = Code("config.fingerprint", 0)
