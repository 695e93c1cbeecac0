"""What a directory tells of people by SCIM 2.0 (RFC 7643, RFC 7644): pure, bytes in and values out.

`document` reads JSON, `user` what is kept of a person: two names, and whether they are active. `patch` applies a PATCH,
`query` reads a filter and a page, `projection` which attributes are wanted, `discovery` describes all this to clients,
`errors` says what was wrong. Begin in `user`. The attributes that are not kept are read past.

The addresses are in `portal.scim`, and what was told is kept in `stores.told_people`.
"""
