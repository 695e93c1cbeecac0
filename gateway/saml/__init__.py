"""SAML 2.0, pure: metadata, requests, responses and logout; only what was signed is read.

`document` makes a tree of bytes that has one reading, `message_schema` says what may stand in it, `signature` gives
the element that was signed as it was digested. `response` and `assertion` are the checks of a sign-in in the order of
the sections; `logout` those of what ends one. `metadata_document`, `metadata_limits` and `metadata` read what
providers publish. What we write: `own_messages` and `sp_metadata`. `bindings`, `artifact` and `soap` carry messages
both ways. Begin in `response`.
"""
