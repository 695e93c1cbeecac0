"""Codes of faults in the operator's files, by kind, for programs that read `ecluse check --output json`."""

from gateway.model.codes.code import Code

# No file that can be read: its bytes, its YAML, or its place in the folder
FILE = Code("config.file", 0)
# A key that is unknown or missing, or a value in a form that its key does not take
SCHEMA = Code("config.schema", 0)
# What a reference leads to is not there, or is not what it has to be: a key of the wrong kind
REFERENCE = Code("config.reference", 0)
# A name that nothing has: an attribute in a template, a claim or a condition
NAME = Code("config.name", 0)
# A secret in clear
SECRET = Code("config.secret", 0)
# What is valid by itself, and does not go with the rest
CONFLICT = Code("config.conflict", 0)
# The operator's copy of the State's design system: not there, of another version, or it names what is not in it
DSFR = Code("config.dsfr", 0)
# A library that is not installed, or that cannot be loaded: of an extra, of SAML's signatures, or of the gateway itself
LIBRARY = Code("config.library", 0)
# Of a folder whose files are right, and that may not take the place of the one that is served: most hosts would be gone
HOSTS_GONE = Code("config.hosts_gone", 0)
# Likewise: sessions that are open could not be read any more
STORE_KEYS = Code("config.store_keys", 0)
# Likewise: the file of a directory that asks otherwise than before cannot be read
DIRECTORY = Code("config.directory", 0)
