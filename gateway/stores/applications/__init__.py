"""What an application needs kept for a person. Begin in `cookie_jars`.

`cookie_jars`: cookies that browsers do not get.
`application_sessions`: sessions at applications that have a login form.
`login_tries`: counts the tries to sign in at such a form. `counting_key`: the key of these counts.
`sign_out_notes`: the message to an application at the end of a session.
"""
