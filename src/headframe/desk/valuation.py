"""The book at the workspace's present price: the surface moved to it, and what depends on it."""

from dataclasses import dataclass
from datetime import datetime

from headframe.book import Position, under_way
from headframe.codec import Settings
from headframe.counterparty import Dossier
from headframe.desk import quotes
from headframe.desk.office import Office
from headframe.desk.programme import liquidity_of
from headframe.desk.state import State
from headframe.pricing import Surface
from headframe.risk import Liquidity, NettedBook, Posted, netted_book


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """State, settings and surface at one instant; contracts are among the positions."""

    state: State
    settings: Settings
    surface: Surface
    at: datetime
    positions: tuple[Position, ...]
    liquidity: Liquidity
    book: NettedBook
    outstanding: tuple[Position, ...] = ()
    """Positions that expired and are not settled: no hedge, never marked as live."""

    @property
    def dealt(self) -> tuple[Position, ...]:
        """The positions that are trades in instruments: not the contracts on a schedule."""
        return tuple(one for one in self.positions if one.trade.id in self.state.trades)

    @property
    def dossiers(self) -> dict[str, Dossier]:
        """The dossiers as they may be used now."""
        return self.state.graded(self.at.date())

    def posted(self, dealer: str) -> float:
        """What a dealer holds of ours in USD, coins at the price."""
        return self.state.posted_usd(dealer, self.surface.spot)

    @property
    def collateral(self) -> dict[str, Posted]:
        """Our collateral with each dealer, as its agreement counts it."""
        return self.state.collateral_posted()

    def held(self, dealer: str) -> float:
        """What we hold of a dealer's in USD."""
        return self.state.held_usd(dealer)

    def in_flight(self, dealer: str) -> float:
        """Dollars of a dealer that are booked and not there yet."""
        return float(under_way(self.state.transit, self.at.date(), dealer))


def value_now(office: Office) -> Valuation:
    """Gather the book, the market's surface at the last price known, and what can meet a call."""
    seen = quotes.show(office)
    state = office.state()
    settings = office.settings()
    at = seen.at if state.clock is None else office.now()
    spot = state.spot if state.spot is not None else seen.snapshot.index
    surface = seen.surface.at_spot(spot, at)
    positions = (*state.live_positions(at), *state.contract_positions(surface, at))
    return Valuation(
        state=state,
        settings=settings,
        surface=surface,
        at=at,
        positions=positions,
        outstanding=state.outstanding(at),
        book=netted_book(positions, settings.rule_sets),
        liquidity=liquidity_of(state, settings),
    )
