"""Core 3.3.2.2.1: does the context that a provider states answer the one that was asked for?"""

# In rising order. Between classes of no scale only the provider knows which is the stronger ("as deemed by the
# responder"); but one that passes over the request altogether, as many do, answers with whatever it has. So there only
# the classes that were named answer.
_SCALES = (
    ("http://eidas.europa.eu/LoA/low", "http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"),
    ("eidas1", "eidas2", "eidas3"),
)


def are_of_one_scale(classes: tuple[str, ...]) -> bool:
    return any(all(each in scale for each in classes) for scale in _SCALES)


def satisfies(stated: str | None, asked: tuple[str, ...], comparison: str) -> bool:
    """`comparison`: exact, minimum, better or maximum. Nothing stated answers nothing that was asked."""
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
    """On the scale of `beside`."""
    for scale in _SCALES:
        if beside in scale and context in scale:
            return scale.index(context)
    return None
