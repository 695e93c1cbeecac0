"""Which account of an application is whose: links between people and logins, with the secrets that go with some.

`link` is what is kept, `seals` how it is closed: under a key of its own, for it has to be read without any cookie.
`file` is the store, one SQLite file that is never set aside (`sealed_file`); `book` asks it for a worker, beside the
loop (`thread`); `table` is the links as CSV. Where people ask for their accounts, `request` is what is kept and
`request_file` the store, `asking` what a worker does with it. Programs on the command line open the files themselves,
whether the gateway runs or not.
Begin in `link`.
"""
