"""What keeps the ring together: joining, stabilise, notify, fix_fingers, check_predecessor.

A node that another one names as our successor or predecessor is asked itself before it is believed in, so that the dead
do not come back by hearsay.
"""

from collections.abc import Callable
from math import inf
from typing import Final

from contract.overlay_events import UPKEEP
from peer.net.address import Address
from peer.overlays.chord.context import Context, addresses
from peer.overlays.chord.lookup import Find, Found, Lookup
from peer.overlays.chord.messages import AskNeighbours, Done, Leave, Neighbours, Notify, Ping
from peer.overlays.chord.ring import Contact
from peer.overlays.chord.storing.keeping import Keeping

MOST_CLAIMS: Final = 16


class Upkeep:
    """The periodic work of one node."""

    __slots__ = (
        "_check_at", "_claims", "_context", "_find", "_finger", "_fingers_at", "_is_new", "_keeping", "_known",
        "_rejoin_at", "_stabilise_at", "_when_joined", "is_joined",
    )  # fmt: skip

    def __init__(
        self, context: Context, keeping: Keeping, known: list[Address], find: Find, when_joined: Callable[[], None]
    ) -> None:
        self._context: Final = context
        self._keeping: Final = keeping
        self._known: Final = [address for address in known if address != context.own.address]
        self._find: Final = find
        self._when_joined: Final = when_joined
        self.is_joined = False
        self._claims: Final[set[Contact]] = set()
        """Who notified us, and was not heard yet."""
        self._is_new = False
        """Whether the fingers were not looked up since we entered."""
        self._stabilise_at = self._fingers_at = self._check_at = self._rejoin_at = inf
        self._finger = 0
        """Where the next round begins, if a round is not all fingers."""

    def join(self) -> None:
        """Find our successor by a node that is known; without one, we are the ring."""
        if not self._known:
            self.enter([])
            return
        entry = self._context.contact(self._known[0])
        self._known.append(self._known.pop(0))
        self._rejoin_at = inf
        Lookup(self._context, self._context.own.id, UPKEEP, self._take_place).begin(entry)

    def _take_place(self, found: Found) -> None:
        if self._context.table.successors:
            return  # Somebody found us in the meantime.
        nodes = [node for node in found.nodes if node.id != self._context.own.id]
        if nodes:
            self.enter(nodes)
        else:
            self._rejoin_at = self._context.out.now + self._context.parameters.rejoin_after

    def enter(self, successors: list[Contact]) -> None:
        """Take part from now on."""
        self._context.table.set_successors(successors)
        parameters = self._context.parameters
        self._stabilise_at = self._context.wait(parameters.stabilise_every)
        self._fingers_at = self._context.wait(parameters.fix_fingers_every)
        self._check_at = self._context.wait(parameters.check_predecessor_every)
        self._rejoin_at = inf
        self._is_new = True
        is_first_time, self.is_joined = not self.is_joined, True
        if successors and parameters.stabilise_every < inf:
            self._stabilise()
        if is_first_time:
            self._when_joined()

    def tick(self) -> None:
        """Do what is due."""
        now, parameters = self._context.out.now, self._context.parameters
        if self._stabilise_at <= now:
            self._stabilise_at = self._context.wait(parameters.stabilise_every)
            self._stabilise()
        if self._fingers_at <= now:
            self._fingers_at = self._context.wait(parameters.fix_fingers_every)
            self._fix_fingers()
        if self._check_at <= now:
            self._check_at = self._context.wait(parameters.check_predecessor_every)
            self._check_predecessor()
        if self._rejoin_at <= now:
            self.join()

    def next_deadline(self) -> float:
        return min(self._stabilise_at, self._fingers_at, self._check_at, self._rejoin_at)

    def _stabilise(self) -> None:
        successors = self._context.table.successors
        if successors:
            self._ask_neighbours(successors[0])
        elif self._known and self._context.table.predecessor is None:
            self.join()  # All that we knew are gone; or we were the ring's first node, and nobody came.

    def _ask_neighbours(self, node: Contact) -> None:
        question = AskNeighbours(self._context.requests.new_token())
        self._context.ask(node, question, Neighbours, lambda answer: self._adopt(node, answer), self._stabilise)

    def _adopt(self, successor: Contact, answer: Neighbours) -> None:
        """Take a successor's list for ours, unless somebody is between."""
        self._context.table.set_successors([successor, *self._context.contacts(answer.successors)])
        between = answer.predecessor and self._context.contact(answer.predecessor)
        if between and self._context.table.is_nearer_successor(between) and not self._context.is_suspect(between):
            self._ask_between(between)
            return
        self._context.send(successor.address, Notify(self._context.requests.new_token()))
        self._keeping.keep_copies()
        if self._is_new:
            self._is_new = False
            self._fix_fingers()

    def _ask_between(self, node: Contact) -> None:
        question = AskNeighbours(self._context.requests.new_token())
        self._context.ask(node, question, Neighbours, lambda answer: self._adopt(node, answer), lambda: None)

    def take_notify(self, source: Address) -> None:
        """Somebody believes to be our predecessor. It gets pairs, so it must be heard at the address that it claims."""
        node = self._context.contact(source)
        is_news = self._context.table.is_nearer_predecessor(node) or not self._context.table.successors
        if node.id == self._context.own.id or not is_news or node in self._claims or len(self._claims) >= MOST_CLAIMS:
            return
        self._claims.add(node)
        ping = Ping(self._context.requests.new_token())
        self._context.ask(node, ping, Done, lambda _: self._believe(node), lambda: self._claims.discard(node))

    def _believe(self, node: Contact) -> None:
        self._claims.discard(node)
        table = self._context.table
        if table.is_nearer_predecessor(node):
            knew_our_part, table.predecessor = table.predecessor is not None, node
            self._keeping.give_to(node, knew_our_part=knew_our_part)
        if not table.successors:
            table.set_successors([node])
            self._stabilise()

    def take_leave(self, source: Address, leave: Leave) -> None:
        """A neighbour leaves, and names those who take its place."""
        node = self._context.contact(source)
        table = self._context.table
        was_predecessor, was_successor = table.predecessor == node, node in table.successors[:1]
        self._context.suspect(node)
        if was_predecessor:
            self._keeping.our_part_grew()
            if leave.predecessor and self._context.contact(leave.predecessor) != self._context.own:
                table.predecessor = self._context.contact(leave.predecessor)
        if was_successor and leave.successors:
            table.set_successors([*self._context.contacts(leave.successors)] or table.successors)
            self._stabilise()

    def say_goodbye(self) -> None:
        """Tell our neighbours that we leave, and give our pairs to our successor."""
        table = self._context.table
        if not table.successors:
            return
        before = table.predecessor and table.predecessor.address
        leave = Leave(self._context.requests.new_token(), before, addresses(table.successors))
        self._keeping.give_all_to(table.successors[0])
        for address in dict.fromkeys((table.successors[0].address, before)):
            if address is not None:
                self._context.send(address, leave)

    def _check_predecessor(self) -> None:
        node = self._context.table.predecessor
        if node is not None:
            ping = Ping(self._context.requests.new_token())
            self._context.ask(node, ping, Done, lambda _: None, self._keeping.our_part_grew)

    def _fix_fingers(self) -> None:
        table = self._context.table
        first = table.first_finger()
        a_round = self._context.parameters.fingers_a_round
        begin = max(first, self._finger) if a_round else first
        self._fix_finger(first if begin >= self._context.parameters.bits else begin, a_round or inf)

    def _fix_finger(self, finger: int, left: float) -> None:
        """Look one finger up, and then those that it is not, too."""
        self._finger = finger
        if finger < self._context.parameters.bits and left > 0:
            place = self._context.table.start_of(finger)
            self._find(place, UPKEEP, lambda found: self._set_finger(finger, found, left - 1))

    def _set_finger(self, finger: int, found: Found, left: float) -> None:
        nodes = [node for node in found.nodes if not self._context.is_suspect(node)]
        following = self._context.table.set_fingers(finger, nodes[0]) if nodes else finger + 1
        self._fix_finger(max(following, self._context.table.first_finger()), left)
