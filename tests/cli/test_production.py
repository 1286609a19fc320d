"""The commands of the forecast, the chains, the history and the mine, as a person types them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headframe.cli.app import app

RUNNER = CliRunner()


def call(*arguments: str) -> Any:
    return RUNNER.invoke(app, [str(one) for one in arguments])


def data(*arguments: str) -> Any:
    found = call(*arguments, "--json")
    assert found.exit_code == 0, (arguments, found.output, found.exception)
    return json.loads(found.stdout)


def refused(*arguments: str) -> str:
    found = call(*arguments)
    assert found.exit_code != 0 or found.exception is not None
    return f"{found.exception} {found.output}"


def test_next_bits_of_every_chain(tmp_path: Path) -> None:
    found = data(
        "chain",
        "next-bits",
        "--coin",
        "BTC",
        "--bits",
        "1d00ffff",
        "--first-time",
        "1261130161",
        "--last-time",
        "1262152739",
    )
    assert found["schema"] == "headframe/next-bits/1"
    assert found["bits"] == "1d00d86a"
    assert found["difficulty"].startswith("1.18289")
    assert found["change"] == pytest.approx(0.18289953)
    assert not found["unverified"]
    ltc = data(
        "chain",
        "next-bits",
        "--coin",
        "ltc",
        "--bits",
        "1e0fffff",
        "--first-time",
        "1318480354",
        "--last-time",
        "1318485419",
    )
    assert ltc["bits"] == "1e03ffff"
    bch = data(
        "chain",
        "next-bits",
        "--coin",
        "BCH",
        "--anchor",
        "1:0:1d00ffff",
        "--height",
        "2",
        "--last-time",
        "1200",
    )
    assert bch["bits"] == "1d00ffff"
    assert bch["change"] is None
    etc = data(
        "chain",
        "next-bits",
        "--coin",
        "ETC",
        "--difficulty",
        "1000000",
        "--first-time",
        "0",
        "--last-time",
        "3",
    )
    assert etc["bits"] is None
    assert etc["unverified"]
    window = tmp_path / "window.csv"
    window.write_text(
        "time,bits,difficulty\n" + "".join(f"{75 * k},1c2a1115,1000\n" for k in range(800))
    )
    for coin in ("ZEC", "KAS", "XMR"):
        assert data("chain", "next-bits", "--coin", coin, "--window", str(window))["unverified"]
    said = call("chain", "next-bits", "--coin", "XMR", "--window", str(window)).stdout
    assert "unverified" in said
    for bad, words in (
        (("--coin", "BTC", "--bits", "1d00ffff"), "first-time"),
        (("--coin", "BTC", "--bits", "zz", "--first-time", "1", "--last-time", "2"), "hexadecimal"),
        (
            ("--coin", "BCH", "--anchor", "x", "--height", "1", "--last-time", "2"),
            "HEIGHT:PARENT_TIME:BITS",
        ),
        (("--coin", "DASH"), "coin must be one of"),
    ):
        assert words in refused("chain", "next-bits", *bad)


def test_subsidy_to_the_smallest_unit() -> None:
    found = data("chain", "subsidy", "--coin", "BTC", "--height", "840000")
    assert (found["subsidy"], found["next_step_height"]) == ("3.12500000", 1_050_000)
    assert found["next_step_at"].startswith("2028-04")
    assert (
        data("chain", "subsidy", "--coin", "KAS", "--daa-score", "110165000")["subsidy"]
        == "5.82704702"
    )
    assert (
        data("chain", "subsidy", "--coin", "XMR", "--generated", "18440000")["subsidy"]
        == "0.600000000000"
    )
    zec = data("chain", "subsidy", "--coin", "ZEC", "--height", "2726400")
    assert (zec["subsidy"], zec["miner_subsidy"]) == ("1.56250000", "1.25000000")
    assert (
        data("chain", "subsidy", "--coin", "ETC", "--height", "20000001")["subsidy"]
        == "2.048000000000000000"
    )
    known = data(
        "chain",
        "subsidy",
        "--coin",
        "ETC",
        "--height",
        "20000001",
        "--known-height",
        "24999001",
        "--known-at",
        "2026-01-01",
    )
    assert known["next_step_at"] == "2026-01-01T03:36:40Z"
    assert "--generated" in refused("chain", "subsidy", "--coin", "XMR", "--height", "1")
    assert "random" in refused("chain", "subsidy", "--coin", "DOGE", "--height", "1")
    assert "belong together" in refused("chain", "subsidy", "--height", "1", "--known-height", "5")
    assert (
        "no further step" in call("chain", "subsidy", "--coin", "DOGE", "--height", "700000").stdout
    )


# Published points whose price, difficulty and fees are printed together; that of 3 March 2025 is left
# out: its own USD figure is 0.7 % from its coin figure times its price. June 2026 prints no price.
PUBLISHED = [
    ("109.823e12", ("--fees", "0.04606"), "99789", None, 58.03),
    ("155.973e12", ("--fee-share", "0.006239"), "106935", 0.00040577, 43.33),
    ("129.045e12", ("--fees", "0.025"), "114925", None, 56.44),
]


@pytest.mark.parametrize(("difficulty", "fees", "price", "coin", "usd"), PUBLISHED)
def test_hashprice_meets_published_points(
    difficulty: Any, fees: Any, price: Any, coin: Any, usd: Any
) -> None:
    found = data(
        "chain", "hashprice", "--coin", "BTC", "--difficulty", difficulty, *fees, "--price", price
    )
    assert found["usd_per_phs_day"] == pytest.approx(usd, rel=2e-3)
    if coin is not None:
        assert found["coin_per_phs_day"] == pytest.approx(coin, rel=2e-3)


def test_one_published_point_contradicts_itself() -> None:
    assert pytest.approx(0.007, abs=2e-4) == 0.00057612 * 86350 / 49.40 - 1


def test_break_even_power_of_a_machine() -> None:
    found = data(
        "chain",
        "hashprice",
        "--difficulty",
        "129.045e12",
        "--price",
        "114925",
        "--machine",
        "Antminer S21",
        "--pool-fee",
        "0.01",
    )
    assert found["efficiency_j_per_th"] == 17.5
    assert found["break_even_usd_per_mwh"] == pytest.approx(
        found["usd_per_phs_day"] * 0.99 * 1000 / 24 / 17.5
    )
    scrypt = data(
        "chain",
        "hashprice",
        "--coin",
        "LTC",
        "--difficulty",
        "9e7",
        "--height",
        "2900000",
        "--price",
        "90",
        "--machine",
        "Antminer L9",
    )
    assert scrypt["coin_per_phs_day"] == pytest.approx(86400e15 / (9e7 * 2**48 / 65535) * 6.25)
    for bad, words in (
        (("--machine", "Antminer S21"), "needs --price"),
        (("--machine", "Antminer L9", "--price", "1"), "works on Scrypt"),
        (("--fees", "1", "--fee-share", "1"), "not both"),
        (("--pool-fee", "1"), "between 0 and 1"),
        (("--efficiency", "0", "--price", "1"), "positive"),
        (("--fees", "-1"), "negative"),
    ):
        assert words in refused("chain", "hashprice", "--difficulty", "1e14", *bad)


def test_chains_are_listed_and_shown_on_a_day() -> None:
    rows = {row["coin"]: row for row in data("chain", "list", "--at", "2026-08-22")["chains"]}
    assert rows["LTC"]["subsidy"] == "6.25000000"
    assert rows["BCH"]["subsidy"] == "3.12500000"
    assert rows["KAS"]["subsidy"] == "2.31246515", "2.3125 KAS a block in August 2026"
    assert rows["LTC"]["merged_with"] == ["DOGE"]
    assert "unverified" in call("chain", "list").stdout
    assert "difficulty rule" in call("chain", "show", "KAS").stdout


def test_expected_coins(tmp_path: Path) -> None:
    found = data(
        "mining",
        "expected",
        "--coin",
        "BTC",
        "--hashrate",
        "32.8EH/s",
        "--from",
        "2024-03-01",
        "--to",
        "2024-04-01",
        "--fee-share",
        "0.03",
        "--pool-fee",
        "0",
    )
    assert found["p10"] < found["coins"] < found["p90"]
    assert found["coins"] == pytest.approx(found["blocks"] * 6.25 * 1.03)
    halved = call(
        "mining", "expected", "--hashrate", "8.8 EH/s", "--from", "2024-04-01", "--to", "2024-05-01"
    )
    assert "840,000" in halved.stdout
    for bad, words in (
        (("--hashrate", "32.8", "--from", "2024-03-01", "--to", "2024-04-01"), "with its unit"),
        (("--hashrate", "0EH/s", "--from", "2024-03-01", "--to", "2024-04-01"), "above 0"),
        (("--hashrate", "1EH/s", "--from", "2024-04-01", "--to", "2024-03-01"), "must come after"),
        (("--hashrate", "1EH/s", "--from", "2030-04-01", "--to", "2030-05-01"), "extend it"),
        (
            ("--coin", "LTC", "--hashrate", "1TH/s", "--from", "2024-03-01", "--to", "2024-04-01"),
            "--history",
        ),
    ):
        assert words in refused("mining", "expected", *bad)
    history = tmp_path / "h.csv"
    history.write_text(
        "height,time,difficulty\n5000000,2026-01-01,4e7\n5001440,2026-01-02,4.1e7\n5002880,2026-01-03,4.2e7\n"
    )
    doge = data(
        "mining",
        "expected",
        "--coin",
        "DOGE",
        "--hashrate",
        "1TH/s",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-02",
        "--history",
        str(history),
    )
    assert doge["coins"] == pytest.approx(1e12 * 86400 / (4e7 * 2**48 / 65535) * 10_000)


def test_histories_with_flaws(tmp_path: Path) -> None:
    base = [
        "mining",
        "expected",
        "--hashrate",
        "1EH/s",
        "--from",
        "2024-03-01",
        "--to",
        "2024-03-02",
        "--history",
    ]
    rows = [
        "height,time,bits",
        "830592,1708008110,170371b1",
        "832608,1709253937,17038c12",
        "834624,1710397689,17035a59",
    ]
    file = tmp_path / "h.csv"

    def with_rows(*lines: str) -> Any:
        file.write_text("\n".join(lines) + "\n")
        return call(*base, str(file))

    assert with_rows(*rows).exit_code == 0
    unsorted = with_rows(rows[0], rows[3], rows[1], rows[2], rows[2])
    assert unsorted.exit_code == 0
    assert "out of order" in unsorted.stderr
    assert "came twice" in unsorted.stderr
    for lines, words in (
        ((rows[0], rows[1], rows[3]), "misses the period from height 832,608"),
        ((*rows[:2], "832608,1709253937,17030000", rows[3]), "contradicts consensus"),
        ((*rows[:3], "832608,1709253937,17030000"), "contradict each other"),
        (
            (rows[0] + ",difficulty", rows[1] + ",1e12", rows[2] + ",1e12"),
            "line 2: difficulty 1,000,000,000,000.00 contradicts bits",
        ),
        ((rows[0], "x,1708008110,1d00ffff"), "line 2: number: expected a whole number"),
        ((rows[0], "830592,1708008110"), "3 cells wanted, 2 found"),
        ((rows[0],), "no difficulty period"),
        (("a,a", "1,2"), "each column once"),
        (("height,time,bits", "830592,2024-02-15,-5"), "hexadecimal"),
    ):
        found = with_rows(*lines)
        assert found.exit_code != 0
        assert words in f"{found.exception}{found.output}", words


def test_negative_block_intervals_are_legal(tmp_path: Path) -> None:
    """Consecutive headers, one earlier than the one before it: only period starts count."""
    file = tmp_path / "headers.csv"
    lines = ["height,timestamp,nbits"]
    lines += [
        f"{830592 + k},{1708008110 + 600 * k - (900 if k == 7 else 0)},170371b1"
        for k in range(2016)
    ]
    lines += ["832608,1709253937,17038c12"]
    file.write_text("\n".join(lines))
    found = data(
        "mining",
        "expected",
        "--hashrate",
        "1EH/s",
        "--from",
        "2024-02-20",
        "--to",
        "2024-02-21",
        "--history",
        str(file),
    )
    assert found["coins"] > 0


def test_an_outlook_of_a_coin_without_a_workspace(tmp_path: Path) -> None:
    btc = data(
        "mining",
        "outlook",
        "--hashrate",
        "1EH/s",
        "--months",
        "3",
        "--paths",
        "500",
        "--first",
        "2026-09",
    )
    assert [row["month"] for row in btc["months"]] == ["2026-09", "2026-10", "2026-11"]
    assert btc["months"][0]["coins"]["p5"] < btc["months"][0]["coins"]["p95"]
    lines = ["height,time,difficulty"] + [
        f"{400_000_000 + 864_000 * k},{1_750_000_000 + 86_400 * k},{4e14 * (1 + 0.01 * (k % 5)):.0f}"
        for k in range(60)
    ]
    file = tmp_path / "kas.csv"
    file.write_text("\n".join(lines))
    kas = call(
        "mining",
        "outlook",
        "--coin",
        "KAS",
        "--hashrate",
        "1PH/s",
        "--history",
        str(file),
        "--months",
        "2",
        "--paths",
        "500",
    )
    assert "unverified: difficulty rule" in kas.stdout
    assert "--history" in refused("mining", "outlook", "--coin", "LTC", "--hashrate", "1TH/s")


def test_machines_are_shown() -> None:
    assert len(data("mining", "machines")["machines"]) == 35
    assert {
        m["model"] for m in data("mining", "machines", "--algorithm", "scrypt")["machines"]
    } == {"Antminer L7", "Antminer L9"}
    assert "unverified" in call("mining", "machines").stdout


def test_the_forecast_is_prepared_explained_approved_and_exchanged(
    mine: Path, tmp_path: Path
) -> None:
    at = ("--workspace", str(mine))
    found = data("forecast", *at, "--explain", "--paths", "2000")
    assert found["version"]["id"] == "F-1"
    assert found["version"]["approved_by"] is None
    assert {"p5", "p10", "p25", "p50", "p75", "p90", "p95", "mean"} == set(
        found["months"][0]["coins"]
    )
    assert {row["risk"] for row in found["risks"]} >= {
        "difficulty",
        "fees",
        "uptime",
        "delay",
        "together",
    }
    said = call("forecast", *at, "--explain", "--paths", "2000").stdout
    for words in (
        "10 % less",
        "standard error",
        "memory of noise",
        "squeeze",
        "share of variance",
        "break-even",
    ):
        assert words in said
    assert "his own forecast" in refused("forecast", "approve", "F-1", *at)
    assert data("forecast", "approve", "F-1", *at, "--as", "cfo")["approved_by"] == "cfo"
    assert (
        data("forecast", *at, "--by", "day", "--months", "1", "--paths", "200")["rows"][0]["label"]
        == "2026-09-01"
    )
    assert (
        "from 955,584"
        in call("forecast", *at, "--by", "retarget", "--months", "1", "--paths", "200").stdout
    )
    text = (mine / "headframe.toml").read_text()
    (mine / "headframe.toml").write_text(text.replace("count = 14000", "count = 10000"))
    again = data("forecast", *at, "--explain", "--paths", "2000")
    assert again["changes"]["drivers"][0]["name"] == "hashrate"
    changed = data("forecast", "changes", *at)
    assert changed == {"schema": "headframe/forecast-changes/1", **again["changes"]}
    assert "uptime" in call("forecast", "changes", "F-2", "--since", "F-1", *at).stdout
    assert len(data("forecast", "list", *at)["versions"]) == 2
    for ending in ("csv", "xlsx"):
        file = tmp_path / f"out.{ending}"
        assert data("forecast", "export", str(file), *at)["rows"] == 12
        preview = data("forecast", "import", str(file), "--dry-run", *at)
        assert (preview["new"], preview["updated"], preview["unchanged"], preview["missing"]) == (
            0,
            12,
            0,
            0,
        )
        assert preview["version"] is None
    taken = data("forecast", "import", str(tmp_path / "out.csv"), *at)
    assert taken["version"] == "F-3"
    assert "no sheet" in refused(
        "forecast", "import", str(tmp_path / "out.xlsx"), "--sheet", "x", *at
    )
    assert ".csv or .xlsx" in refused("forecast", "export", str(tmp_path / "out.pdf"), *at)
    (tmp_path / "bad.xlsx").write_text("PK")
    assert "as a workbook" in refused("forecast", "import", str(tmp_path / "bad.xlsx"), *at)
    assert data("forecast", "accuracy", *at)["rows"] == []
    history = data("history", "show", *at)
    assert history["rows"][-1]["height"] == 955_584
    assert "reported" in call("history", "show", *at).stdout
    assert "one of --esplora" in refused("history", "fetch", *at)
    with (tmp_path / "more.csv").open("w") as out:
        out.write("height,time,bits\n955584,2026-06-27T02:00:00Z,170219de\n")
    assert "new periods" in call("history", "import", str(tmp_path / "more.csv"), *at).stdout


def test_formulas_are_never_written(tmp_path: Path) -> None:
    from headframe.feed import read_table, write_table

    rows = [
        ("month", "note"),
        ("2026-09", "=cmd|' /C calc'!A0"),
        ("2026-10", "@SUM(A1)"),
        ("2026-11", "-1+1"),
    ]
    for ending in ("csv", "xlsx"):
        file = tmp_path / f"t.{ending}"
        write_table(file, rows)
        back = read_table(file)
        assert len(back) == 3
        if ending == "csv":
            assert all(row["note"].startswith("'") for _, row in back)
        else:
            import zipfile

            sheet = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
            assert "<f>" not in sheet


def test_the_back_test_is_a_command(real_data: Path) -> None:
    found = data(
        "forecast",
        "backtest",
        "--history",
        str(real_data / "btc_retargets.csv"),
        "--from",
        "2019-01-01",
        "--paths",
        "500",
    )
    late = {(row["model"], row["days"]): row for row in found["without_overlap"]}
    for days in (91, 182, 365):
        ours = late["headframe", days]
        assert not ours["coverage_rejected"]
        assert ours["coverage_low"] < 0.80 < ours["coverage_high"]
        others = [model for model, horizon in late if horizon == days and model != "headframe"]
        assert len(others) == 5
    assert late["headframe", 365]["independent"] < 1.6
    gained = {(row["model"], row["days"]): row for row in found["gains_without_overlap"]}
    assert not gained["headframe", 365]["told_from_chance"]
    assert gained["headframe", 365]["gain_low"] < 0.0 < gained["headframe", 365]["gain_high"]
    assert found["skill"]
    said = call("forecast", "backtest", "--from", "2025-06-01", "--paths", "200", "--tried").stdout
    assert "Skill over time" in said
    assert "flat difficulty" in said
    assert "told from chance" in said
    assert "Origins whose whole window lies after every outcome that choice saw" in said
    assert "Tried on origins before 2023" not in said, "none of these origins lies before 2023"


def test_coins_mined_are_recorded(mine: Path, tmp_path: Path) -> None:
    at = ("--workspace", str(mine))
    file = tmp_path / "mined.csv"
    file.write_text("day,coins\n2026-08-20,3.1\n2026-08-20,0.4\n2026-08-21,3.25\n")
    assert data("mining", "record", str(file), *at) == {
        "schema": "headframe/mined/1",
        "new": 2,
        "updated": 0,
        "unchanged": 0,
    }
    file.write_text("day,coins\n2026-08-20,3.5\nAugust,x\n2026-08-21,1.123456789\n")
    words = refused("mining", "record", str(file), *at)
    assert "line 3" in words
    assert "line 4" in words


@pytest.mark.parametrize(
    "number", ["1_000", "\uff11\uff12", "nan", "1e3", "", "9" * 40, "-1", "0x10"]
)
def test_whole_numbers_are_plain_digits(number: Any) -> None:
    for line in (
        ("chain", "subsidy", "--height", number),
        ("mining", "outlook", "--hashrate", "1EH/s", "--months", number),
        (
            "chain",
            "next-bits",
            "--coin",
            "ETC",
            "--difficulty",
            number,
            "--first-time",
            "1",
            "--last-time",
            "2",
        ),
    ):
        found = call(*line)
        assert found.exit_code == 2, line
        assert "Traceback" not in found.output


def test_a_plan_says_which_forecast_it_was_sized_on(mine: Path) -> None:
    at = ("--workspace", str(mine))
    found = data("plan", *at)
    assert found["forecast"] == {
        "id": "F-1",
        "sha256": found["forecast"]["sha256"],
        "approved_by": None,
        "outdated": False,
    }
    assert data("approve", "P-1", *at, "--as", "cfo")["approver"] == "cfo"
    text = (mine / "headframe.toml").read_text()
    (mine / "headframe.toml").write_text(text.replace("count = 14000", "count = 10000"))
    said = call("plan", *at, "--dry-run").stdout
    assert (
        "sized on F-1 of 2026-08-22, prepared by treasurer, approved by cfo; its inputs have changed"
        in said
    )
    assert data("plan", *at, "--dry-run")["forecast"]["outdated"]
    page = call("report", *at).stdout
    assert "Sized on F-1 of 2026-08-22, prepared by treasurer, approved by cfo" in page


def test_payouts_are_audited_against_the_chain(mine: Path, tmp_path: Path) -> None:
    at = ("--workspace", str(mine))
    paid, speed = tmp_path / "paid.csv", tmp_path / "speed.csv"
    days = [f"2026-06-{day:02d}" for day in range(1, 11)]
    speed.write_text("day,hashrate\n" + "".join(f"{day},6.9 EH/s\n" for day in days))
    expected = [
        data(
            "mining",
            "expected",
            "--hashrate",
            "6.9EH/s",
            "--from",
            day,
            "--to",
            f"2026-06-{n + 2:02d}",
            "--fee-share",
            "0.0075",
            "--pool-fee",
            "0.005",
        )["coins"]
        for n, day in enumerate(days)
    ]
    paid.write_text(
        "day,coins\n"
        + "".join(f"{day},{coins * 1.02:.8f}\n" for day, coins in zip(days, expected, strict=True))
    )
    assert data("mining", "telemetry", str(speed), *at)["new"] == 10
    assert data("mining", "record", str(paid), *at)["new"] == 10
    (month,) = data("mining", "audit", *at)["months"]
    assert month["days"] == 10
    assert month["expected"] == pytest.approx(sum(expected))
    assert month["difference"] == pytest.approx(0.02, abs=1e-7)
    (dear,) = data("mining", "audit", "--fee-share", "0.027651", *at)["months"]
    assert dear["difference"] == pytest.approx(0.0, abs=1e-4)
    assert "planned EH/s" in call("mining", "audit", *at).stdout
    speed.write_text("day,hashrate_ehs\n2026-06-01,6.8\n2026-06-02,7e9\n")
    assert "line 3" in refused("mining", "telemetry", str(speed), *at)
    speed.write_text("day,hashrate_ehs\n2026-06-01,6.8\n2026-06-01,6.9\n")
    assert "each day once" in refused("mining", "telemetry", str(speed), *at)
    speed.write_text("day,hashrate\n2026-06-01,5000 EH/s\n")
    assert "(the whole network's on 2026-06-01), got 5,000.00 EH/s" in refused(
        "mining", "telemetry", str(speed), *at
    )
    speed.write_text("day,hashrate\n2026-06-01,7 EH/s\n")
    assert data("mining", "telemetry", str(speed), *at)["updated"] == 1


def test_what_the_inputs_leave_open_is_said_by_check_the_forecast_and_simulate(mine: Path) -> None:
    at = ("--workspace", str(mine))
    checked = data("check", *at)
    assert checked["problems"] == []
    assert any("default elasticity" in note for note in checked["notes"])
    assert "note: no price history is given" in call("check", *at).stdout
    made = data("forecast", "--paths", "500", *at)
    assert set(checked["notes"]) <= set(made["notes"])
    assert made["difficulty_model"]["price"]["source"] == "default"
    assert "default elasticity" in call("forecast", "--paths", "500", *at).stdout
    simulated = data("simulate", "--paths", "200", "--months", "2", *at)
    assert simulated["notes"] == checked["notes"]
    assert "default elasticity" in call("simulate", "--paths", "200", "--months", "2", *at).stdout
    settings = mine / "headframe.toml"
    settings.write_text(settings.read_text().replace("# [history]", '[history]\nprices = "p.csv"'))
    day = datetime(2017, 1, 1, tzinfo=UTC)
    rows = [f"{day + timedelta(days=k):%Y-%m-%d},{20_000 + 50 * (k % 97)}" for k in range(3_400)]
    (mine / "p.csv").write_text("date,price\n" + "\n".join(rows) + "\n")
    (note,) = [note for note in data("check", *at)["notes"] if note.startswith("p.csv")]
    assert "p.csv ends 2026-04-23 and leaves 5 retarget periods" in note
    assert not any("default elasticity" in note for note in data("check", *at)["notes"])
