"""A value that many listen to."""

import asyncio

from testbed.serving.channel import Channel


def test_slow_listeners_get_the_latest_value_only() -> None:
    async def heard() -> list[int]:
        channel = Channel[int](1)
        values = channel.values()
        found = [await anext(values)]
        for value in (2, 3, 3):
            channel.publish(value)
        found.append(await anext(values))
        waiting = asyncio.ensure_future(anext(values, 0))
        await asyncio.sleep(0)
        channel.publish(3)  # nothing new
        channel.close()
        return [*found, await waiting]

    assert asyncio.run(heard()) == [1, 3, 0]


def test_those_who_leave_are_forgotten() -> None:
    async def listened() -> tuple[bool, bool]:
        channel = Channel[int](1)
        values = channel.values()
        await anext(values)
        before = channel.has_listeners
        await values.aclose()  # type: ignore[attr-defined]
        return before, channel.has_listeners

    assert asyncio.run(listened()) == (True, False)
