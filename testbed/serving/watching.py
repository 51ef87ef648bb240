"""Runs that are being looked at. While nobody listens, nothing is read."""

import asyncio
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeAlias

from testbed.serving.channel import Channel
from testbed.serving.worker import NoAnswerError, UnknownError, Worker

Json: TypeAlias = dict[str, Any]

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at a run, or at the list of runs."""
_REST: Final = 4.0
"""For how long a page is left as it is, in multiples of the processor time that making it took."""
OVERVIEW: Final = "overview"


@dataclass
class Watch:
    """Looks again and again while somebody listens."""

    channel: Channel[Json] = field(default_factory=Channel, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def values(self) -> AsyncIterator[Json]:
        """Yield what is seen, first now and then after each change."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        async for value in self.channel.values():
            yield value

    async def _watch(self) -> None:
        await asyncio.sleep(0)  # the first listener is there
        while self.channel.has_listeners:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Look once."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop, and tell all listeners that this was all."""
        self.channel.close()
        if self._task is not None:
            self._task.cancel()


@dataclass
class RunList(Watch):
    """The list of all runs."""

    worker: Worker

    async def look(self) -> None:
        """List the runs."""
        try:
            self.channel.publish({"runs": await self.worker.ask("runs"), "trouble": ""})
        except NoAnswerError as error:
            known = self.channel.value or {"runs": []}
            self.channel.publish({**known, "trouble": str(error)})


@dataclass(frozen=True)
class Page:
    """What a page shows: parts that are named by their contents, so that a browser asks for each only once."""

    overview: bytes
    hashes: dict[str, str]
    """The names of contents by the names of parts."""
    contents: dict[str, bytes]

    @classmethod
    def of(cls, parts: dict[str, str]) -> "Page":
        """Make a page of packed parts."""
        raw = {name: b64decode(text) for name, text in parts.items()}
        overview = raw.pop(OVERVIEW)
        hashes = {name: sha256(content).hexdigest()[:20] for name, content in raw.items()}
        return cls(overview, hashes, {hashes[name]: content for name, content in raw.items()})


@dataclass
class LiveRun(Watch):
    """A run whose page is made anew when its folder has changed, but not too often."""

    name: str
    glances: Worker
    pages: Worker
    replays: Worker
    page: Page | None = field(default=None, init=False)
    _version: int = field(default=0, init=False)
    _made_of: str = field(default="", init=False)
    _not_before: float = field(default=0.0, init=False)
    _before: Page | None = field(default=None, init=False)
    _making: asyncio.Task[None] | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)
    _progress: tuple[int, int] | None = field(default=None, init=False)
    _state: Json = field(default_factory=dict, init=False)

    async def look(self) -> None:
        """See how far the run is, and begin to make its page again if that is due."""
        try:
            self._state = await self.glances.ask("state", run=self.name)
        except NoAnswerError as error:
            self._state = {"signature": "", "planned": 0, "done": 0, "phase": "stopped", "now": None}
            self._state["trouble"] = str(error)
        if self._is_due():
            self._making = asyncio.create_task(self._make(self._state["signature"]))
        self._publish()

    def _is_due(self) -> bool:
        is_making = self._making is not None and not self._making.done()
        has_changed = not self._state["trouble"] and self._state["signature"] != self._made_of
        return has_changed and not is_making and time.monotonic() >= self._not_before

    async def _make(self, signature: str) -> None:
        try:
            parts = await self.pages.ask("page", self._tell, run=self.name)
            self._before, self.page, self._trouble = self.page, Page.of(parts), ""
            self._version += 1
        except NoAnswerError as error:
            self._trouble = str(error)
        self._made_of, self._progress = signature, None
        self._not_before = time.monotonic() + _REST * self.pages.cost
        self._publish()

    def _tell(self, done: int, of: int) -> None:
        self._progress = done, of
        self._publish()

    def _publish(self) -> None:
        state = {name: value for name, value in self._state.items() if name != "signature"}
        trouble = state["trouble"] or self._trouble
        self.channel.publish({**state, "trouble": trouble, "read": self._progress, "version": self._version})

    def content(self, name: str) -> bytes | None:
        """Return a part by the name of its content; also those of the page before this one."""
        for page in (self.page, self._before):
            if page is not None and name in page.contents:
                return page.contents[name]
        return None

    async def replay(self, part: str) -> bytes:
        """Return a replay, packed."""
        return b64decode(await self.replays.ask("replay", run=self.name, part=part))

    def close(self) -> None:
        """Stop."""
        super().close()
        if self._making is not None:
            self._making.cancel()


@dataclass
class Site:
    """All that is served."""

    glances: Worker
    pages: Worker
    replays: Worker
    runs: RunList = field(init=False)
    _live: dict[str, LiveRun] = field(default_factory=dict, init=False)
    _is_closed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.runs = RunList(self.glances)

    async def run(self, name: str) -> LiveRun:
        """Return a run that exists, or was seen while it did; an UnknownError says that there is none."""
        if name not in self._live:
            try:
                await self.glances.ask("state", run=name)
            except NoAnswerError as error:
                if isinstance(error, UnknownError):
                    raise
                # Otherwise its page says why it cannot be read.
            live = self._live.setdefault(name, LiveRun(name, self.glances, self.pages, self.replays))
            if self._is_closed:  # while it was asked about
                live.close()
        return self._live[name]

    def close(self) -> None:
        """End all: who listens is told so, and what is asked from now on gets no answer."""
        self._is_closed = True
        for watch in (self.runs, *self._live.values()):
            watch.close()
        for worker in (self.glances, self.pages, self.replays):
            worker.close()
