"""A forecast that somebody else made: months given as percentiles, set into one of our own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

from headframe.mining.forecast import Band, Forecast, MonthForecast
from headframe.numerics import quantile
from headframe.units import Month, Wrong

GIVEN_NEEDED = ("p10", "p50", "p90")
GIVEN_OPTIONAL = ("p5", "p25", "p75", "p95", "mean", "power_usd")
_LEVELS = {"p5": 0.05, "p25": 0.25, "p75": 0.75, "p95": 0.95}


def check_given(values: Mapping[str, float]) -> None:
    """Raises Wrong unless a month's figures are there, rise with their percentiles and are possible."""
    for field in GIVEN_NEEDED:
        if field not in values:
            raise Wrong(f"{field} is missing")
    levels = [f for f in ("p5", "p10", "p25", "p50", "p75", "p90", "p95") if f in values]
    coins = [values[field] for field in levels]
    if coins != sorted(coins):
        raise Wrong(
            f"percentiles must rise, was {', '.join(f'{f} {values[f]:g}' for f in levels)} (p10 is the "
            "10 % chance of less, petroleum's P90)"
        )
    if not all(0.0 <= value <= 1e12 for value in values.values()):
        raise Wrong("figures must lie between 0 and 1e12")


def with_given(
    base: Forecast, found: Mapping[Month, Mapping[str, float]], held: Forecast | None
) -> Forecast:
    """The base with the table's months in place of its own; months it lacks stay as they were held."""
    kept = {row.month: row for row in held.months} if held is not None else {}
    rows: list[MonthForecast] = []
    for row in base.months:
        values = found.get(row.month)
        if values is None:
            rows.append(kept.get(row.month, row))
        else:
            power = values.get("power_usd", row.power_usd)
            mean = values.get("mean", values["p50"])
            fees = row.fee_coins / max(row.fee_coins + row.subsidy_coins, 1e-300) * mean
            rows.append(
                replace(
                    row,
                    coins=_band(values),
                    power_usd=power,
                    fee_coins=fees,
                    subsidy_coins=mean - fees,
                )
            )
    return replace(
        base,
        months=tuple(_summed(rows)),
        risks=(),
        natural=(),
        version="imported; sums of months are sums of their percentiles, never too generous",
    )


def _band(values: Mapping[str, float]) -> Band:
    """Seven percentiles from those given: the others by the log-normal through P10, P50 and P90."""
    low, middle, high = values["p10"], values["p50"], values["p90"]

    def at(share: float) -> float:
        edge = low if share < 0.5 else high
        if edge <= 0.0 or middle <= 0.0:
            return edge
        reach = quantile(share) / quantile(0.10 if share < 0.5 else 0.90)
        return float(middle * (edge / middle) ** reach) if log(edge / middle) else middle

    filled = {name: values.get(name, at(share)) for name, share in _LEVELS.items()}
    return Band(p10=low, p50=middle, p90=high, mean=values.get("mean", middle), **filled)


def _summed(rows: Sequence[MonthForecast]) -> list[MonthForecast]:
    """Months with their cumulative figures: sums of percentiles, whose low case is below the true one."""
    names = ("p5", "p10", "p25", "p50", "p75", "p90", "p95", "mean")
    total = dict.fromkeys(names, 0.0)
    found: list[MonthForecast] = []
    for row in rows:
        total = {name: total[name] + getattr(row.coins, name) for name in names}
        found.append(replace(row, cumulative=Band(**total)))
    return found
