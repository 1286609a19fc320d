"""The scorecard of what must hold, as counts: ``make soak``; ``SOAK=full`` for the figures of a release.

Every line says what was run, what was found, and what is allowed. Planted bugs stand beside the sound
desk, so that a run which finds nothing is known to be able to find something.
"""

import math
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import faults
import kills as exact
import postgres
import workspaces
from headframe.desk import audit
from headframe.desk.ports import Draft, Moved
from headframe.market import sample_market
from headframe.rfq import AwardRules, Direction, Quote, rank
from headframe.store import SqliteJournal, place_of
from headframe.units import CURRENCIES, Money
from headframe.wiring import audit_office, back_up, create_office, open_office, restore
from store.test_same_bytes import random_actions

FULL = os.environ.get("SOAK") == "full"
AT = datetime(2026, 8, 24, 10, tzinfo=UTC)


def line(mark: str, what: str, found: str, allowed: str, good: bool) -> bool:
    """One result."""
    print(
        f"{'ok  ' if good else 'FAIL'} {mark:<4} {what:<62} {found:<58} allowed {allowed}",
        flush=True,
    )
    return good


def unapproved(folder: Path) -> Path:
    """A mine with a plan that nobody has approved."""
    workspaces.planned(workspaces.signed(folder))
    return folder


def planned(folder: Path) -> Path:
    """A mine whose proposals are approved."""
    workspaces.approved(open_office(unapproved(folder), user="cfo"))
    return folder


def _sessions(folder: str, first: int, last: int, bug: str, rate: float) -> faults.Report:
    base = faults.template(open_office(Path(folder), user="trader"))
    return faults.simulate(base, range(first, last), bug, rate)


def sessions(mine: Path, count: int, bug: str = "", rate: float = faults.RATE) -> faults.Report:
    """So many sessions of the whole desk on virtual time, on two processes."""
    with ProcessPoolExecutor(2) as pool:
        half = count // 2
        parts = [
            pool.submit(_sessions, str(mine), first, last, bug, rate)
            for first, last in ((0, half), (half, count))
        ]
        total = faults.Report()
        for part in parts:
            found = part.result()
            for name in (
                "sessions",
                "asked",
                "filled",
                "crashes",
                "double",
                "lost",
                "invented",
                "unknown",
                "unlawful",
            ):
                setattr(total, name, getattr(total, name) + getattr(found, name))
            for kind, times in found.faults.items():
                total.faults[kind] = total.faults.get(kind, 0) + times
    return total


def execution(mine: Path) -> Iterator[bool]:
    """S1 and S7 on virtual time, with the planted bugs."""
    count = 100_000 if FULL else 20_000
    found = sessions(mine, count)
    bad = f"{found.double} double, {found.lost} lost, {found.invented} invented, {found.unknown} unknown, {found.unlawful} unlawful"
    what = f"{found.sessions:,} sessions, {found.asked:,} requests, {found.filled:,} filled, {found.crashes:,} crashes"
    yield line("S1", what, bad, "0", found.clean)
    kinds = ", ".join(f"{kind} {times:,}" for kind, times in sorted(found.faults.items()))
    print(f"          faults met: {kinds}")
    for bug in faults.BUGS:
        planted = sessions(mine, 600, bug, rate=0.3)
        bad = f"{planted.double} double, {planted.lost} lost, {planted.invented} invented, {planted.unknown} unknown, {planted.unlawful} unlawful"
        yield line("S1", f"control: {bug}", bad, "caught", not planted.clean)
    kept, faults.KINDS = faults.KINDS, ("lost request", "lost reply", "late request")
    base = faults.template(open_office(mine, user="trader"))
    lost = faults.simulate(base, range(2_000), rate=0.3)
    faults.KINDS = kept
    times = sum(lost.faults.values())
    yield line(
        "S7",
        f"{times:,} time-outs with unknown outcome",
        f"{lost.unknown} unresolved, {lost.double} second sends",
        "0",
        lost.clean,
    )


