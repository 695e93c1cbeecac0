"""A second opinion on what was accepted: it may refuse, and never admits. For those alone whose file asks for it.

It has a thread of its own, so that an implementation of others, however long it takes over a document, holds up neither
the loop nor the thread in which ours works.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from gateway.model.codes import SAML_SECOND_OPINION, SAML_SECOND_OPINION_FAILED
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.portal.http.request import PortalRequest
from gateway.portal.report import Report
from gateway.portal.saml.other_implementations import Accepted, Ask, DoesNotAgree, other_implementation
from gateway.saml.parties import OpinionVerdict, OtherImplementation, SecondOpinion

# What is larger is about limits alone. The largest real Response that we have seen had 60 KB.
LARGEST: Final = 64 * 1024
# Seconds that a person waits for it.
WITHIN: Final = 2.0
# At some 3 ms each, a third of a second.
_MOST_WAITING: Final = 100


class SecondOpinions:
    """`asked_of`: how the implementation of a name is asked, in the thread."""

    def __init__(self, report: Report, asked_of: Callable[[OtherImplementation], Ask] = other_implementation) -> None:
        self._report = report
        self._asked_of = asked_of
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="second-opinion")
        self._waiting = 0

    async def ask(self, wanted: SecondOpinion, request: PortalRequest, accepted: Accepted) -> None:
        """Raises GatewayError, SAML_SECOND_OPINION or SAML_SECOND_OPINION_FAILED, where the file says `mode: deny`;
        nothing otherwise."""
        verdict, theirs = await self._opinion(wanted, accepted)
        self._report.second_opinion(request, wanted.by, verdict, ours=accepted.grounds, theirs=theirs)
        if verdict != "agree" and wanted.deny:
            code = SAML_SECOND_OPINION if verdict == "disagree" else SAML_SECOND_OPINION_FAILED
            raise GatewayError(code, f"{wanted.by}: {theirs}")

    async def _opinion(self, wanted: SecondOpinion, accepted: Accepted) -> tuple[OpinionVerdict, str]:
        size = len(accepted.document.octets)
        if size > LARGEST:
            return "failed", f"{size} bytes, and {LARGEST} are shown to it"
        if self._waiting >= _MOST_WAITING:
            return "failed", f"{self._waiting} responses wait for it"
        work = partial(self._asked_of(wanted.by), accepted)
        self._waiting += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._thread, work)
            done, _ = await asyncio.wait({future}, timeout=WITHIN)
        finally:
            self._waiting -= 1
        if not done:
            # What has not begun is taken back.
            future.cancel()
            return "failed", f"no word within {WITHIN:g} s"
        match future.exception():
            case None:
                return "agree", ""
            case DoesNotAgree() as refused:
                return "disagree", quoted(str(refused))
            case fault:
                # A fault of theirs, whose text may quote what was being handled.
                return "failed", type(fault).__name__

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
