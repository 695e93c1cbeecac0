"""Header and cookie names as the most lenient server reads them."""

_LOWER = bytes(range(256)).lower()
_NOT_ALPHANUMERIC = bytes(byte for byte in range(256) if not bytes((byte,)).isalnum())


def fold(name: bytes) -> bytes:
    """Lower case, all but letters and digits removed: equal for all names that some server reads as the same."""
    return name.translate(_LOWER, _NOT_ALPHANUMERIC)
