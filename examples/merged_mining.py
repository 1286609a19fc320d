"""One scrypt hashrate earns litecoin and dogecoin: each coin is forecast, and hedged, on its own.

The difficulty histories here are made up; a real one is read with headframe.feed.read_history.
"""

from datetime import UTC, datetime, timedelta

from headframe.chain import Retarget, chain_of
from headframe.mining import estimate, start_of, steady, steady_bands
from headframe.units import Month, parse_hashrate

HASHRATE = parse_hashrate("950 GH/s")
for coin, height, difficulty, blocks in (
    ("LTC", 3_100_608, 9.0e7, 2_016),
    ("DOGE", 6_000_000, 4.5e7, 5_040),
):
    chain = chain_of(coin)
    apart = timedelta(seconds=blocks * float(chain.spacing_seconds))
    last = datetime(2026, 8, 20, tzinfo=UTC)
    history = tuple(
        Retarget(
            height=height - blocks * (59 - step),
            at=last - apart * (59 - step),
            bits=None,
            difficulty=difficulty * (1.0 + 0.004 * (step - 59) + 0.02 * (step % 3)),
        )
        for step in range(60)
    )
    start = start_of(chain, history, estimate(history, chain=chain))
    coins = steady(
        start, HASHRATE, Month(2026, 9), months=3, fee_share=0.0, pool_fee=0.01, paths=4_000, seed=1
    )
    for month, alone, summed in steady_bands(coins, Month(2026, 9)):
        print(
            f"{coin:<4} {month}  P10 {alone.p10:14,.2f}  P50 {alone.p50:14,.2f}  sum P10 {summed.p10:14,.2f}"
        )
