"""A forecast that somebody else made, read from a table: previewed, mapped, and frozen as a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

from headframe.codec import TableRow, canonical, each_row, number, sha256, to_json
from headframe.desk.office import Office, require_person, serialised
from headframe.desk.ports import Invalid, Json
from headframe.desk.production import MONTHS, compute, gather, record_version
from headframe.desk.state import Version
from headframe.mining import Band, Forecast, MonthForecast
from headframe.numerics import quantile
from headframe.units import Month, Wrong

_NEEDED = ("month", "p10", "p50", "p90")
_OPTIONAL = ("p5", "p25", "p75", "p95", "mean", "power_usd")
_LEVELS = {"p5": 0.05, "p25": 0.25, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a table would change, before anything is kept."""

    source: str
    columns: dict[str, str]
    forecast: Forecast
    new: int
    updated: int
    unchanged: int
    missing: int


def chosen_columns(pairs: Sequence[str]) -> dict[str, str]:
    """``field=column`` pairs as typed."""
    found: dict[str, str] = {}
    for pair in pairs:
        field, mark, column = pair.partition("=")
        if not mark or field.strip() not in (*_NEEDED, *_OPTIONAL) or not column.strip():
            known = ", ".join((*_NEEDED, *_OPTIONAL))
            raise Invalid(f"--map is FIELD=COLUMN with a field of {known}, was {pair[:60]!r}")
        found[field.strip()] = column.strip().lower()
    return found


def preview(
    office: Office, rows: Sequence[TableRow], chosen: Mapping[str, str], source: str
) -> Preview:
    """What the table says against the forecast in force; every bad row is named at once."""
    state = office.state()
    columns = _columns(rows, {**state.mappings.get("forecast", {}), **chosen}, source)
    found = _read(rows, columns, source)
    held = state.forecast
    first = Month.of(state.clock or office.now())
    last = max(found)
    ahead = (last.year - first.year) * 12 + last.number - first.number
    if not 1 <= ahead <= 36:
        raise Invalid(f"{source} ends {last}; a forecast covers at most 36 months after {first}")
    prepared = gather(office, months=max(ahead, MONTHS))
    base = compute(prepared, explain=False)
    known = {row.month for row in base.months}
    strangers = sorted(month for month in found if month not in known)
    if strangers:
        raise Invalid(
            f"{source}: {strangers[0]} has begun or lies outside {base.months[0].month} on"
        )
    before = {row.month: row.coins for row in held.months} if held is not None else {}
    counts = [_change(before.get(month), values) for month, values in found.items()]
    return Preview(
        source=source,
        columns=columns,
        forecast=_merged(base, found, held),
        new=counts.count("new"),
        updated=counts.count("updated"),
        unchanged=counts.count("unchanged"),
        missing=sum(month not in found for month in before if month > first),
    )


@serialised
def take(office: Office, found: Preview) -> Version:
    """Freeze the previewed forecast as a version, with its mapping remembered."""
    person = require_person(office)
    state = office.state()
    body: Json = {
        "forecast": to_json(found.forecast),
        "case": None,
        "inputs_sha256": sha256(canonical(to_json(found.forecast.months))),
        "source": f"import {found.source}",
        "mapping": found.columns,
    }
    return record_version(office, body, person, state.clock or office.now())


def _columns(rows: Sequence[TableRow], wanted: Mapping[str, str], source: str) -> dict[str, str]:
    """Which column each field is read from: as mapped, else by its own name."""
    if not rows:
        raise Invalid(f"{source} holds no rows")
    there = list(rows[0][1])
    found: dict[str, str] = {}
    for field in (*_NEEDED, *_OPTIONAL):
        column = wanted.get(field, field)
        if column in there:
            found[field] = column
        elif field in _NEEDED:
            raise Invalid(
                f"{source} has no column {column!r} for {field}; it has {', '.join(there)}: use "
                f"--map {field}=COLUMN"
            )
    return found


def _read(
    rows: Sequence[TableRow], columns: Mapping[str, str], source: str
) -> dict[Month, dict[str, float]]:
    def one(row: Mapping[str, str]) -> tuple[Month, dict[str, float]]:
        values = {
            field: number(row[column])
            for field, column in columns.items()
            if field != "month" and row.get(column)
        }
        _ordered(values)
        return Month.parse(row.get(columns["month"], "")[:7]), values

    try:
        pairs = each_row(rows, source, one)
    except Wrong as error:
        raise Invalid(str(error)) from error
    found = dict(pairs)
    if len(found) < len(pairs):
        months = [month for month, _ in pairs]
        twice = next(month for month in months if months.count(month) > 1)
        raise Invalid(f"{source}: {twice} comes twice")
    return dict(sorted(found.items()))


def _ordered(values: Mapping[str, float]) -> None:
    for field in _NEEDED[1:]:
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


def _change(before: Band | None, values: Mapping[str, float]) -> str:
    if before is None:
        return "new"
    same = all(
        abs(getattr(before, field) - value) <= 5e-9 * max(abs(value), 1.0)
        for field, value in values.items()
        if field != "power_usd"
    )
    return "unchanged" if same else "updated"


def _merged(
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
