"""A hedge as the engine takes it: legs, netting sets, and what margin is counted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from headframe.book import MarginTerms, Position
from headframe.counterparty import CollateralTerms
from headframe.instrument import Instrument, Kind, StructureKind
from headframe.numerics import Array, np
from headframe.risk.kernels import EXPIRY, SET
from headframe.risk.rules import RULE_SETS, VenueMargin, rule_set
from headframe.units import Month, Wrong

MOST_LEGS, MOST_SETS = 5_000, 60
VENUE, VENUE_SOLD, VENUE_BOUGHT, DEALER = "venue", "venue, sold", "venue, bought", "dealer "
_APART = " / "
"""How netting sets are named: the venue's futures, its options sold and bought, a dealer by word and name."""
_NEVER_CALLED = 1e10
_PERPETUAL_LEAST = timedelta(days=30)
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

    ``margined`` are the coins that initial margin or an independent amount is counted on; ``hashed`` those
    sold by an index of mining at the difficulty expected: fewer where it is higher.
    """

    instrument: Instrument
    amount: float
    entry: float
    netting: str
    margined: float
    hashed: float = 0.0
    months: tuple[tuple[Month, float], ...] = ()
    """Coins by the month they are mined in; none: the leg runs to its expiry whatever the mandate says."""


@dataclass(frozen=True, slots=True)
class Hedge:
    """Legs as rows (sign, coin-settled, amount, strike or entry, day of expiry, set), and their sets."""

    legs: Array
    sets: tuple[NettingSet, ...]
    margined: Array
    hashed: Array
    months: tuple[tuple[tuple[Month, float], ...], ...] = ()
    """Coins by month of each leg."""

    @property
    def at_venue(self) -> list[bool]:
        """Return for each leg whether a venue margins it, not an agreement with a dealer."""
        return [not self.sets[int(row[SET])].name.startswith(DEALER) for row in self.legs]

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

    def notional(self, days: int, alive: Array | None = None) -> Array:
        """Coins alive in each set on each day: (sets, days + 1); ``alive`` is the share of each leg left."""
        out = np.zeros((len(self.sets), days + 1))
        for place, (row, coins) in enumerate(zip(self.legs, self.margined, strict=True)):
            on = min(int(row[EXPIRY]), days + 1)
            out[int(row[SET]), :on] += coins if alive is None else coins * alive[place, :on]
        return out

    def on_index(self, carry: Array, days: int) -> tuple[Array, Array]:
        """Coins sold by an index of mining, in coins of a day's spot: alive on each day, and due on it.

        Both are (sets, days + 1); ``carry`` is the log of each day's forward over the spot.
        """
        alive, due = np.zeros((2, len(self.sets), days + 1))
        for row, coins in zip(self.legs, self.hashed, strict=True):
            held, last = int(row[SET]), int(row[EXPIRY])
            on = min(last, days + 1)
            alive[held, :on] += coins * np.exp(carry[last] - carry[:on])
            if last <= days:
                due[held, last] += coins
        return alive, due


def no_hedge() -> Hedge:
    """Nothing on."""
    return Hedge(np.zeros((0, 6)), (), np.zeros(0), np.zeros(0))


def hedge_of(legs: Sequence[HedgedLeg], sets: Sequence[NettingSet], at: datetime) -> Hedge:
    """Legs that have not expired, in the order given; a leg's day is the nearest to its expiry."""
    if len(legs) > MOST_LEGS or len(sets) > MOST_SETS:
        raise Wrong(f"a hedge has up to {MOST_LEGS} legs in {MOST_SETS} netting sets")
    names = [one.name for one in sets]
    rows: list[tuple[float, ...]] = []
    margined: list[float] = []
    hashed: list[float] = []
    months: list[tuple[tuple[Month, float], ...]] = []
    for leg in legs:
        days = (_runs_until(leg, at) - at).total_seconds() / 86_400.0
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
        hashed.append(leg.hashed)
        months.append(leg.months)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 6)
    return Hedge(table, tuple(sets), np.array(margined), np.array(hashed), tuple(months))


def _runs_until(leg: HedgedLeg, at: datetime) -> datetime:
    """Return the expiry of a leg; a perpetual runs to the end of the last month that it hedges.

    Until then it earns the carry of a future of that day, which is what funding pays for on average.
    """
    if not leg.instrument.is_perpetual:
        return leg.instrument.expiry
    ends = [month.end for month, _ in leg.months]
    return max([*ends, at + _PERPETUAL_LEAST])


