"""Signing a person in at an application that has nothing but a login form: pure, bytes in and bytes out.

`spec` is what an application's file says of its form, `account` the account of a person that comes of it. `pages` finds
the form in a page, `addresses` says whether an address leads to the application itself, `cookies` keeps what the
application sets meanwhile, `marks` reads what an answer means. `walk` is the whole sign-in, as a generator of requests
that is sent their answers. Begin there.

What is sent and awaited, and where the application's session is kept, is in `federation.form_logins`; its place in the
pipeline is `access.preparation`.
"""
