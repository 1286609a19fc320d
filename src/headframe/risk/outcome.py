"""What each strategy brings at a price, per coin and in all: exact decimals, no model."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from headframe.units import Wrong


class Strategy(StrEnum):
    """The strategies a scenario compares."""

    UNHEDGED = "unhedged"
    SHORT_FUTURE = "short_future"
    PROTECTIVE_PUT = "protective_put"
    COSTLESS_COLLAR = "costless_collar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a scenario is asked of: USD per coin; a missing forward or premium is unknown, not zero."""

    coins: Decimal
    cost: Decimal
    put: Decimal
    call: Decimal
    forward: Decimal | None = None
    put_premium: Decimal | None = None
    call_premium: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("coins", "put", "call"):
            if getattr(self, name) <= 0:
                raise Wrong(f"{name} must be positive, was {getattr(self, name)}")
        for name in ("cost", "forward", "put_premium", "call_premium"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise Wrong(f"{name.replace('_', '-')} must not be negative, was {value}")
        if self.call < self.put:
            raise Wrong(f"the call strike {self.call} must not lie below the put strike {self.put}")

    @property
    def collar_cost(self) -> Decimal:
        """Net premium of the collar; zero where a premium is unknown."""
        if self.put_premium is None or self.call_premium is None:
            return Decimal(0)
        return self.put_premium - self.call_premium

    @property
    def known(self) -> tuple[Strategy, ...]:
        """The strategies whose terms are known, in the order of the table."""
        missing = {
            Strategy.SHORT_FUTURE: self.forward is None,
            Strategy.PROTECTIVE_PUT: self.put_premium is None,
        }
        return tuple(strategy for strategy in Strategy if not missing.get(strategy, False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One cell of the scenario table, after premium, in USD."""

    price: Decimal
    strategy: Strategy
    revenue_per_coin: Decimal
    profit_per_coin: Decimal
    revenue: Decimal
    profit: Decimal


def outcomes(terms: Terms, prices: tuple[Decimal, ...]) -> tuple[Outcome, ...]:
    """Revenue and profit of every known strategy at every price of settlement."""
    if not prices or min(prices) < 0:
        raise Wrong("prices must be given and must not be negative")
    return tuple(_outcome(terms, price, s) for price in prices for s in terms.known)


def _outcome(terms: Terms, price: Decimal, strategy: Strategy) -> Outcome:
    each = _revenue(terms, price, strategy)
    return Outcome(
        price=price,
        strategy=strategy,
        revenue_per_coin=each,
        profit_per_coin=each - terms.cost,
        revenue=each * terms.coins,
        profit=(each - terms.cost) * terms.coins,
    )


def _revenue(terms: Terms, price: Decimal, strategy: Strategy) -> Decimal:
    if strategy is Strategy.SHORT_FUTURE:
        assert terms.forward is not None
        return terms.forward
    if strategy is Strategy.PROTECTIVE_PUT:
        assert terms.put_premium is not None
        return max(price, terms.put) - terms.put_premium
    if strategy is Strategy.COSTLESS_COLLAR:
        return min(max(price, terms.put), terms.call) - terms.collar_cost
    return price