def hedge_in_force(
    positions: Sequence[Position],
    terms: Mapping[str, CollateralTerms],
    at: datetime,
    *,
    planned: Sequence[HedgedLeg] = (),
    sets: tuple[VenueMargin, ...] = RULE_SETS,
    apart: frozenset[str] = frozenset(),
) -> Hedge:
    """What is left of the trades on, and what is planned: futures net at the venue, the rest by dealer.

    A netting of ``planned`` legs is one of the venue's or "dealer NAME". Options sold at the venue are
    margined at the greatest rate of its rules, 15 % and their mark, however far they are out of the money;
    so are futures where contract months have shares of their own. Trades of dealers ``apart`` net with
    nothing: each is a set of its own.
    """
    legs = merged([leg for position in positions for leg in _legs(position, apart)]) + list(planned)
    rules = rule_set(at.date(), sets)[0]
    known = [
        NettingSet(name=VENUE, venue=replace(rules, initial=rules.greatest)),
        NettingSet(name=VENUE_SOLD, terms=_collateral(0.0, rules.option_initial)),
        NettingSet(name=VENUE_BOUGHT, terms=_collateral(_NEVER_CALLED, 0.0)),
    ]
    dealers = sorted({leg.netting for leg in legs} - {one.name for one in known})
    known += [NettingSet(name=name, terms=terms[dealer_of(name)]) for name in dealers]
    used = {leg.netting for leg in legs}
    return hedge_of(legs, [one for one in known if one.name in used], at)


def merged(legs: Sequence[HedgedLeg]) -> list[HedgedLeg]:
    """Legs of one set, instrument and side as one leg, in the order they first come.

    Worth is linear in the amount, and of futures in the amount over its entry (contracts in USD) or times it:
    the entry of the sum is the mean that keeps both.
    """
    found: dict[tuple[str, Instrument, bool, bool], HedgedLeg] = {}
    for leg in legs:
        key = (leg.netting, leg.instrument, leg.amount > 0.0, bool(leg.months))
        known = found.get(key)
        found[key] = leg if known is None else _both(known, leg)
    return list(found.values())


def _both(one: HedgedLeg, other: HedgedLeg) -> HedgedLeg:
    amount = one.amount + other.amount
    entry = one.entry
    if not one.instrument.is_option:
        if one.instrument.amount_in_usd:
            entry = amount / (one.amount / one.entry + other.amount / other.entry)
        else:
            entry = (one.amount * one.entry + other.amount * other.entry) / amount
    return replace(
        one,
        amount=amount,
        entry=entry,
        margined=one.margined + other.margined,
        hashed=one.hashed + other.hashed,
        months=_months_of_both(one, other),
    )


def _months_of_both(one: HedgedLeg, other: HedgedLeg) -> tuple[tuple[Month, float], ...]:
    """Return the coins of both by month."""
    coins = dict(one.months)
    for month, more in other.months:
        coins[month] = coins.get(month, 0.0) + more
    return tuple(sorted(coins.items()))


def _collateral(threshold_usd: float, share: float) -> CollateralTerms:
    return CollateralTerms(
        threshold_usd=threshold_usd,
        minimum_transfer_usd=0.0,
        rounding_usd=0.0,
        independent_share=share,
        haircut=0.0,
    )


def netting_of(one: Instrument, *, bought: bool, dealer: str) -> str:
    """The set a leg nets in; ``dealer`` is empty for what a venue margins."""
    if dealer:
        return f"{DEALER}{dealer}"
    if not one.is_option:
        return VENUE
    return VENUE_BOUGHT if bought else VENUE_SOLD


def dealer_of(netting: str) -> str:
    """Whom a set faces: a dealer's name, or the set's own where it is the venue's."""
    return netting.removeprefix(DEALER).partition(_APART)[0]


def faces_of(sets: Sequence[str]) -> tuple[list[int], list[str]]:
    """Which side each set faces, rising from 0, and the first set of each side; sides stand together."""
    faces: list[int] = []
    firsts: list[str] = []
    for name in sets:
        if not firsts or dealer_of(firsts[-1]) != dealer_of(name):
            firsts.append(name)
        faces.append(len(firsts) - 1)
    return faces, firsts


def _legs(position: Position, apart: frozenset[str]) -> list[HedgedLeg]:
    venue, coins = position.trade.margin is MarginTerms.VENUE, float(position.coins)
    sold = sum(float(leg.amount) for leg in position.trade.legs if leg.amount < 0)
    dealer = "" if venue else position.trade.dealer
    on_index = position.trade.structure is StructureKind.HASHPRICE_FORWARD
    return [
        HedgedLeg(
            instrument=leg.instrument,
            amount=float(position.amount(leg)),
            entry=float(position.entry(leg)),
            netting=netting_of(leg.instrument, bought=leg.amount > 0, dealer=dealer)
            + (f"{_APART}{position.trade.id}" if dealer in apart else ""),
            margined=coins * (float(leg.amount) / sold)
            if position.trade.sells_upside and leg.amount < 0
            else 0.0,
            hashed=max(-float(position.amount(leg)), 0.0) if on_index else 0.0,
            months=()
            if position.trade.structure.on_schedule
            else tuple((month, float(coins)) for month, coins in position.remaining if coins > 0),
        )
        for leg in position.trade.legs
    ]
