"""A machine is an option on its power: coins and power cost of a month at four prices of the coin."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from headframe.chain import chain_of, latest, retargets
from headframe.codec import Settings, read_settings
from headframe.desk.workspace import sample_file
from headframe.mining import PowerBlock, PricePaths, estimate, month_edges, simulate, start_of
from headframe.units import Month

settings = read_settings(sample_file("headframe.toml"))
assert isinstance(settings, Settings)
mine = settings.operation
block = PowerBlock(mw=40.0, usd_mwh=45.0, resale_discount_usd_mwh=2.0)
sites = (
    replace(mine.sites[0], curtails=True, blocks=(block,)),
    replace(mine.sites[1], curtails=True),
)
history = (*retargets(), latest())
start = start_of(chain_of("BTC"), history, estimate(history))
edges = month_edges(Month(2026, 9), 1)
print("price USD  coins of September  power USD  the same without curtailment")
for price in (20_000.0, 40_000.0, 60_000.0, 80_000.0):
    flat = PricePaths(np.full((1, 9), price), datetime(2026, 8, 22, tzinfo=UTC), 604_800.0)
    row: list[str] = []
    for operation in (replace(mine, sites=sites), mine):
        drawn = simulate(operation, edges, start=start, prices=flat, paths=4_000, seed=1)
        row.append(f"{drawn.coins.mean():8.2f}  {drawn.power_usd.mean():12,.0f}")
    print(f"{price:9,.0f}  {row[0]}  {row[1]}")
