"""What each kind of file may say: pydantic models, whose texts are the reference documentation.

A class named `...File` is a whole file, one named `...Section` a mapping within a file.

`gateway`, `provider`, `app`    the three kinds of file; `oidc` and `saml` are sections of a provider's
`conditions`, `values`          who may pass, as rules say it; the files that apps share
`policy_tests`                  the requests that a folder is tried with
`types`, `scalars`              what keys are made of: each takes one spelling, and says in words what it wants
`load`                          bytes to models; `messages` says what is wrong in plain words
`json_schema`, `origins`        the schemas for editors; whence each value of a provider file comes
"""
