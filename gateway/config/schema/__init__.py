"""What each kind of file may say: pydantic models, whose texts are the reference documentation. Begin in `load`.

A class named `...File` is a whole file, one named `...Section` a mapping within a file.

`load`               bytes to models; `messages` says what is wrong in plain words
`gateway`            gateway.yaml. Parts of it: `store`, `theme`, `forward_auth`, `scim`, `rates`
`provider`           a provider's file: `oidc`, `saml`, `saml_attributes`; `origins` says whence each value comes
`app`                an application's file: `account`, `app_api`, `app_tokens`, `tickets`, `cookies`, `exchange_limits`,
                     `form_login`, `posts`, `rewrite`, `translate`, `header_presets`, `upstream`
`fence`              what bounds each key of an application's file that a team owns
`directory`          a directory's file: `directory_servers`, `sql_select`; `organisations` tables of organisations
`conditions`         who may pass, as rules say it; `values` what matchers take; the files that applications share
`policy_tests`       the requests that a folder is tried with
`types`, `scalars`   what keys are made of: each takes one spelling, and says in words what it wants
`json_schema`        the schemas for editors
"""
