"""Core 3.3.2.2.1: does the context that a provider states answer the one that was asked for?"""

# In rising order. Between classes of no scale only the provider knows which is the stronger (as "deemed by the
# responder"), and it vouches for that by answering at all.
_SCALES = (
    ("http://eidas.europa.eu/LoA/low", "http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"),
    ("eidas1", "eidas2", "eidas3"),
)


def satisfies(stated: str | None, asked: tuple[str, ...], comparison: str) -> bool:
    """`comparison`: exact, minimum, better or maximum. Nothing stated answers nothing that was asked."""
    if not asked:
        return True
    if stated is None:
        return False
    if comparison == "exact":
        return stated in asked
    for scale in _SCALES:
        if stated in scale and all(each in scale for each in asked):
            return _ranks_enough(scale.index(stated), [scale.index(each) for each in asked], comparison)
    return comparison != "better" or stated not in asked


def _ranks_enough(stated: int, asked: list[int], comparison: str) -> bool:
    if comparison == "minimum":
        return any(stated >= each for each in asked)
    if comparison == "better":
        return all(stated > each for each in asked)
    return any(stated <= each for each in asked)
