"""The schema of each kind of file: pydantic models. Their texts are the reference documentation. Begin in `load`.

A class named `...File` is a whole file, one named `...Section` a mapping within a file.

`load`               bytes to models; `messages` explains each error in plain words
`gateway`            gateway.yaml. Parts of it: `store`, `theme`, `forward_auth`, `scim`, `rates`
`provider`           a provider's file: `oidc`, `saml`, `saml_attributes`; `origins` tells the source of each value
`app`                an application's file: `account`, `app_api`, `app_tokens`, `tickets`, `cookies`, `exchange_limits`,
                     `form_login`, `posts`, `rewrite`, `translate`, `header_presets`, `upstream`
`fence`              the bound of each key in an application's file that a team owns
`directory`          a directory's file: `directory_servers`, `sql_select`; `organisations` tables of organisations
`conditions`         conditions of rules, and the files that applications share; `values` the operands of matchers
`policy_tests`       the requests with which `ecluse test` tries a folder
`types`, `scalars`   the types of the keys: each accepts one spelling, and its error explains the spelling
`json_schema`        the schemas for editors
"""
