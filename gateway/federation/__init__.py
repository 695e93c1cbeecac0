"""Input and output towards identity providers; what it means is judged in `oidc` and `saml`.

`federation` is what the portal asks of OpenID providers, `saml` of SAML ones. `client` sends one bounded call to an
address that `addresses` has allowed, and leaves a provider alone that does not answer; `cached` keeps documents. The
`metadata_*` modules keep SAML metadata fresh for all workers in the supervisor: `metadata_keeper` is their head,
`metadata_process` the process that fetches and verifies, `metadata_index` what a worker reads; `logo_keeper` keeps the
pictures that they name, which `logo_images` writes anew.

`applications` and `form_exchange` send requests of our own to applications; `form_logins` signs people in at their
forms.
"""
