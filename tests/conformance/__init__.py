"""The OpenID Foundation's relying-party modules for the code flow, ported: a provider that misbehaves on demand."""
