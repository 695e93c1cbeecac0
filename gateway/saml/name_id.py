"""Core 2.2.3: the NameID, which the identity core reads too and which is therefore a value of the model."""

from gateway.model.assertion import NameId

__all__ = ["NameId"]
