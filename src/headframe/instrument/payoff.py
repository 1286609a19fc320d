"""Exact payoffs: fractions in the settlement currency, rounded only when they are booked."""

from fractions import Fraction

from headframe.instrument.terms import Instrument, Kind
from headframe.units import Wrong


def payoff(
    instrument: Instrument, amount: Fraction, settlement: Fraction, entry: Fraction
) -> Fraction:
    """What a holding pays when it settles at a price, in its settlement currency.

    Args:
        instrument: whose terms decide.
        amount: signed holding, in coins, or in USD for futures settled in coin.
        settlement: settlement price in USD per coin, above zero.
        entry: price the future or forward was last marked or traded at; options ignore it.
    """
    if settlement <= 0:
        raise Wrong(f"a settlement price must be positive, was {settlement}")
    if instrument.is_option:
        assert instrument.strike is not None
        strike = Fraction(instrument.strike)
        sign = 1 if instrument.kind is Kind.CALL else -1
        intrinsic = max(sign * (settlement - strike), Fraction(0))
        return amount * (intrinsic / settlement if instrument.inverse else intrinsic)
    if entry <= 0:
        raise Wrong(f"an entry price must be positive, was {entry}")
    if instrument.amount_in_usd:
        return amount * (1 / entry - 1 / settlement)
    gain = amount * (settlement - entry)
    return gain / settlement if instrument.inverse else gain


def cash_flow(instrument: Instrument, amount: Fraction, price: Fraction) -> Fraction:
    """What changes hands when a holding is traded: the premium, negative when paid; futures nothing."""
    return -amount * price if instrument.is_option else Fraction(0)
