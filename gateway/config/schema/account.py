"""`account:` of an application's file: links between people and their accounts."""

from typing import Literal

from pydantic import Field, model_validator

from gateway.config.schema.fence import ByAttributes, ByHosts
from gateway.config.schema.types import AttributeName, Maybe, Strict, TextByLanguage, wrong


class AccountSection(Strict):
    source: ByAttributes[Maybe[AttributeName]] = Field(default=None, alias="from")
    """An attribute from one of this application's directories that holds the login. Replaces account links. The
    attribute has one value and is no secret. An attribute of the same name from a provider never counts."""
    by: ByAttributes[list[AttributeName]] = Field(default=["subject"], min_length=1, max_length=8)
    """The attributes that identify a person in an account link, beside the issuer of the provider: `subject`, or
    attributes with one value each. `translate` gets the login as the attribute `account`."""
    ask: ByHosts[TextByLanguage]
    """The text for a person without a login: whom to ask for a login. One text, or one by language (`{fr: ..., en:
    ...}`)."""
    missing: ByHosts[Literal["refuse", "link", "request"]] = "refuse"
    """What a person without a link can do. `refuse`: read the text of `ask`. `link`: link the account by entering its
    login and password. The gateway checks both with the application's `form_login` and keeps them to sign the person
    in. `request`: send a request, which `ecluse account` lists and answers."""
    shared: bool = False
    """Whether several people may share one login. By default a login with several owners is refused to all of them."""

    @model_validator(mode="after")
    def _one_way(self) -> "AccountSection":
        # The default is as good as left out, but whoever writes it means links.
        beside = [name for name in ("by", "missing", "shared") if name in self.model_fields_set]
        if self.source is not None and beside:
            message = f"{' and '.join(beside)} would be of account links, and a directory says the login"
            raise wrong(message, f"leave out {', '.join(beside)}; or from, where people have links")
        return self
