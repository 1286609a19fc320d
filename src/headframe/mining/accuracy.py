"""How good past forecasts were, by how far ahead they looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headframe.mining.forecast import Forecast
from headframe.units import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAccuracy:
    """Forecasts made so many months ahead against what was mined: shares of the actual coins.

    ``lead`` 1 is the first month after the forecast was made. ``mape`` is of the median.
    """

    lead: int
    count: int
    bias: float
    mape: float
    coverage: float


def accuracy(
    forecasts: Sequence[Forecast], actual: Mapping[Month, float]
) -> tuple[LeadAccuracy, ...]:
    """A row for each lead month with at least one month that was forecast and then mined."""
    found: dict[int, list[tuple[float, bool]]] = {}
    for made in forecasts:
        origin = Month.of(made.as_of)
        for row in made.months:
            coins = actual.get(row.month)
            if coins is None or coins <= 0.0:
                continue
            lead = (row.month.year - origin.year) * 12 + row.month.number - origin.number
            inside = row.coins.p10 <= coins <= row.coins.p90
            found.setdefault(lead, []).append((row.coins.p50 / coins - 1.0, inside))
    return tuple(
        LeadAccuracy(
            lead=lead,
            count=len(rows),
            bias=sum(off for off, _ in rows) / len(rows),
            mape=sum(abs(off) for off, _ in rows) / len(rows),
            coverage=sum(inside for _, inside in rows) / len(rows),
        )
        for lead, rows in sorted(found.items())
    )
