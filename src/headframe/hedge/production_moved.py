"""What a period did to the production that is still to come: price, difficulty, volume."""

from collections.abc import Callable
from dataclasses import dataclass

from headframe.mining import Forecast
from headframe.units import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionMoved:
    """Expected revenue of the months both forecasts have ahead, in USD: what moved it, adding up.

    Price is the old coins at the new forwards less the old ones; difficulty what the change of median
    difficulty makes of the old coins; volume the rest of the coins: fleet, uptime, power, fees, pool.
    """

    months: tuple[Month, ...]
    coins_before: float
    coins_after: float
    price_usd: float
    difficulty_usd: float
    volume_usd: float

    @property
    def total_usd(self) -> float:
        """All of it."""
        return self.price_usd + self.difficulty_usd + self.volume_usd


def production_moved(
    before: Forecast,
    after: Forecast,
    ahead_of: Month,
    forward_before: Callable[[Month], float],
    forward_after: Callable[[Month], float],
) -> ProductionMoved:
    """The months after ``ahead_of`` that both forecasts have, P50 coins at the forwards of each month."""
    later = {row.month: row for row in after.months}
    pairs = [(row, later[row.month]) for row in before.months if row.month in later]
    pairs = [(old, new) for old, new in pairs if old.month > ahead_of]
    price = difficulty = volume = 0.0
    for old, new in pairs:
        now = forward_after(old.month)
        price += old.coins.p50 * (now - forward_before(old.month))
        eased = old.coins.p50 * (old.difficulty.p50 / new.difficulty.p50 - 1.0)
        difficulty += eased * now
        volume += (new.coins.p50 - old.coins.p50 - eased) * now
    return ProductionMoved(
        months=tuple(old.month for old, _ in pairs),
        coins_before=sum(old.coins.p50 for old, _ in pairs),
        coins_after=sum(new.coins.p50 for _, new in pairs),
        price_usd=price,
        difficulty_usd=difficulty,
        volume_usd=volume,
    )
