"""The forecast as a controlled document: versions, four eyes, exchange, accuracy, history."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.chain import retargets
from headframe.codec import to_json
from headframe.desk import approvals, exchange, execution, history, policy, production, programme
from headframe.desk.fold import fold
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, JournalBroken, NotFound, Record
from headframe.desk.state import State
from headframe.feed import mined_rows, read_table, write_table
from headframe.market import sample_market
from headframe.report import forecast_rows
from headframe.units import Month, Wrong
from headframe.wiring import create_office, open_office


def edit(office: Office, old: str, new: str) -> None:
    text = office.files.text("headframe.toml")
    assert old in text
    office.files.write("headframe.toml", text.replace(old, new, 1))


def test_a_version_is_prepared_once_for_the_same_inputs(office: Office) -> None:
    one = production.make(office)
    assert (one.id, one.prepared_by, one.approved_by) == ("F-1", "treasurer", None)
    assert production.make(office).id == "F-1"
    edit(office, "fee = 0.005", "fee = 0.010")
    two = production.make(office)
    assert two.id == "F-2"
    assert two.forecast.months[0].coins.p50 < one.forecast.months[0].coins.p50
    assert two.sha256 != one.sha256
    assert office.state().forecast == two.forecast


def test_nobody_approves_his_own_forecast_nor_a_stranger(office: Office) -> None:
    production.make(office)
    with pytest.raises(Declined, match="his own forecast"):
        production.approve(office, "F-1")
    office.user = "trader"
    with pytest.raises(Declined, match="not among the mandate's approvers"):
        production.approve(office, "F-1")
    with pytest.raises(NotFound, match="known: F-1"):
        production.approve(office, "F-9")
    office.user = "cfo"
    held = production.approve(office, "F-1")
    assert held.approved_by == "cfo"
    with pytest.raises(Declined, match="already"):
        production.approve(office, "F-1")


def test_hedging_refers_to_the_approved_version(office: Office) -> None:
    production.make(office)
    office.user = "cfo"
    production.approve(office, "F-1")
    office.user = "treasurer"
    edit(office, "fee = 0.005", "fee = 0.050")
    production.make(office)
    assert production.in_force(office).id == "F-1"
    assert production.outdated(office, production.in_force(office))
    plan = programme.plan(office)
    assert {one.forecast_id for one in plan.proposals} == {"F-1"}
    office.user = "cfo"
    production.approve(office, "F-2")
    with pytest.raises(Declined, match="stands on F-1, and F-2 is in force"):
        approvals.give(office, plan.proposals[0].id)
    office.user = "treasurer"
    fresh = programme.plan(office).proposals[0]
    assert fresh.forecast_id == "F-2"
    assert fresh.forecast_sha256 == office.state().versions["F-2"].sha256


def test_an_older_version_is_not_approved_over_a_newer_one(office: Office) -> None:
    production.make(office)

    edit(office, "fee = 0.005", "fee = 0.050")
    from headframe.desk.workspace import advance_clock

    advance_clock(office, office.now() + timedelta(minutes=5))
    fresh = open_office(Path(office.files.path), user="treasurer")  # type: ignore[attr-defined]
    production.make(fresh)
    fresh.user = "cfo"
    production.approve(fresh, "F-2")
    with pytest.raises(Declined, match="newer and approved"):
        production.approve(fresh, "F-1")


def test_approving_a_proposal_approves_the_forecast_it_stands_on(office: Office) -> None:
    plan = programme.plan(office)
    first, second = plan.proposals[0].id, plan.proposals[1].id
    with pytest.raises(Declined):
        approvals.give(office, first)
    assert office.state().versions["F-1"].approved_by is None
    office.user = "cfo"
    approvals.give(office, first)
    assert office.state().versions["F-1"].approved_by == "cfo"
    approvals.give(office, second)
    kinds = [record.kind for record in office.journal.read()]
    assert kinds.count("forecast_approved") == 1
    assert execution.judged(office, first)[0].panel


def test_a_forecast_of_the_approvers_own_is_not_approved_with_a_proposal(office: Office) -> None:
    office.user = "cfo"
    production.make(office)
    office.user = "treasurer"
    name = programme.plan(office).proposals[0].id
    office.user = "cfo"
    with pytest.raises(Declined, match="cfo prepared it"):
        approvals.give(office, name)
    office.user = "risk"
    approvals.give(office, name)
    assert office.state().versions["F-1"].approved_by == "risk"


def test_an_approval_of_another_hash_breaks_the_journal(office: Office) -> None:
    production.make(office)
    state = office.state()
    for body, author in (
        ({"id": "F-1", "sha256": "0" * 64}, "cfo"),
        ({"id": "F-1", "sha256": state.versions["F-1"].sha256}, "treasurer"),
    ):
        event = Record(state.head.count + 1, office.now(), author, "forecast_approved", body, "")
        with pytest.raises(JournalBroken):
            fold(state.copy(), [event])


def test_what_drives_a_change_adds_up_to_the_satoshi(office: Office) -> None:
    one = production.make(office)
    assert production.changes(office, one) is None
    office.user = "cfo"
    production.approve(office, "F-1")
    office.user = "treasurer"
    edit(office, "count = 14000", "count = 12000")
    edit(office, "fee = 0.005", "fee = 0.015")
    two = production.make(office)
    found = production.changes(office, two)
    assert found is not None
    moved = {driver.name: driver.coins for driver in found.drivers}
    assert moved["hashrate"] < 0
    assert moved["pool"] < 0
    assert moved["difficulty"] == moved["fees"] == moved["uptime"] == 0
    assert found.before + sum(moved.values()) == found.after
    assert production.changes(office, two, "F-1") == found


def exported(office: Office, folder: Path, ending: str) -> Path:
    path = folder / f"forecast{ending}"
    write_table(path, forecast_rows(production.make(office).forecast))
    return path


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_what_is_exported_comes_back_unchanged(office: Office, tmp_path: Path, ending: str) -> None:
    path = exported(office, tmp_path, ending)
    found = exchange.preview(office, read_table(path), {}, path.name)
    assert (found.new, found.updated, found.unchanged, found.missing) == (0, 0, 12, 0)
    held = production.make(office).forecast
    for ours, back in zip(held.months, found.forecast.months, strict=True):
        assert back.coins.p10 == pytest.approx(ours.coins.p10, rel=1e-14)
        assert back.coins.mean == pytest.approx(ours.coins.mean, rel=1e-14)
        assert back.power_usd == pytest.approx(ours.power_usd, rel=1e-14)


def rewritten(path: Path, change: Any) -> Path:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    rows = change(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_preview_counts_what_is_new_updated_unchanged_and_missing(
    office: Office, tmp_path: Path
) -> None:
    def change(rows: Any) -> Any:
        rows[1]["p50"] = str(float(rows[1]["p50"]) + 0.5)
        extra = dict(rows[-1], month="2027-09")
        return [*rows[:10], extra]

    path = rewritten(exported(office, tmp_path, ".csv"), change)
    found = exchange.preview(office, read_table(path), {}, path.name)
    assert (found.new, found.updated, found.unchanged, found.missing) == (1, 1, 9, 2)
    held = exchange.take(office, found)
    assert held.id == "F-2"
    assert held.source == "import forecast.csv"
    assert held.case is None
    months = [row.month for row in held.forecast.months]
    assert months[-1] == Month(2027, 9)
    cumulative = held.forecast.months[-1].cumulative
    assert cumulative.p10 == pytest.approx(sum(row.coins.p10 for row in held.forecast.months))
    office.user = "cfo"
    production.approve(office, "F-2")
    office.user = "treasurer"
    assert {one.forecast_id for one in programme.plan(office).proposals} == {"F-2"}
    with pytest.raises(Invalid, match="no drivers"):
        production.changes(office, held, "F-1")


def test_columns_are_mapped_once_and_remembered(office: Office, tmp_path: Path) -> None:
    names = {"month": "Period", "p10": "Low", "p50": "Base", "p90": "High"}

    def change(rows: Any) -> Any:
        return [{names[k]: row[k] for k in names} for row in rows]

    path = rewritten(exported(office, tmp_path, ".csv"), change)
    rows = read_table(path)
    with pytest.raises(Invalid, match="has no column 'month'"):
        exchange.preview(office, rows, {}, path.name)
    chosen = exchange.chosen_columns([f"{field}={column}" for field, column in names.items()])
    exchange.take(office, exchange.preview(office, rows, chosen, path.name))
    again = exchange.preview(office, rows, {}, path.name)
    assert again.columns == {field: column.lower() for field, column in names.items()}
    band = again.forecast.months[0].coins
    assert band.p5 < band.p10 < band.p25 < band.p50 < band.p75 < band.p90 < band.p95
    for bad in ("p50", "p51=x", "p50="):
        with pytest.raises(Invalid, match="--map"):
            exchange.chosen_columns([bad])


def repeated(rows: Any) -> Any:
    return [*rows, rows[0]]


def begun(rows: Any) -> Any:
    return [dict(rows[0], month="2026-08"), *rows]


def far(rows: Any) -> Any:
    return [*rows, dict(rows[0], month="2036-08")]


def test_every_bad_row_is_named_at_once(office: Office, tmp_path: Path) -> None:
    def change(rows: Any) -> Any:
        rows[0]["p10"] = "=cmd|' /C calc'!A0"
        rows[1]["p10"] = rows[1]["p90"]
        rows[2]["month"] = "Sept"
        rows[3]["p50"] = "1e999"
        rows[4]["p50"] = ""
        return rows

    path = rewritten(exported(office, tmp_path, ".csv"), change)
    with pytest.raises(Invalid) as caught:
        exchange.preview(office, read_table(path), {}, path.name)
    lines = str(caught.value).split("\n")
    assert [line.split(":")[0] for line in lines] == [f"forecast.csv line {n}" for n in range(2, 7)]
    twice = rewritten(exported(office, tmp_path, ".csv"), repeated)
    with pytest.raises(Invalid, match="comes twice"):
        exchange.preview(office, read_table(twice), {}, "f.csv")
    past = rewritten(exported(office, tmp_path, ".csv"), begun)
    with pytest.raises(Invalid, match="2026-08"):
        exchange.preview(office, read_table(past), {}, "f.csv")
    late = rewritten(exported(office, tmp_path, ".csv"), far)
    with pytest.raises(Invalid, match="at most 36"):
        exchange.preview(office, read_table(late), {}, "f.csv")
    with pytest.raises(Invalid, match="no rows"):
        exchange.preview(office, (), {}, "f.csv")


def test_coins_mined_make_the_accuracy_of_past_forecasts(office: Office, tmp_path: Path) -> None:
    made = production.make(office).forecast
    from headframe.desk.workspace import advance_clock

    advance_clock(office, datetime(2026, 10, 3, tzinfo=UTC))
    later = open_office(tmp_path / "mine", user="treasurer")
    path = tmp_path / "mined.csv"
    each = made.months[0].coins.p50 / 30
    path.write_text("day,coins\n" + "".join(f"2026-09-{d:02d},{each:.8f}\n" for d in range(1, 31)))
    rows = mined_rows(read_table(path), path.name)
    assert history.record_mined(later, rows, path.name) == (30, 0, 0)
    assert history.record_mined(later, rows, path.name) == (0, 0, 30)
    changed = [(day, "1.00000000" if day.day == 5 else coins) for day, coins in rows]
    assert history.record_mined(later, changed, "again") == (0, 1, 29)
    assert history.record_mined(later, rows, path.name) == (0, 1, 29)
    months = production.mined_by_month(later.state())
    assert months == {Month(2026, 9): pytest.approx(made.months[0].coins.p50, abs=1e-6)}
    with pytest.raises(Invalid, match="after the workspace's clock"):
        history.record_mined(later, [(date(2026, 10, 9), "1.0")], "x")


def test_the_history_is_extended_and_holds_together(office: Office) -> None:
    state, at = office.state(), office.now()
    known = history.known(state, "BTC", at)
    assert not known[-1].exact
    exact = replace(known[-1], exact=True)
    new, notes = history.extend(office, "BTC", [exact], "test")
    assert new == (exact,)
    assert notes == ()
    assert history.known(office.state(), "BTC", at)[-1].exact
    assert history.extend(office, "BTC", [exact], "test") == ((), ())
    ahead = replace(exact, height=exact.height + 2016, at=exact.at + timedelta(days=13))
    lie = replace(ahead, difficulty=ahead.difficulty * 1.5, bits=None)
    with pytest.raises(Invalid, match="contradicts consensus"):
        history.extend(office, "BTC", [lie], "test")
    other = replace(retargets()[-3], difficulty=1e14, bits=None)
    with pytest.raises(Invalid, match="is known with difficulty"):
        history.extend(office, "BTC", [other], "test")
    far = replace(exact, height=exact.height + 4032, at=exact.at + timedelta(days=27))
    with pytest.raises(Invalid, match="misses the period"):
        history.extend(office, "BTC", [far], "test")
    late = [replace(ahead, at=at + timedelta(days=1))]
    assert history.extend(office, "BTC", late, "test") == (
        (),
        ("1 rows after 2026-08-22T15:33:00Z were left out",),
    )
    assert history.extend(office, "BTC", [], "test") == ((), ())
    with pytest.raises(Invalid, match="no difficulty history of LTC"):
        history.known(office.state(), "LTC", at)


def test_a_new_retarget_makes_a_new_forecast(office: Office) -> None:
    one = production.make(office)
    known = history.known(office.state(), "BTC", office.now())[-1]
    history.extend(office, "BTC", [replace(known, exact=True)], "test")
    two = production.make(office)
    assert two.id == "F-2"
    assert two.forecast.start_difficulty == one.forecast.start_difficulty


def test_price_and_fee_histories_enter_the_forecast(office: Office, real_data: Path) -> None:
    text = (real_data / "btc_usd_daily_close.csv").read_text()
    office.files.write("prices.csv", text)
    months = [f"{Month(2024, 1).plus(k)},{0.01 + 0.002 * (k % 5)}" for k in range(24)]
    office.files.write("fees.csv", "month,fee_share\n" + "\n".join(months))
    edit(office, "# [history]", '[history]\nprices = "prices.csv"\nfees = "fees.csv"')
    made = production.make(office).forecast
    assert made.difficulty_model.price is not None
    assert made.difficulty_model.price.count > 150
    assert made.fee_share_median == pytest.approx(0.014, abs=0.002)
    assert made.price_usd == sample_market().index
    assert {row.source for row in made.natural} == {"history", "paths"}
    by_paths = [row for row in made.natural if row.source == "paths"]
    assert all(row.beta < 0.0 < row.share < 1.1 for row in by_paths)
    assert {"difficulty", "price", "fees", "uptime", "delay"} <= {row.risk for row in made.risks}
    estimate_now = history.fee_estimate(office.files, office.settings())
    assert estimate_now is not None
    assert estimate_now.count == 24
    office.files.write("prices.csv", text + "2026-08-21,not a price\n")
    with pytest.raises(Wrong, match=r"prices\.csv line"):
        production.make(office)


def cut_closes(text: str, last: str) -> str:
    head, *rows = text.strip().splitlines()
    return "\n".join([head, *(row for row in rows if row[:10] <= last)]) + "\n"


def test_a_price_history_that_ends_early_is_used_for_what_it_covers(
    office: Office, real_data: Path
) -> None:
    """Closes to 5 June and to 1 March: said in check and in the forecast, and no lag is taken for nothing."""
    text = (real_data / "btc_usd_daily_close.csv").read_text()
    edit(office, "# [history]", '[history]\nprices = "prices.csv"')
    found: dict[str, Any] = {}
    for last in ("2026-06-05", "2026-03-01"):
        office.files.write("prices.csv", cut_closes(text, last))
        made = found[last] = production.make(office, paths=4_000).forecast
        (note,) = [one for one in made.notes if one.startswith("prices.csv")]
        assert f"ends {last}" in note
        assert note in production.input_notes(office)
    early = found["2026-03-01"].difficulty_model.price
    assert early.missing == 8
    assert early.last_mean == pytest.approx(67_000.0, rel=0.05), (
        "the mean of February's second half"
    )
    assert early.source == "history"
    whole, cut = (found[last].months[-1].cumulative for last in found)
    assert cut.p50 == pytest.approx(whole.p50, rel=0.03)
    first = [found[last].months[0].coins for last in found]
    assert first[1].p90 / first[1].p10 > first[0].p90 / first[0].p10, "wider, not only moved"


def test_without_a_price_history_the_default_answers_and_is_said(office: Office) -> None:
    made = production.make(office, paths=4_000).forecast
    answer = made.difficulty_model.price
    assert answer is not None
    assert answer.source == "default"
    assert any("default elasticity" in note for note in made.notes)
    assert to_json(made)["notes"] == list(made.notes)
    (year,) = [row for row in made.natural if row.months == 12]
    assert year.beta < -2.0 * year.beta_se, "price and difficulty move together"
    assert made.difficulty_model.drift_sd > 0.0


def test_a_curtailing_site_with_a_file_of_hours(office: Office) -> None:
    hours = "".join(
        f"2025-{m:02d}-{d:02d}T{h:02d}:00,{20 + 3 * h}\n"
        for m in range(1, 13)
        for d in (1, 2)
        for h in range(24)
    )
    office.files.write("hours.csv", "time,usd_mwh\n" + hours)
    edit(
        office,
        "uptime_sd = 0.020\n",
        'uptime_sd = 0.020\ncurtails = true\npower_file = "hours.csv"\n',
    )
    made = production.make(office).forecast
    assert made.price_usd is not None
    assert {row.source for row in made.natural} == {"paths"}
    plain = made.months[0]
    assert plain.power_usd > 0.0
    edit(office, 'power_file = "hours.csv"', 'power_file = "gone.csv"')
    with pytest.raises(NotFound, match=r"gone\.csv"):
        production.make(office)


def test_by_day_and_by_retarget(office: Office) -> None:
    days = production.by(office, "day", months=2, paths=200)
    assert len(days) == 61
    periods = production.by(office, "retarget", months=2, paths=200)
    assert periods[0].label.startswith("from 955,584")


def test_before_a_mandate_is_signed_anybody_else_may_approve(tmp_path: Path) -> None:
    office = create_office(tmp_path / "mine", sample_market(), user="treasurer")
    production.make(office)
    office.user = "someone"
    assert production.approve(office, "F-1").approved_by == "someone"
    office.user = "board"
    policy.sign(office)


def test_an_empty_state_knows_no_forecast() -> None:
    assert State().forecast is None
    with pytest.raises(NotFound, match="run headframe forecast"):
        production.version_of(State(), None)


def test_check_reads_the_tables_the_settings_name(office: Office) -> None:
    from headframe.desk.workspace import check_files

    assert check_files(office.files) == ()
    edit(office, "# [history]", '[history]\nprices = "prices.csv"')
    assert "prices.csv" in str(check_files(office.files)[0])
    office.files.write("prices.csv", "date,price\n2026-01-01,5\nx,y\n2026-01-02,-1\n")
    found = [str(problem) for problem in check_files(office.files)]
    assert len(found) == 2
    assert "line 3" in found[0]
    edit(office, 'prices = "prices.csv"', 'prices = "../prices.csv"')
    assert "plain name" in str(check_files(office.files)[0])


def test_a_machine_of_another_algorithm_is_no_machine_of_this_mine(office: Office) -> None:
    from headframe.desk.workspace import check_files

    edit(office, 'machine = "Antminer S21"\n', 'machine = "Antminer L9"\n')
    assert "works on Scrypt" in str(check_files(office.files)[0])


def test_a_mine_that_stands_still_is_no_crash(office: Office) -> None:
    from headframe.desk import scenarios

    text = office.files.text("headframe.toml")
    text = text.replace("uptime = 0.97", "uptime = 0.0").replace("uptime = 0.94", "uptime = 0.0")
    office.files.write("headframe.toml", text)
    made = production.make(office)
    assert made.forecast.months[0].coins.p95 == 0.0
    assert made.forecast.risks == ()
    assert programme.plan(office).proposals == ()
    nothing = scenarios.Asked(
        coins=None,
        cost=None,
        spot=None,
        put=None,
        call=None,
        prices=(),
        forward=None,
        put_premium=None,
        call_premium=None,
        expiry=None,
    )
    with pytest.raises(Invalid, match="give --cost"):
        scenarios.scenario(nothing, office)


def test_a_mine_larger_than_its_network_is_refused(office: Office) -> None:
    edit(office, "count = 14000", "count = 9000000")
    with pytest.raises(Invalid, match="more than the whole network's"):
        production.make(office)


def test_a_price_history_is_explained_with_its_errors(office: Office) -> None:
    from headframe.report import drivers_table, machines_table, natural_table

    day, lines = datetime(2018, 1, 1, tzinfo=UTC), ["date,price"]
    for number in range(3_150):
        price = 30_000.0 * (
            1.2 + 0.9 * ((number * 37 % 101) / 101.0 - 0.5) * 0.2 + number / 4_000.0
        )
        lines.append(f"{day + timedelta(days=number):%Y-%m-%d},{price:.2f}")
    office.files.write("prices.csv", "\n".join(lines))
    months = [f"{Month(2024, 1).plus(k)},{0.01 + 0.002 * (k % 5)}" for k in range(24)]
    office.files.write("fees.csv", "month,fee_share\n" + "\n".join(months))
    edit(office, "# [history]", '[history]\nprices = "prices.csv"\nfees = "fees.csv"')
    made = production.make(office, paths=2_000).forecast
    assert made.difficulty_model.price is not None
    assert {row.source for row in made.natural} == {"history", "paths"}
    words = str(drivers_table(made, history.fee_estimate(office.files, office.settings())))
    for driver in ("answer to price, same retarget", "monthly persistence", "tail (Tukey's h)"):
        assert driver in words
    assert len(natural_table(made).rows) == 6
    assert machines_table(office.settings().operation, made, 77_054.0).rows


def test_firmware_and_machines_of_ones_own_are_read(office: Office) -> None:
    from headframe.desk.workspace import check_files

    own = '[[machine]]\nmodel = "Own 300"\nhashrate = "300 TH/s"\npower_w = 4500.0\n\n[[batch]]\nsite = "Kettle Creek"\nmachine = "Own 300"\ncount = 10\nhashrate = 1.05\npower = 1.08\n\n'
    tuned = '[[firmware]]\nsite = "Kettle Creek"\nmachine = "Own 300"\nsince = 2026-10-01\nhashrate = 1.10\npower = 1.12\n\n[fees]'
    edit(office, "[fees]", own + tuned)
    fleet = office.settings().operation.fleet
    (mine,) = [batch for batch in fleet if batch.machine.model == "Own 300"]
    hashes, watts = mine.tuned(datetime(2026, 10, 1, tzinfo=UTC))
    assert hashes == pytest.approx(300e12 * 1.05 * 1.10)
    assert watts == pytest.approx(4500 * 1.08 * 1.12)
    edit(office, 'machine = "Own 300"\nsince', 'machine = "Own 400"\nsince')
    assert "no Own 400 stands at Kettle Creek" in str(check_files(office.files)[0])
    edit(
        office,
        'machine = "Own 400"\nsince = 2026-10-01',
        'machine = "Own 300"\nsince = 2026-10-01\nextra = 1',
    )
    assert "unknown key" in str(check_files(office.files)[0])
    edit(office, 'machine = "Own 300"\ncount = 10', 'machine = "Own 30"\ncount = 10')
    assert "did you mean Own 300?" in " ".join(str(one) for one in check_files(office.files))
