"""The name of a person on our pages."""

from gateway.model.identity import Identity


def name_of(identity: Identity) -> str:
    """The display name and the account, as far as the provider states them."""
    said = identity.attributes
    family = said.get("usual_name", ()) or said.get("family_name", ())
    names = [*said.get("name", ()), " ".join([*said.get("given_name", ())[:1], *family[:1]])]
    accounts = [*said.get("mail", ()), *said.get("email", ()), *said.get("uid", ()), identity.subject]
    return f"{names[0]} ({accounts[0]})" if names[0] else accounts[0]
