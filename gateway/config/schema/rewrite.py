"""What becomes of the addresses in an application's responses, and of lines of their heads, on the way to browsers."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.problems import did_you_mean
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.types import Maybe, Origin, Strict, checked, wrong

# Headers about the browser's caution with a page. No listed header ends a message, sets a cookie or redirects.
ADDED: Final = (
    "Content-Security-Policy",
    "Content-Security-Policy-Report-Only",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Origin-Agent-Cluster",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-Permitted-Cross-Domain-Policies",
    "X-Robots-Tag",
    "X-UA-Compatible",
    "X-XSS-Protection",
)


def _added_name(name: str) -> str:
    if name not in ADDED:
        known = {one.lower(): one for one in ADDED}
        near = known.get(name.lower())
        hint = f"write {near}" if near else did_you_mean(name, ADDED) or f"these are: {', '.join(ADDED)}"
        raise Wrong(f"{name} is not a header that can be added here", hint)
    return name


def _line_value(text: str) -> str:
    if not text.strip() or not all(" " <= character <= "~" for character in text):
        raise Wrong("this is one line of ASCII, and not empty")
    return text.strip()


def _sought(text: str) -> str:
    if not text.strip():
        raise Wrong("blanks stand everywhere", "write a text with a word in it")
    return text


# A short text matches everywhere in a body, and each match costs time.
Sought = Annotated[str, Field(min_length=3, max_length=200), AfterValidator(checked(_sought))]
Instead = Annotated[str, Field(max_length=1000)]
AddedName = Annotated[str, AfterValidator(checked(_added_name))]
LineValue = Annotated[str, Field(max_length=4000), AfterValidator(checked(_line_value))]


class RewriteSection(Strict):
    """Rewrites the application's own addresses to the addresses that browsers know."""

    headers: bool = False
    """In `Location`, `Content-Location`, `Refresh`, `Link` and `Set-Cookie`."""
    bodies: bool = False
    """In texts too: HTML, CSS, JavaScript, JSON and XML, as they stream. The gateway asks the application for
    uncompressed responses, and asks again for the whole text if the application sends only a range of it."""
    texts: dict[Sought, Instead] = Field(default={}, max_length=50)
    """Exact texts in such bodies, each with its replacement."""
    internal: list[Origin] = Field(default=[], max_length=20)
    """Further internal addresses that the application writes: `http://intranet:8080`. The address of `upstream` and the
    public names with http or the upstream's port are known already."""
    same_site: Maybe[Literal["lax", "strict", "none"]] = None
    """The `SameSite` of the application's cookies that have none."""

    @model_validator(mode="after")
    def _has_an_effect(self) -> "RewriteSection":
        if not self.headers and (self.internal or self.same_site is not None or self.bodies):
            # With right links and wrong redirects, an application only seems to work.
            raise wrong("nothing is rewritten without headers", "write headers: true too")
        if self.texts and not self.bodies:
            raise wrong("texts are sought in bodies", "write bodies: true too")
        return self
