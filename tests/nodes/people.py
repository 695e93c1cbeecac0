"""People at work through HAProxy, and what becomes of each of their requests."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from tests.browser_like import Person, Response
from tests.nodes.machines import NODES
from tests.patience import PATIENCE
from tests.walks.load import Asked, Load
from tests.walks.world import SEAT, World, ask, request

# Seconds: what a person waits for a page before giving up.
_WAITS = 20.0
# Between two sign-ins, what is no trouble on any machine; nor is twice what it was before.
_USUAL = 2.0
# Those of whom each has some of the sessions: an answer tells whose it is.
_LOGINS = ("alice", "tilda", "root")
_CALLBACK = "/_ecluse/callback/"
_STEPS = 20
# Responses of the provider that are sent once more.
_SENT_AGAIN = 10


@dataclass
class People:
    """`held`: cookies of people who signed in before anything was broken, all of whose sessions a replica has, each
    with whose it is. `callbacks`: where sign-ins came back from the provider, and the browser that came."""

    world: World
    held: list[tuple[str, str]] = field(default_factory=list)
    signed_in: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    callbacks: list[tuple[Person, str]] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    _stopping: bool = False
    _unanswered: int = 0
    _rested: float = 0.0
    _usual: float = _USUAL

    async def come(self, number: int) -> None:
        for each in range(number):
            login = _LOGINS[each % len(_LOGINS)]
            self.held.append((self.world.cookie(await self._comes(login)), login))

    async def _comes(self, login: str) -> Person:
        """What was broken before may take a moment to be whole."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await self._signs_in(login)
                except (AssertionError, OSError):
                    await asyncio.sleep(0.2)

    def work(self) -> list[asyncio.Task[None]]:
        """Each asks for a page thirty times a second; beside them, and first of all, somebody signs in three times a
        second."""
        tasks = [asyncio.create_task(self._sign_in())]
        for cookie, _ in self.held:
            load = Load(self.world.place.url(), partial(_asking, cookie), ["/x"], pause=0.03)
            self.loads.append(load)
            tasks.append(asyncio.create_task(load.kept(0)))
        return tasks

    def usual(self) -> None:
        """From here on something is broken."""
        before = [end - begin for begin, end in pairwise([*self.signed_in, time.monotonic()])]
        self._usual = max([_USUAL, *(2 * gap for gap in before)])

    async def rest(self, tasks: list[asyncio.Task[None]]) -> None:
        self._stopping = True
        self._rested = time.monotonic()
        for load in self.loads:
            load.stop()
        _, waiting = await asyncio.wait(tasks, timeout=_WAITS)
        self._unanswered = len(waiting - {tasks[0]})
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sign_in(self) -> None:
        while not self._stopping:
            try:
                async with asyncio.timeout(_WAITS):
                    await self._signs_in("bob")
                self.signed_in.append(time.monotonic())
            except (AssertionError, OSError, TimeoutError):
                self.failed.append(time.monotonic())
            await asyncio.sleep(0.3)

    async def _signs_in(self, login: str) -> Person:
        person = Person("en")
        try:
            page = await person.step("GET", self.world.place.url())
            for _ in range(_STEPS):
                if not page.location:
                    break
                page = await self._goes_on(person, page, login)
            assert page.status == 200, f"{page.status} {page.url}"
        finally:
            await person.close()
        return person

    async def _goes_on(self, person: Person, page: Response, login: str) -> Response:
        link = page.location
        if _CALLBACK in link:
            self.callbacks.append((person, link))
        return await person.step("GET", link + (f"&as={login}" if "/authorize?" in link else ""), initiator=page.url)

    # --- what came of it

    def _done(self) -> list[tuple[str, Asked]]:
        """With whose each was."""
        return [(login, asked) for (_, login), load in zip(self.held, self.loads, strict=True) for asked in load.done]

    def statuses(self) -> Counter[int]:
        """0: no answer, or one for which nobody waits so long."""
        seen = Counter(asked.status if asked.ended - asked.began < _WAITS else 0 for _, asked in self._done())
        return seen + Counter({0: self._unanswered})

    def mixed_up(self) -> int:
        """Answers that say another person's name."""
        told = [(login, asked.reading) for login, asked in self._done() if asked.reading and asked.status == 200]
        return sum(json.loads(bytes(its.body))["headers"].get("x-remote-user") != login for login, its in told)

    def longest_without(self) -> float:
        """The longest time in which nobody could sign in, in seconds; to the end where nobody could any more."""
        return max((end - begin for begin, end in self._gaps()), default=0.0)

    def recovered_after(self, moment: float) -> float:
        """Seconds from `moment` until nothing failed any more and sign-ins took no longer than they do."""
        last = [asked.ended for _, asked in self._done() if asked.status != 200]
        last += [min([at for at in self.signed_in if at > failed] or [self._rested]) for failed in self.failed]
        # A sign-in that was still under way in the end says nothing, where others were done before it.
        done = [(begin, end) for begin, end in self._gaps() if begin < moment or end < self._rested]
        last += [end for begin, end in done if end - begin > self._usual]
        return max([at - moment for at in last if at > moment], default=0.0)

    def _gaps(self) -> list[tuple[float, float]]:
        if not self.signed_in:
            return [(0.0, self._rested)]
        return list(pairwise([*self.signed_in, max(self._rested, *self.signed_in)]))

    async def lost(self) -> int:
        """Of those who were there before, who is not known any more at some node."""
        known = [[await _known_at(address, cookie) for address in NODES.values()] for cookie, _ in self.held]
        return sum(not all(at_each) for at_each in known)

    async def replayed(self) -> int:
        """How many responses of the provider, which have all been brought before, make somebody signed in once more."""
        accepted = 0
        for person, link in self.callbacks[-_SENT_AGAIN:]:
            try:
                page = await person.step("GET", link)
            finally:
                await person.close()
            accepted += any(line.startswith(f"{SEAT}=") and "Max-Age=0" not in line for line in page.all("Set-Cookie"))
        return accepted


async def _known_at(address: str, cookie: str) -> bool:
    """As soon as that node can say."""
    async with asyncio.timeout(PATIENCE):
        while (asked := await ask(f"http://{address}:8080", "/x", cookie)).status == 503:
            await asyncio.sleep(0.2)
    return asked.status == 200


def _asking(cookie: str, target: str) -> bytes:
    return request(target, cookie)
