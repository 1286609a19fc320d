"""A hedge as the engine takes it: legs, netting sets, and what margin is counted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from headframe.book import MarginTerms, Position
from headframe.counterparty import CollateralTerms
from headframe.instrument import Instrument, Kind
from headframe.numerics import Array, np
from headframe.risk.margin import VenueMargin, rule_set
from headframe.units import Wrong

MOST_LEGS, MOST_SETS = 500, 40
VENUE, DEALER = "venue", "dealer "
"""How netting sets are named: the venue, or a dealer by this word and its name."""
_SIGNS = {Kind.CALL: 1.0, Kind.PUT: -1.0, Kind.FUTURE: 0.0, Kind.FORWARD: 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class NettingSet:
    """What nets with what: a venue's futures, or everything under one dealer's agreement."""

    name: str
    venue: VenueMargin | None = None
    terms: CollateralTerms | None = None

    def __post_init__(self) -> None:
        if (self.venue is None) == (self.terms is None):
            raise Wrong(f"{self.name} is margined by a venue or under an agreement, one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgedLeg:
    """One leg that is on: signed amount (coins, or USD for a future settled in coin) and entry.

    ``margined`` are the coins that initial margin or an independent amount is counted on.
    """

    instrument: Instrument
    amount: float
    entry: float
    netting: str
    margined: float


@dataclass(frozen=True, slots=True)
class Hedge:
    """Legs as rows (sign, coin-settled, amount, strike or entry, day of expiry, set), and their sets."""

    legs: Array
    sets: tuple[NettingSet, ...]
    margined: Array

    def set_numbers(self) -> Array:
        """The kernel's array of sets."""
        rows: list[tuple[float, ...]] = []
        for one in self.sets:
            if one.venue is not None:
                rows.append((1.0, one.venue.initial, one.venue.per_coin, 0.0, 0.0, 0.0, 0.0))
            else:
                assert one.terms is not None
                t = one.terms
                moved = (t.threshold_usd, t.minimum_transfer_usd, t.rounding_usd)
                rows.append((0.0, 0.0, 0.0, *moved, t.independent_share))
        return np.array(rows, dtype=np.float64).reshape(len(rows), 7)

    def notional(self, days: int) -> Array:
        """Coins alive in each set on each day: (sets, days + 1)."""
        out = np.zeros((len(self.sets), days + 1))
        for row, coins in zip(self.legs, self.margined, strict=True):
            out[int(row[5]), : int(row[4])] += coins
        return out


def no_hedge() -> Hedge:
    """Nothing on."""
    return Hedge(np.zeros((0, 6)), (), np.zeros(0))


def hedge_of(legs: Sequence[HedgedLeg], sets: Sequence[NettingSet], at: datetime) -> Hedge:
    """Legs that have not expired, in the order given; a leg's day is the nearest to its expiry."""
    if len(legs) > MOST_LEGS or len(sets) > MOST_SETS:
        raise Wrong(f"a hedge has up to {MOST_LEGS} legs in {MOST_SETS} netting sets")
    names = [one.name for one in sets]
    rows: list[tuple[float, ...]] = []
    margined: list[float] = []
    for leg in legs:
        days = (leg.instrument.expiry - at).total_seconds() / 86_400.0
        if days <= 0.0:
            continue
        inverse = leg.instrument.inverse and (
            leg.instrument.is_option or leg.instrument.amount_in_usd
        )
        strike = leg.instrument.strike
        rows.append(
            (
                _SIGNS[leg.instrument.kind],
                float(inverse),
                leg.amount,
                float(strike) if strike is not None else leg.entry,
                float(max(round(days), 1)),
                float(names.index(leg.netting)),
            )
        )
        margined.append(leg.margined)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 6)
    return Hedge(table, tuple(sets), np.array(margined))


def hedge_in_force(
    positions: Sequence[Position],
    terms: Mapping[str, CollateralTerms],
    at: datetime,
    *,
    planned: Sequence[HedgedLeg] = (),
) -> Hedge:
    """What is left of the trades on, and what is planned: futures net at the venue, the rest by dealer.

    A netting of ``planned`` legs is "venue" or "dealer NAME".
    """
    legs = [leg for position in positions for leg in _legs(position)] + list(planned)
    sets = [NettingSet(name=VENUE, venue=rule_set(at.date())[0])]
    dealers = sorted({leg.netting for leg in legs} - {VENUE})
    sets += [NettingSet(name=name, terms=terms[name.removeprefix(DEALER)]) for name in dealers]
    used = {leg.netting for leg in legs}
    return hedge_of(legs, [one for one in sets if one.name in used], at)


def _legs(position: Position) -> list[HedgedLeg]:
    venue, coins = position.trade.margin is MarginTerms.VENUE, float(position.coins)
    return [
        HedgedLeg(
            instrument=leg.instrument,
            amount=float(position.amount(leg)),
            entry=float(position.entry(leg)),
            netting=VENUE if venue else f"{DEALER}{position.trade.dealer}",
            margined=coins if position.trade.sells_upside and leg.amount < 0 else 0.0,
        )
        for leg in position.trade.legs
    ]
