"""How one application reads paths more loosely than we do."""

from typing import Literal

from pydantic import Field, model_validator

from gateway.config.schema_types import ParameterName, Strict, wrong
from gateway.wire.target import PathLeniency


class Paths(Strict):
    """How this application reads paths more loosely than we do. Only what is named here is let through."""

    parameters: list[ParameterName] = Field(default=[], max_length=20)
    """Path parameters that it cuts off, such as jsessionid."""
    case: Literal["sensitive", "insensitive"] = "sensitive"
    """Where it knows no case, it may be a Windows server, whose other names of one file are refused: `a~1`, `a.`."""
    windows: bool = False
    """With `case: insensitive`: dots and blanks at the end of a name are taken off, in the place of a refusal."""
    merge_slashes: bool = False
    encoding: Literal["utf8", "latin1"] = "utf8"
    """The charset of its links. `latin1` is windows-1252, as browsers read it."""
    escaped: list[Literal["?", "#"]] = Field(default=[], max_length=2)
    """Of these two, those that names of its pages hold. A server that decodes once more would cut there."""
    cookieless: bool = False
    """It is ASP.NET with sessions in the path: one segment `(S(...))` is taken off."""

    def leniency(self) -> PathLeniency:
        return PathLeniency(
            frozenset(self.parameters),
            self.case == "insensitive",
            self.merge_slashes,
            "latin-1" if self.encoding == "latin1" else "utf-8",
            frozenset(self.escaped),
            self.cookieless,
            self.windows,
        )

    @model_validator(mode="after")
    def _windows(self) -> "Paths":
        if self.windows and self.case == "sensitive":
            raise wrong("a Windows server knows no case", "write case: insensitive too, or leave windows out")
        return self
