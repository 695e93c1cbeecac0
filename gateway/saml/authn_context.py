"""Core 3.3.2.2.1: whether the authentication context that a provider states satisfies the one that we requested."""

# Scales in rising order. Outside of them only the provider knows which class is the stronger ("as deemed by the
# responder"), and many providers ignore the request altogether. So a class of no scale satisfies only if it was named.
_SCALES = (
    ("http://eidas.europa.eu/LoA/low", "http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"),
    ("eidas1", "eidas2", "eidas3"),
)


def are_of_one_scale(classes: tuple[str, ...]) -> bool:
    return any(all(each in scale for each in classes) for scale in _SCALES)


def satisfies(stated: str | None, asked: tuple[str, ...], comparison: str) -> bool:
    """`stated`: the provider's class, if any; `asked`: ours; `comparison`: exact, minimum, better or maximum."""
    if not asked:
        return True
    if stated is None:
        return False
    ranks = [_rank(each, stated) for each in asked]
    own = _rank(stated, stated)
    if comparison == "better":
        return own is not None and all(each is not None and own > each for each in ranks)
    if stated in asked:
        return True
    if own is None or comparison == "exact":
        return False
    known = [each for each in ranks if each is not None]
    return any(own >= each if comparison == "minimum" else own <= each for each in known)


def _rank(context: str, beside: str) -> int | None:
    """The rank of `context` on the scale that `beside` is on; None where it is on no scale with it."""
    for scale in _SCALES:
        if beside in scale and context in scale:
            return scale.index(context)
    return None
