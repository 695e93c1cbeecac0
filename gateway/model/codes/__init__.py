"""Stable codes of errors, refusals, decisions and log events: a module for each subject.

`code` has the form of a code, `shared_texts` the sentences that several subjects use, and `table` lists all codes.
`account_codes`: codes of accounts that an application has of its own, and of their links to people.
`api_codes`: codes of programs that call an application with an access token.
`config_codes`: codes of faults in the operator's files, by kind, for programs that read `ecluse check --output json`.
`directory_codes`: codes of shared directories.
`form_login_codes`: codes of sign-ins by the portal at an application's own login form.
`front_codes`: codes of questions by a server in front that passes the requests on itself (forward auth).
`gateway_codes`: codes of the gateway itself and of its listeners.
`kept_post_codes`: codes of forms that are kept across a sign-in.
`limit_codes`: codes of requests that are over a limit: of length, of time, or of number.
`login_codes`: codes of sign-ins, whatever the protocol, and of the hand-over to an application's host.
`logout_codes`: codes of sign-outs.
`oidc_codes`: codes of OpenID Connect.
`organisation_codes`: codes of the list of organisations.
`policy_codes`: codes of decisions of the access policy, and of faults in it.
`portal_codes`: codes of requests that the portal cannot read.
`route_codes`: codes of hosts and paths that no application answers.
`saml_codes`: codes of SAML 2.0.
`scim_codes`: codes of SCIM: requests of directories that tell the gateway about people.
`session_codes`: codes of requests without a session that is good enough.
`store_codes`: codes of the session store.
`translation_codes`: codes of identity headers and cookies that cannot be made for a person.
`upstream_codes`: codes of applications that do not answer, answer wrongly, or are at their limit.
`wire_codes`: codes of requests whose bytes break a rule of HTTP, or a rule of the gateway that is stricter.
"""
