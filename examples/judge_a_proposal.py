"""What the mandate says of a short future that would be too dear on a rally, clause by clause."""

import tempfile
from pathlib import Path

from headframe.desk import policy, programme
from headframe.market import sample_market
from headframe.wiring import create_office

with tempfile.TemporaryDirectory() as name:
    office = create_office(Path(name) / "mine", sample_market(), user="board")
    policy.sign(office)
    office.user = "treasurer"
    plan = programme.plan(office, propose=False)
    bucket, rated = plan.blocks[0]
    for row in rated:
        print(
            f"{row.candidate.kind} of {bucket.size} coins: {'allowed' if row.verdict.allowed else 'refused'}"
        )
        for breach in row.verdict.breaches:
            print(f"  {breach}")
