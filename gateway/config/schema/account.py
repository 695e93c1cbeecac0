"""`account:` of an application's file: whose account of the application is whose."""

from typing import Literal

from pydantic import Field

from gateway.config.schema.types import AttributeName, Strict, Text


class AccountSection(Strict):
    by: list[AttributeName] = Field(default=["subject"], min_length=1, max_length=8)
    """What names a person in an account link, beside their provider's issuer: `subject`, or attributes, each with one
    value. The login that is found is the attribute `account` of translate."""
    ask: Text
    """What a person reads who has no link yet: whom to ask for one."""
    missing: Literal["refuse", "link"] = "refuse"
    """What a person without a link can do: ask, or `link` their account by themselves, with its login and password. The
    application is asked by its `form_login` whether they are right, and both are kept to sign the person in."""
    shared: bool = False
    """Whether several people may have one login. Otherwise such a login is closed to all of them."""
