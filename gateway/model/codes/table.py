"""The list of stable codes, for catalogues, metrics and the reference."""

from gateway.model.codes import (
    account_codes,
    api_codes,
    config_codes,
    directory_codes,
    form_login_codes,
    front_codes,
    gateway_codes,
    kept_post_codes,
    limit_codes,
    login_codes,
    logout_codes,
    oidc_codes,
    organisation_codes,
    policy_codes,
    portal_codes,
    route_codes,
    saml_codes,
    scim_codes,
    session_codes,
    store_codes,
    translation_codes,
    upstream_codes,
    wire_codes,
)
from gateway.model.codes.code import Code

_MODULES = (
    account_codes,
    api_codes,
    config_codes,
    directory_codes,
    form_login_codes,
    front_codes,
    gateway_codes,
    kept_post_codes,
    limit_codes,
    login_codes,
    logout_codes,
    oidc_codes,
    organisation_codes,
    policy_codes,
    portal_codes,
    route_codes,
    saml_codes,
    scim_codes,
    session_codes,
    store_codes,
    translation_codes,
    upstream_codes,
    wire_codes,
)


def all_codes() -> tuple[Code, ...]:
    """Returns every code, module by module, in the order of the module."""
    return tuple(value for module in _MODULES for value in vars(module).values() if isinstance(value, Code))
