"""Reports of directories about people by SCIM 2.0 (RFC 7643, RFC 7644): pure, bytes in and values out. Begin in `user`.

`document`    reads JSON
`user`        the kept data of a person: two names, and whether the person is active. Further attributes are ignored
`patch`       applies a PATCH
`query`       reads a filter and a page
`projection`  the requested attributes
`discovery`   describes the service to clients
`errors`      error documents

`portal.scim` has the addresses, and `stores.people.told_people` keeps the reports.
"""
