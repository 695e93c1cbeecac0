"""Lines of the corpus about what is not built yet, neither passed nor counted: line to the part that brings it."""

NOT_YET = {
    "K016": "signed URLs: one-time links come with the administration of sessions",
    "K054": "throttled sign-ins by password: there is no password here",
    "K059": "tried by the group SAML",
    "K060": "tried by the group SAML",
    "K061": "tried by the group SAML",
    "K066": "accounts locked here: revocation by subject comes with `ecluse session`",
    "K077": "we ask a discovery service and are none: nothing of ours takes a `return` address",
    "K079": "introspection and administration interfaces",
    "K091": "client certificates",
    "K114": "tried by the group SAML",
    "K115": "tried by the group SAML",
    "K116": "tried by the group SAML (that error pages show no parameter is K057)",
    "K117": "tried by the group SAML",
    "CS02 LogoutRequest": "tried by the group SAML",
    "OC14 private_key_jwt, mTLS": "tried by tests/federation/test_real_provider.py and tests/oidc",
    "SE05 id_token exp": "a session no longer than what the provider said (refresh)",
    "SE06 kill": "revocation by the administrator",
    "SE09": "limits of sessions per person",
}
