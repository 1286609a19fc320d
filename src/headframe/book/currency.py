"""Cash in other currencies against its cost in dollars: average cost, gains on what left and is left."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from headframe.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCost:
    """What is held of a currency, and in USD what it cost and what was gained on what left; exact."""

    held: Decimal
    cost_usd: Decimal
    realised_usd: Decimal

    def unrealised_usd(self, rate: Decimal) -> Decimal:
        """The gain on what is held at a rate."""
        return self.held * rate - self.cost_usd


def at_cost(moves: Iterable[tuple[Money, Decimal | None]]) -> AtCost | None:
    """Moves of one currency in order, each with the dollars one unit was worth; None where a rate is missing.

    What comes in adds its cost, what leaves takes the average cost of what was held with it.
    """
    held = cost = realised = Decimal(0)
    for money, rate in moves:
        amount = Decimal(str(money))
        if rate is None:
            return None
        if amount >= 0:
            cost += amount * rate
        else:
            gone = cost * (-amount / held) if held else Decimal(0)
            realised += -amount * rate - gone
            cost -= gone
        held += amount
    return AtCost(held=held, cost_usd=cost, realised_usd=realised)
