"""One error type with two readers: the browser gets the code's public text, the operator gets the detail."""

from gateway.model.codes.code import Code
from gateway.model.theme import Words


class GatewayError(Exception):
    """What ends a request, a sign-in or a load, with a stable code.

    `detail` is for the operator's log alone: it may name hosts, claims and limits, never a secret or an
    attribute's value. The browser sees `code.title`, `code.advice` and the request id, and `shown`: a short text that
    anybody may read and that no stranger can make say what they like.
    """

    def __init__(self, code: Code, detail: str = "", *, shown: Words = "") -> None:
        super().__init__(f"{code.id}: {detail}" if detail else code.id)
        self.code = code
        self.detail = detail
        self.shown = shown