def kills(folder: Path) -> Iterator[bool]:
    """S1 and S3: the running process killed at random instants, the street and the books compared."""
    from web.test_desk import Desk

    count, draw = (400 if FULL else 40), random.Random(11)
    mine, rounds, lost, double, trades = folder / "killed-0", 0, 0, 0, 0
    planned(mine)
    for number in range(count):
        if number and number % 10 == 0:  # proposals run out: a fresh mine
            lost, double, trades = _compared(mine, lost, double, trades)
            mine = planned(folder / f"killed-{number}")
        running = Desk(mine).start()
        names = sorted(open_office(mine, user="x").state().proposals)

        def send(
            running: Desk = running, name: str = names[number % len(names)], number: int = number
        ) -> None:
            with suppress(Exception):
                running.ready()
                running.rfq(name, f"soak-round-{number:05d}")

        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(draw.uniform(0.5, 3.5))
        running.kill()
        thread.join()
        rounds += 1
    last = Desk(mine).start()
    last.ready()
    last.stop()
    lost, double, trades = _compared(mine, lost, double, trades)
    what = f"{rounds} kills -9 of the running process, {trades} trades"
    yield line(
        "S3",
        what,
        f"{lost} fills lost or invented, {double} dealt twice",
        "0",
        not lost and not double,
    )


_DAY: tuple[tuple[str, ...], ...] = (
    ("approve", "P-1", "--as", "cfo"),
    ("rfq", "P-1", "--as", "trader"),
    ("confirm", "--venue", "--as", "risk"),
    ("halt", "a drill", "--as", "risk"),
)


def exact_kills(folder: Path) -> bool:
    """S2: every command of a day killed before one exact call, then run again."""
    before, jobs = unapproved(folder / "day"), list[tuple[Path, int, tuple[str, ...]]]()
    for words in _DAY:
        whole = folder / f"after-{words[0]}"
        shutil.copytree(before, whole)
        _, _, calls = exact.run(0, whole, *words)
        step = 1 if FULL else max(calls // 15, 1)
        jobs += [(before, point, words) for point in range(1, calls + 1, step)]
        before = whole
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda job: _exact(folder, *job), jobs))
    bad: dict[str, int] = {}
    for wrong in found:
        for what, count in wrong.items():
            bad[what] = bad.get(what, 0) + count
    what = f"{len(jobs)} kills -9 at exact calls of {', '.join(words[0] for words in _DAY)}"
    told = ", ".join(f"{count} {name}" for name, count in bad.items())
    return line("S2", what, told, "0", not any(bad.values()))


def _exact(folder: Path, before: Path, point: int, words: tuple[str, ...]) -> dict[str, int]:
    mine = folder / f"exact-{words[0]}-{point}"
    shutil.copytree(before, mine)
    status, answer, _ = exact.run(point, mine, *words)
    wrong = exact.judged(mine, answer, words)
    shutil.rmtree(mine)
    return wrong | {"not killed": status != -9}


def _compared(mine: Path, lost: int, double: int, trades: int) -> tuple[int, int, int]:
    import json

    from web.test_desk import Desk

    running = Desk(mine).start()
    running.ready()
    running.stop()
    state = open_office(mine, user="x").state()
    dealt = [trade.proposal for trade in state.trades.values()]
    street = mine / "street.jsonl"
    rows = [json.loads(one) for one in street.read_text().splitlines()] if street.exists() else []
    there = {row["block_rfq_id"] for row in rows if row.get("state") == "filled"}
    return (
        lost + abs(len(there) - len(dealt)),
        double + len(dealt) - len(set(dealt)),
        trades + len(dealt),
    )


def _race(place: Any, limit: int) -> None:
    """Take one of what is left, checked and reserved in one step; stop where nothing is left."""
    mine = place.open()
    while (taken := mine.head().count) < limit:
        with suppress(Moved):
            mine.append([Draft("noted", {"taken": 1})], at=AT, author="x", after=taken)
            break
    mine.close()


