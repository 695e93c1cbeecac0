"""Accounts of applications: links between people and logins, with secrets where needed. Begin in `link`.

`link`, `seals`            a link, and its encryption under a key of its own, since links are read without a cookie
`file`, `table`            the file of links; links as CSV
`book`, `credentials`      a worker's questions about links; a person's credentials at an application
`linking`                  a person links an own account by login and password
`request`, `request_file`, `asking`   a person's request for an account, its file, and a worker's part
`sealed_file`, `thread`    an SQLite file of sealed records, and the thread that keeps it off the event loop

Commands open the files themselves, whether the gateway runs or not.
"""
