"""Sign-in at an application that has only a login form: pure, bytes in and bytes out. Begin in `walk`.

`spec`       the settings of the application's file
`account`    the person's account at the application
`pages`      finds the form in a page
`addresses`  whether an address leads to the application itself
`cookies`    the cookies that the application sets during the sign-in
`marks`      the meaning of an answer
`walk`       the whole sign-in: a generator that yields requests and receives answers

`federation.form_logins` sends the requests and keeps the application's session. `access.preparation` calls it.
"""
