"""SAML 2.0, pure: metadata, requests, responses and logout. Only signed bytes are read.

`document` parses bytes into a tree that can be read in one way only, `message_schema` bounds the content of messages,
and `signature` returns a signed element exactly as digested. `response` and `assertion` check a sign-in in the order of
the sections, `logout` a sign-out. `metadata_document`, `metadata_digest`, `metadata_limits`, `metadata`, `endpoints`
and `key_info` read the metadata of providers. `metadata_offer` reads them before a provider file names a key.
`own_messages` and `sp_metadata` write our messages and metadata, `signing` signs them. `bindings`, `artifact` and
`soap` carry messages both ways. `discovery` is a federation's search for a provider. Shared: `parties`, `algorithms`,
`decryption`, `names`, `times`. Begin in `response`.
"""
