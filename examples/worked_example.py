"""The worked example every reader of the playbook knows: 100 coins, put 35,000, call 50,000."""

from decimal import Decimal

from headframe.risk import Terms, outcomes

terms = Terms(coins=Decimal(100), cost=Decimal(30_000), put=Decimal(35_000), call=Decimal(50_000))
for row in outcomes(terms, (Decimal(25_000), Decimal(40_000), Decimal(60_000))):
    print(
        f"{row.price:>7,} {row.strategy:<16} {row.revenue_per_coin:>7,} {row.profit_per_coin:>7,}"
    )
