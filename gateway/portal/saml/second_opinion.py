"""A second opinion on accepted documents, which may refuse but never admits. Providers ask for it in their file.

The second implementation has its own threads, so slow documents delay neither the loop nor our own validation. Each
provider uses one thread at a time, so its slow documents delay only its own people.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final
from weakref import WeakValueDictionary

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.portal.http.request import PortalRequest
from gateway.portal.report import Report
from gateway.portal.saml.other_implementation import Accepted, DoesNotAgree, ask_python3_saml
from gateway.saml.parties import OpinionVerdict, SecondOpinion

# What is larger is about limits alone. The largest real Response that we have seen had 60 KB.
LARGEST: Final = 64 * 1024
# Seconds that a person waits for the second opinion.
WITHIN: Final = 2.0
# Documents of a provider that may wait: a third of a second's work at some 3 ms per document.
_MOST_WAITING: Final = 100
_THREADS: Final = 4


class SecondOpinions:
    """Asks python3-saml, in threads."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="second-opinion")
        self._waiting: Counter[str] = Counter()
        # By provider. A turn ends when its thread is free, even if the person no longer waits.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, wanted: SecondOpinion, request: PortalRequest, accepted: Accepted) -> None:
        """Raises GatewayError, saml_codes.SECOND_OPINION or saml_codes.SECOND_OPINION_FAILED, where the file says
        `mode: deny`; nothing otherwise."""
        verdict, theirs = await self._opinion(accepted)
        self._report.second_opinion(request, wanted.by, verdict, ours=accepted.grounds, theirs=theirs)
        if verdict != "agree" and wanted.deny:
            code = saml_codes.SECOND_OPINION if verdict == "disagree" else saml_codes.SECOND_OPINION_FAILED
            raise GatewayError(code, f"{wanted.by}: {theirs}")

    async def _opinion(self, accepted: Accepted) -> tuple[OpinionVerdict, str]:
        size = len(accepted.document.octets)
        if size > LARGEST:
            return "failed", f"{size} bytes, over {LARGEST}"
        provider = accepted.provider.name
        if self._waiting[provider] >= _MOST_WAITING:
            return "failed", f"{self._waiting[provider]} responses of {provider} wait for it"
        self._waiting[provider] += 1
        try:
            future = await self._asked(provider, partial(ask_python3_saml, accepted))
        finally:
            self._waiting[provider] -= 1
            if not self._waiting[provider]:
                del self._waiting[provider]
        if future is None:
            return "failed", f"no answer within {WITHIN:g} s"
        match future.exception():
            case None:
                return "agree", ""
            case DoesNotAgree() as refused:
                return "disagree", quoted(str(refused))
            case fault:
                # A fault of the package. Its text may quote the document.
                return "failed", type(fault).__name__

    async def _asked(self, provider: str, work: Callable[[], None]) -> asyncio.Future[None] | None:
        """The finished result; None if too late."""
        ends = asyncio.get_running_loop().time() + WITHIN
        turn = self._turns.setdefault(provider, asyncio.Lock())
        try:
            async with asyncio.timeout_at(ends):
                await turn.acquire()
        except TimeoutError:
            return None
        begun = self._threads.submit(work)
        future = asyncio.wrap_future(begun)
        future.add_done_callback(lambda _: turn.release())
        done, _ = await asyncio.wait({future}, timeout=ends - asyncio.get_running_loop().time())
        if not done:
            # Cancels work that has not begun. Work under way keeps the provider's turn until its end.
            begun.cancel()
            return None
        return future

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
