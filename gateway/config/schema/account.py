"""`account:` of an application's file: which person owns which account."""

from typing import Literal

from pydantic import Field, model_validator

from gateway.config.schema.fence import ByAttributes, ByHosts
from gateway.config.schema.types import AttributeName, Maybe, Strict, TextByLanguage, wrong


class AccountSection(Strict):
    source: ByAttributes[Maybe[AttributeName]] = Field(default=None, alias="from")
    """An attribute that a directory of this application gives: the login, in the place of account links. It is one
    value, no secret, and no provider's word ever counts for it."""
    by: ByAttributes[list[AttributeName]] = Field(default=["subject"], min_length=1, max_length=8)
    """What names a person in an account link, beside their provider's issuer: `subject`, or attributes, each with one
    value. The login that is found is the attribute `account` of translate."""
    ask: ByHosts[TextByLanguage]
    """What a person reads who has no login yet: whom to ask for one: a text, or one by language
    (`{fr: ..., en: ...}`)."""
    missing: ByHosts[Literal["refuse", "link", "request"]] = "refuse"
    """What a person without a link can do: read whom to ask; `link` their account by themselves, with its login and
    password; or send a `request`, which `ecluse account` lists and answers. To link, the application is asked by its
    `form_login` whether they are right, and both are kept to sign the person in."""
    shared: bool = False
    """Whether several people may have one login. Otherwise such a login is closed to all of them."""

    @model_validator(mode="after")
    def _one_way(self) -> "AccountSection":
        # The default is as good as left out, but whoever writes it means links.
        beside = [name for name in ("by", "missing", "shared") if name in self.model_fields_set]
        if self.source is not None and beside:
            message = f"{' and '.join(beside)} would be of account links, and a directory says the login"
            raise wrong(message, f"leave out {', '.join(beside)}; or from, where people have links")
        return self
