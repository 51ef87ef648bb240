"""The public API for writing and trying strategies; docs/strategies.md shows how."""

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.engine.strategy import (
    Advertiser,
    Allocation,
    Candidate,
    Choker,
    ChokingView,
    Departure,
    Garbage,
    Grant,
    PeerPolicy,
    PeerTargets,
    Picker,
    PieceView,
    ProgressView,
    Strategy,
    TransferTotals,
    Trigger,
)
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.chokers import TitForTat
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.parts.parameters import number, one_of, whole_number, yes_or_no
from peer.bittorrent.strategies.parts.peer_policies import FollowsProfile
from peer.bittorrent.strategies.parts.pickers import RandomOrder, RarestFirst, Sequential
from peer.bittorrent.strategies.parts.seed_chokers import refuse_others
from peer.bittorrent.strategies.registry import STRATEGIES, StrategyError, make_strategy
from peer.bittorrent.strategies.standard import tit_for_tat
from peer.bittorrent.wire.bitfield import Bitfield

__all__ = [
    "PROFILES",
    "STRATEGIES",
    "Advertiser",
    "Allocation",
    "Bitfield",
    "Candidate",
    "Choker",
    "ChokingView",
    "Departure",
    "FollowsProfile",
    "Garbage",
    "Grant",
    "Honest",
    "Leave",
    "PeerPolicy",
    "PeerTargets",
    "Picker",
    "PieceView",
    "Profile",
    "ProgressView",
    "RandomOrder",
    "RarestFirst",
    "Sequential",
    "Strategy",
    "StrategyError",
    "TitForTat",
    "TransferTotals",
    "Trigger",
    "make_strategy",
    "number",
    "one_of",
    "parse_departure",
    "refuse_others",
    "tit_for_tat",
    "whole_number",
    "yes_or_no",
]
