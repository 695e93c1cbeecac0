"""What the portal knows of HTTP: the request as its steps read it, and the responses that they make.

`request` wraps what the data plane has read: parameters, our two cookies, the browser that a record is bound to. It
also carries what steps leave for the response. `responses` has redirects and the headers of every response of ours,
`pages` renders the templates, and `i18n` picks French or English. Begin in `request`.
"""
