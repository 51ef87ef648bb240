"""What a strategy is told of our own progress."""

from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.exchange.exchange import Exchange
from peer.bittorrent.engine.exchange.pending import PendingExchange
from peer.bittorrent.engine.strategy import ProgressView, TransferTotals


def progress(context: Context, exchange: Exchange | PendingExchange, joined_at: float) -> ProgressView:
    """Return how far we are now."""
    return ProgressView(
        now=context.outbox.now,
        joined_at=joined_at,
        completed_at=exchange.completed_at,
        have_count=exchange.have_count,
        piece_count=exchange.piece_count,
        length=exchange.length,
        received=exchange.received_bytes,
        sent=exchange.sent_bytes,
        neighbour_count=len(context.neighbours),
    )


def reported_totals(context: Context, exchange: Exchange | PendingExchange) -> TransferTotals:
    """Return the counts for trackers, which are true if the strategy is honest."""
    true = TransferTotals(exchange.sent_bytes, exchange.received_bytes, exchange.left_bytes)
    return context.strategy.advertiser.reported_totals(true)
