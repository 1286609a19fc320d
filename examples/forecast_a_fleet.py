"""A year of coins for the sample mine, from the carried difficulty history."""

from datetime import UTC, datetime

from headframe.chain import chain_of, latest, retargets
from headframe.codec import Settings, read_settings
from headframe.desk.workspace import sample_file
from headframe.mining import estimate, forecast, start_of
from headframe.units import Month

settings = read_settings(sample_file("headframe.toml"))
assert isinstance(settings, Settings)
history = (*retargets(), latest())
made = forecast(
    settings.operation,
    Month(2026, 9),
    as_of=datetime(2026, 8, 22, tzinfo=UTC),
    start=start_of(chain_of("BTC"), history, estimate(history)),
    paths=20_000,
    seed=1,
)
for row in made.months:
    print(f"{row.month}  {row.coins.p10:6.1f}  {row.coins.p50:6.1f}  {row.coins.p90:6.1f}")
year = made.months[-1].cumulative
print(f"year     {year.p10:6.1f}  {year.p50:6.1f}  {year.p90:6.1f}   (P10: 10 % chance of less)")
