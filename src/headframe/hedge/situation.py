"""All that a plan is made from: gathered by the desk, judged here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from headframe.book import Position, Trade
from headframe.counterparty import CollateralTerms, Dossier
from headframe.hedge.candidates import Street
from headframe.hedge.exposure import ExposureRow, planned_coins
from headframe.instrument import Structure
from headframe.mandate import Mandate, is_order_book
from headframe.market import Snapshot
from headframe.pricing import Surface
from headframe.risk import RULE_SETS, Liquidity, Pledge, Posted, VenueMargin

NOBODY = ""
"""The dealer of a block while no dealer is approved."""
_STRICTEST = CollateralTerms(
    threshold_usd=0.0,
    minimum_transfer_usd=0.0,
    rounding_usd=0.0,
    independent_share=0.0,
    haircut=0.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The mandate, the market, production against it, what is on, and with whom we may deal.

    ``posted`` and ``held`` are dollars of collateral by dealer; ``live`` are structures that are
    being asked for; ``approved`` are the dealers that stand approved.
    """

    at: datetime
    mandate: Mandate
    mandate_sha256: str
    forecast_id: str
    forecast_sha256: str
    venue: str
    street: Street
    rows: tuple[ExposureRow, ...]
    positions: tuple[Position, ...]
    trades: tuple[Trade, ...]
    dossiers: Mapping[str, Dossier]
    approved: tuple[str, ...]
    posted: Mapping[str, float]
    held: Mapping[str, float]
    live: tuple[Structure, ...]
    liquidity: Liquidity
    pledge: Pledge
    spread_median: float
    preparer: str
    proposal: str | None = None
    """The proposal that is being dealt: its own clips are no repeats."""
    last_clip: datetime | None = None
    """When a clip of it was last dealt."""
    rejections: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of each dealer's awards, the share it did not honour."""
    in_flight: Mapping[str, float] = field(default_factory=dict[str, float])
    """Dollars of dealers that are booked and not there yet."""
    lent: Mapping[str, float] = field(default_factory=dict[str, float])
    """Coins that dealers have borrowed of us."""
    over_hedged_coins: float = 0.0
    """Coins of hedges left over after their coins were sold and the mandate's days passed."""
    collateral: Mapping[str, Posted] = field(default_factory=dict[str, Posted])
    """Our collateral with each dealer, as its agreement counts it."""
    rule_sets: tuple[VenueMargin, ...] = RULE_SETS
    """What the venue's margin is counted by."""
    reserved: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Positions that are only being asked for, by the id of their trade: the dealers who may fill them."""

    def positions_with(self, dealer: str) -> tuple[Position, ...]:
        """Every position, what is being asked for filled by this dealer where he was asked."""
        return tuple(
            replace(one, trade=replace(one.trade, dealer=dealer))
            if dealer in self.reserved.get(one.trade.id, ())
            else one
            for one in self.positions
        )

    @property
    def by_book(self) -> bool:
        """Whether it is dealt in a venue's order book: nobody is asked, no line is drawn on."""
        return is_order_book(self.venue)

    @property
    def snapshot(self) -> Snapshot:
        """The market."""
        return self.street.snapshot

    @property
    def surface(self) -> Surface:
        """Its surface."""
        return self.street.surface

    @property
    def terms(self) -> Mapping[str, CollateralTerms]:
        """Collateral terms by dealer; nobody's terms are the strictest: every loss is called."""
        known = {name: dossier.collateral for name, dossier in self.dossiers.items()}
        return known | {NOBODY: _STRICTEST}

    @property
    def dealers(self) -> tuple[str, ...]:
        """Dealers a block may be with: those approved, or nobody yet."""
        return self.approved or (NOBODY,)

    @property
    def programme_usd(self) -> float:
        """Notional of the programme as the mandate's targets plan it, at the index."""
        return planned_coins(self.rows) * self.snapshot.index
