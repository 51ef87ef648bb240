"""The event loop that programs of this package run on."""

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes uvloop's loop where that is installed; None is asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415  It is optional.
    except ImportError:
        return None
    return uvloop.new_event_loop
