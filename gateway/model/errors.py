"""One error type with two readers: the browser gets the code's public text, the operator gets the detail."""

from gateway.model.codes.code import Code
from gateway.model.theme import Words


class GatewayError(Exception):
    """Ends a request, a sign-in or a load, with a stable code. The browser sees `code.title`, `code.advice`, the
    request id and `shown`.

    `detail`: for the operator's log only. May name hosts, claims and limits, never a secret or an attribute's value.
    `shown`: a short text for the public, which strangers cannot influence.
    """

    def __init__(self, code: Code, detail: str = "", *, shown: Words = "") -> None:
        super().__init__(f"{code.id}: {detail}" if detail else code.id)
        self.code = code
        self.detail = detail
        self.shown = shown