def races(folder: Path, url: str) -> Iterator[bool]:
    """S6: 64 racers reserve against a limit; checked and reserved in one serializable step."""
    rounds, racers, limit = (500 if FULL else 10), 64, 40
    for name, database in (("SQLite", None), ("PostgreSQL", url)):
        over = under = 0
        for number in range(rounds):
            where = folder / f"race-{name}-{number}"
            where.mkdir()
            place = place_of(
                where, None if database is None else f"{database}&schema=race_{number}"
            )
            journal = place.fresh()
            place.keep(journal)

            threads = [threading.Thread(target=_race, args=(place, limit)) for _ in range(racers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            held = place.open()
            count = held.head().count
            sound = held.verify() == ()
            held.close()
            over += count > limit or not sound
            under += count < limit
        yield line(
            "S6",
            f"{name}: {rounds} rounds of {racers} racers",
            f"{over} over, {under} under",
            "0",
            not over and not under,
        )


def tampering(mine: Path, folder: Path) -> bool:
    """S9: the journal changed from outside in every way we know, against the anchor of before."""
    count, draw, missed = (1_000 if FULL else 300), random.Random(9), 0
    office = open_office(mine, user="x")
    anchor, rows = office.state().head, list(office.journal.rows())
    from store.test_journal import tamper

    for number in range(count):
        file = folder / f"tampered-{number}.db"
        journal = SqliteJournal(file, create=True)
        journal.adopt(rows)
        journal.close()
        seq = draw.randint(1, len(rows))
        other = draw.randint(1, len(rows))
        way = draw.randrange(6)
        sql = (
            f"UPDATE events SET body = substr(body, 1, 5) || ' ' || substr(body, 6) WHERE seq = {seq}",
            f"UPDATE events SET author = author || 'x' WHERE seq = {seq}",
            f"DELETE FROM events WHERE seq >= {seq}",
            f"DELETE FROM events WHERE seq = {seq}",
            f"UPDATE events SET hash = '{draw.getrandbits(256):064x}' WHERE seq = {seq}",
            f"UPDATE events SET kind = 'noted' WHERE seq = {other}",
        )[way]
        tamper(file, sql)
        changed = SqliteJournal(file)
        same = list(changed.rows()) == rows
        missed += not changed.verify(anchor) and not same
        changed.close()
        file.unlink()
    return line(
        "S9",
        f"{count} tamperings, truncation and rewrite among them",
        f"{missed} not found",
        "0",
        not missed,
    )


def same_bytes(folder: Path, url: str) -> Iterator[bool]:
    """S10: random actions in SQLite and in PostgreSQL."""
    count, times = (5_000, 3) if FULL else (500, 1)
    for seed in range(times):
        one = create_office(folder / f"same-a{seed}", sample_market(), user="board")
        place = f"{url}&schema=same_{seed}"
        two = create_office(folder / f"same-b{seed}", sample_market(), user="board", database=place)
        for office in (one, two):
            random_actions(office, seed, count)
        alike = audit.export(one) == audit.export(two)
        what = f"{count:,} random actions, seed {seed}, {one.state().head.count:,} events"
        yield line("S10", what, "the same bytes" if alike else "DIFFERENT", "the same bytes", alike)


def backups(mine: Path, folder: Path) -> bool:
    """S11: backups while two writers write."""
    stop = threading.Event()

    def write() -> None:
        office = open_office(mine, user="loader")
        while not stop.is_set():
            with suppress(Moved):
                office.state()
                office.record(Draft("noted", {"x": 1}), Draft("noted", {"x": 2}))

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    heads = [back_up(mine, None, folder / f"{number}.headframe") for number in range(50)]
    stop.set()
    for writer in writers:
        writer.join()
    rows = list(audit_office(mine, user="x").journal.rows())
    wrong = 0
    for number, head in enumerate(heads):
        target = folder / f"back-{number}"
        restore(target, None, folder / f"{number}.headframe")
        wrong += list(audit_office(target, user="x").journal.rows()) != rows[: head.count]
    what = f"{len(heads)} backups under load, {heads[0].count} to {heads[-1].count} events"
    return line("S11", what, f"{wrong} not an exact prefix", "0", not wrong)


def fat_fingers() -> bool:
    """S14: bad quotes are refused with a reason, sane ones are not."""
    draw, passed, refused = random.Random(14), 0, 0
    rules = AwardRules(
        direction=Direction.BUY, panel=("a", "b", "c"), responses_min=1, respond_by=AT + timedelta(seconds=45), size=50.0, reference=0.01,
        gross=0.08, distance_max=0.006, limit=0.015, charges={}, venue_matches=False,
    )  # fmt: skip
    for _ in range(5_000):
        price = draw.choice([
            math.nan, math.inf, -math.inf, 1e999, 0.1 * draw.choice((10, -10, 100)), 0.0161 + draw.random(), -0.2 - draw.random(),
        ])  # fmt: skip
        passed += _rejected(price, rules) is None
        sane = round(draw.uniform(0.005, 0.015), 4)
        refused += _rejected(sane, rules) is not None
    return line(
        "S14",
        "5,000 bad and 5,000 sane prices",
        f"{passed} bad accepted, {refused} sane refused",
        "0",
        not passed and not refused,
    )


def _rejected(price: float, rules: AwardRules) -> object:
    quote = Quote(
        dealer="a", direction=Direction.SELL, price=price, size=50.0, received_at=AT + timedelta(seconds=9),
        good_until=AT + timedelta(minutes=4), all_or_none=False,
    )  # fmt: skip
    return rank((quote,), rules, at=AT + timedelta(seconds=50)).rungs[0].rejection


def recovery(folder: Path) -> bool:
    """S18: a start on a million events, from the checkpoint."""
    count = 1_000_000 if FULL else 200_000
    office = create_office(folder / "long", sample_market(), user="board")
    office.state()
    head = office.journal.head().count
    for _ in range(count // 10_000):
        drafts = [Draft("noted", {"n": number}) for number in range(10_000)]
        head = office.journal.append(drafts, at=office.now(), author="x", after=head).count
    open_office(folder / "long", user="x")
    begun = time.perf_counter()
    state = open_office(folder / "long", user="x").state()
    spent = time.perf_counter() - begun
    return line(
        "S18", f"a start on {state.head.count:,} events", f"{spent:.2f} s", "3 s", spent < 3.0
    )


def exact_books(folder: Path) -> Iterator[bool]:
    """S8: postings in every currency, held against sums of their own; and one that is off by the least unit."""
    count = 1_000_000 if FULL else 100_000
    office = create_office(folder / "books", sample_market(), user="board")
    office.state()
    before = dict(office.state().ledger.balances())
    draw, head = random.Random(8), office.journal.head().count
    codes = sorted(CURRENCIES)[:12]
    sums: dict[tuple[str, str], Decimal] = {}
    for _ in range(count // 8 // 1_250):
        drafts: list[Draft] = []
        for _ in range(1_250):
            rows: list[list[str]] = []
            for _ in range(4):
                code = draw.choice(codes)
                money = Money(CURRENCIES[code], draw.randint(1, 10**14))
                place = f"assets:custody:{draw.randint(1, 40)}"
                for account, one in ((place, money), ("equity:soak", -money)):
                    rows.append([account, code, str(one)])
                    key = (account, code)
                    sums[key] = sums.get(key, Decimal(0)) + Decimal(str(one))
            drafts.append(Draft("noted", {"postings": rows}))
        head = office.journal.append(drafts, at=office.now(), author="x", after=head).count
    begun = time.perf_counter()
    found = audit.verify(open_office(folder / "books", user="x"))
    spent = time.perf_counter() - begun
    ledger = open_office(folder / "books", user="x").state().ledger
    wrong = sum(
        Decimal(smallest - before.get(key, 0)) / CURRENCIES[key[1]].scale
        != sums.get(key, Decimal(0))
        for key, smallest in ledger.balances()
    )
    what = f"{count:,} postings, {len(codes)} currencies, {len(sums)} balances"
    good = found.sound and not wrong and spent < 30.0
    yield line("S8", what, f"{wrong} inexact, verified in {spent:.1f} s", "0, 30 s", good)
    drafts = [
        Draft(
            "noted",
            {"postings": [["assets:custody:1", codes[0], str(Money(CURRENCIES[codes[0]], 1))]]},
        )
    ]
    office.journal.append(drafts, at=office.now(), author="x", after=head)
    caught = not audit.verify(open_office(folder / "books", user="x")).sound
    yield line(
        "S8",
        "control: one posting of the least unit alone",
        "found" if caught else "MISSED",
        "found",
        caught,
    )


def main() -> int:
    """Every line; the status says whether all held."""
    good: list[bool] = []
    with tempfile.TemporaryDirectory() as name, postgres.server(durable=True) as url:
        folder = Path(name)
        mine = planned(folder / "mine")
        good += list(execution(mine))
        good.append(exact_kills(folder))
        good += list(kills(folder))
        good += list(races(folder, url))
        good.append(tampering(mine, folder))
        good += list(same_bytes(folder, url))
        good.append(backups(mine, folder))
        good.append(fat_fingers())
        good.append(recovery(folder))
        good += list(exact_books(folder))
    print(f"{sum(good)} of {len(good)} hold")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
