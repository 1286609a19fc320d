"""Production against the mandate's bands, month by month, and the blocks that would close the gap."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from headframe.book import Position, Trade
from headframe.instrument import Kind, cash_flow
from headframe.mandate import Band, CoverRules
from headframe.market import Snapshot
from headframe.mining import Forecast, MonthForecast
from headframe.units import NO_EXPIRY, Month

_STEP = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureRow:
    """One month: what is expected, what is hedged, what the band asks."""

    month: Month
    ahead: int
    p10: float
    p50: float
    p10_cumulative: float
    covered: float
    firm_cumulative: float
    puts_only: float
    band: Band | None
    need: float
    secured_usd: float
    cash_need_usd: float

    @property
    def share(self) -> float:
        """Share of expected production that has a floor."""
        return self.covered / self.p50 if self.p50 > 0.0 else 0.0

    @property
    def share_of_p10(self) -> float:
        """Coins sold firm so far over cumulative low-case production."""
        return self.firm_cumulative / self.p10_cumulative if self.p10_cumulative > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Months hedged in one block because they share an expiry."""

    expiry: datetime
    listed: bool
    needs: tuple[tuple[Month, float], ...]
    clip: Decimal | None = None
    """Coins of this part of the block, where it is dealt in parts."""

    @property
    def ends(self) -> datetime:
        """When the hedge ends: at its expiry, or after the last month hedged by a perpetual."""
        if self.expiry != NO_EXPIRY:
            return self.expiry
        return max(month.end for month, _ in self.needs)

    @property
    def size(self) -> Decimal:
        """Coins of the block or of its clip, rounded down to a tenth of a coin."""
        if self.clip is not None:
            return self.clip
        total = Decimal(repr(sum(need for _, need in self.needs)))
        return total.quantize(_STEP, rounding=ROUND_DOWN)


def floor_usd(trade: Trade) -> float:
    """The price per coin a trade secures: its put's strike, or the price it sold forward at."""
    for leg in trade.legs:
        if leg.instrument.kind is Kind.PUT:
            assert leg.instrument.strike is not None
            return float(leg.instrument.strike)
    coins = sum(float(leg.amount) for leg in trade.legs)
    if len(trade.legs) == 1 or not coins:
        return float(trade.legs[0].price)
    return sum(float(leg.amount * leg.price) for leg in trade.legs) / coins


def upfront_usd(trade: Trade) -> float:
    """What a trade brought at once in USD, premium less fee, coins at the spot of its day."""
    total = 0.0
    for leg in trade.legs:
        amount = float(cash_flow(leg.instrument, Fraction(leg.amount), Fraction(leg.price)))
        total += amount * (float(trade.spot) if leg.instrument.inverse else 1.0)
    return total - fee_usd(trade)


def fee_usd(trade: Trade) -> float:
    """The fee of a trade in USD, coins at the spot of its day."""
    coin_fee = trade.legs[0].instrument.inverse
    return float(trade.fee) * (float(trade.spot) if coin_fee else 1.0)


def secured_usd(positions: tuple[Position, ...], month: Month) -> float:
    """Dollars that hedges secure for a month's coins, whatever the price."""
    return sum(
        float(coins) * floor_usd(position.trade)
        for position in positions
        for hedged, coins in position.remaining
        if hedged == month
    )


def exposure_rows(
    forecast: Forecast, cover: CoverRules, positions: tuple[Position, ...], at: datetime
) -> tuple[ExposureRow, ...]:
    """Every month of the forecast that has not begun, against its band.

    When months of the forecast have passed, cumulative P10 is the sum of the months' own: less than
    the true one, so never too generous.
    """
    rows: list[ExposureRow] = []
    firm, low = 0.0, 0.0
    now = Month.of(at)
    fresh = forecast.months[0].month > now
    for row in forecast.months:
        if row.month <= now:
            continue
        held = [
            (position.trade, float(coins))
            for position in positions
            for month, coins in position.remaining
            if month == row.month
        ]
        firm += sum(coins for trade, coins in held if trade.sells_upside)
        low = row.cumulative.p10 if fresh else low + row.coins.p10
        rows.append(
            _row(
                row,
                cover,
                held,
                firm=firm,
                low=low,
                now=now,
                secured=secured_usd(positions, row.month),
            )
        )
    return tuple(rows)


def _row(
    row: MonthForecast,
    cover: CoverRules,
    held: list[tuple[Trade, float]],
    *,
    firm: float,
    low: float,
    now: Month,
    secured: float,
) -> ExposureRow:
    ahead = (row.month.year - now.year) * 12 + row.month.number - now.number
    band = cover.band(ahead)
    covered = sum(coins for _, coins in held)
    puts = sum(coins for trade, coins in held if trade.structure.keeps_upside)
    wanted = band.target * row.coins.p50 if band is not None else 0.0
    return ExposureRow(
        month=row.month,
        ahead=ahead,
        p10=row.coins.p10,
        p50=row.coins.p50,
        p10_cumulative=low,
        covered=covered,
        firm_cumulative=firm,
        puts_only=puts,
        band=band,
        need=max(wanted - covered, 0.0),
        secured_usd=secured,
        cash_need_usd=row.cash_need_usd,
    )


def planned_coins(rows: tuple[ExposureRow, ...]) -> float:
    """Coins of the programme as the mandate's targets plan it, what is on already at least."""
    return sum(max(row.band.target * row.p50 if row.band else 0.0, row.covered) for row in rows)


def hedged_share(rows: tuple[ExposureRow, ...], fresh: float = 0.0) -> float:
    """Coins with a floor, and so many more, over P50 of all months together."""
    expected = sum(row.p50 for row in rows)
    return (sum(row.covered for row in rows) + fresh) / expected if expected > 0.0 else 0.0


def buckets(rows: tuple[ExposureRow, ...], snapshot: Snapshot) -> tuple[Bucket, ...]:
    """Uncovered months grouped by the first expiry at or after each month's last sale.

    Months beyond the last listed expiry share one over-the-counter expiry: 08:00 UTC of the day
    after the last of them ends.
    """
    listed: dict[datetime, list[tuple[Month, float]]] = {}
    beyond: list[tuple[Month, float]] = []
    for row in rows:
        if row.need <= 0.0:
            continue
        expiry = snapshot.listed_expiry_from(row.month.end)
        if expiry is None:
            beyond.append((row.month, row.need))
        else:
            listed.setdefault(expiry, []).append((row.month, row.need))
    found = [Bucket(expiry=e, listed=True, needs=tuple(n)) for e, n in sorted(listed.items())]
    if beyond:
        last = max(month for month, _ in beyond).end + timedelta(hours=8)
        found.append(Bucket(expiry=last, listed=False, needs=tuple(beyond)))
    return tuple(bucket for bucket in found if bucket.size > 0)
