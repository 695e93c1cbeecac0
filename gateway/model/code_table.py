"""Every stable code, from the modules that they stand in."""

from gateway.model import (
    account_codes,
    codes,
    config_codes,
    directory_codes,
    front_codes,
    host_codes,
    kept_post_codes,
    listener_codes,
    organisation_codes,
    rewrite_codes,
    scim_codes,
    upstream_codes,
)
from gateway.model.codes import Code

_MODULES = (
    codes,
    host_codes,
    account_codes,
    kept_post_codes,
    upstream_codes,
    directory_codes,
    front_codes,
    organisation_codes,
    listener_codes,
    scim_codes,
    config_codes,
    rewrite_codes,
)


def all_codes() -> tuple[Code, ...]:
    """In the order of the modules, and in each in its own."""
    return tuple(value for module in _MODULES for value in vars(module).values() if isinstance(value, Code))
