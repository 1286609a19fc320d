"""The sample market: figures of 22 August 2026, 15:33 UTC, typed in as facts with date and source."""

from datetime import UTC, datetime

from headframe.market.snapshot import ForwardQuote, Snapshot, TypedSmile
from headframe.units import parse_expiry

_FIGURES = """
28-AUG-26 77181 49.1 45.1 44.3 46.5 51.4  77769
25-SEP-26 77405 46.7 41.1 40.0 41.6 46.0 128636
30-OCT-26 77723 47.0 41.7 40.1 41.1 44.9  18250
25-DEC-26 78343 48.8 43.2 41.5 41.9 45.2 105620
26-MAR-27 79203 48.5 43.6 41.6 42.2 45.2  27728
25-JUN-27 80104 48.3 43.9 41.9 42.2 45.6   7440
"""
"""Expiry, forward USD, volatility in % at 10-delta put, 25-delta put, at the money, 25-delta call
and 10-delta call, open interest in coins."""

_DELTAS = (0.90, 0.75, None, 0.25, 0.10)


def sample_market() -> Snapshot:
    """The sample market as a snapshot; bid and ask of options are typed as a share of mid."""
    rows = [line.split() for line in _FIGURES.split("\n") if line]
    return Snapshot(
        as_of=datetime(2026, 8, 22, 15, 33, tzinfo=UTC),
        coin="BTC",
        index=77_054.0,
        source="Deribit option summary of 22 Aug 2026 15:33 UTC, typed in",
        forwards=tuple(
            ForwardQuote(
                expiry=parse_expiry(row[0]), price=float(row[1]), open_interest=float(row[7])
            )
            for row in rows
        ),
        typed=tuple(
            TypedSmile(
                expiry=parse_expiry(row[0]),
                vols=tuple(
                    (delta, float(vol) / 100.0)
                    for delta, vol in zip(_DELTAS, row[2:7], strict=True)
                ),
            )
            for row in rows
        ),
        spread=0.0375,
        spot_move_10m=0.0,
    )
