"""Of the searches that are followed, each message is told once: by its sender, or by whom it is charged to."""

from contract.events import TraceEvent
from contract.overlay_events import UPKEEP, MessageCame, MessageSent
from peer.net.address import Address
from peer.overlays.chord.messages import FindNext, Next
from peer.overlays.hands.following import Following

SOMEBODY = Address("198.18.0.2", 6346)


def test_messages_of_other_searches_and_upkeep_are_not_told() -> None:
    told: list[TraceEvent] = []
    following = Following(["followed"], told.append)
    for search in ("followed", "another", UPKEEP):
        following.sent(search, SOMEBODY, FindNext(1, 2))
        following.charged(search, SOMEBODY, Next(1, True, ()))
    assert told == [
        MessageSent("followed", "198.18.0.2:6346", "FindNext"),
        MessageCame("followed", "198.18.0.2:6346", "Next"),
    ]


def test_by_default_nothing_is_followed() -> None:
    told: list[TraceEvent] = []
    Following((), told.append).sent(UPKEEP, SOMEBODY, FindNext(1, 2))
    assert told == []
