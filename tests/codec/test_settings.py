from dataclasses import fields
from decimal import Decimal
from math import nan
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.codec import (
    HistorySettings,
    Problem,
    Settings,
    canonical,
    from_json,
    locate,
    read_counterparties,
    read_mandate,
    read_settings,
    sha256,
    to_json,
)
from headframe.counterparty import CollateralTerms, CreditLine, Dossier, Evidence
from headframe.desk.workspace import FILES, sample_file
from headframe.mandate import Mandate
from headframe.market import Snapshot, sample_market
from headframe.mining import (
    Costs,
    DemandResponse,
    FeeOutlook,
    Firmware,
    Pool,
    PowerBlock,
    Site,
    Treasury,
)
from headframe.units import Month, Wrong

MINE, POLICY, DEALERS = (sample_file(name) for name in FILES)


def problems(found: Any) -> Any:
    assert all(isinstance(one, Problem) for one in found)
    return [(one.line, one.text) for one in found]


def test_the_sample_files_are_in_order() -> None:
    assert isinstance(read_settings(MINE), Settings)
    assert isinstance(read_mandate(POLICY), Mandate)
    assert all(isinstance(one, Dossier) for one in read_counterparties(DEALERS))


def test_all_problems_of_a_file_come_at_once_with_their_lines() -> None:
    bad = (
        POLICY.replace("floor = 0.40", "floor = 0.70")
        .replace("horizon_months = 12", "horizon_monts = 12")
        .replace("spot_move_max = 0.01", 'spot_move_max = "one"')
        .replace('choice = "floor_less_cost"', 'choice = "cheapest"')
    )
    found = problems(read_mandate(bad))
    lines = bad.splitlines()
    texts = dict(found)
    assert len(found) == 5
    assert any("did you mean horizon_months?" in text for text in texts.values())
    for line, text in found:
        if "missing" not in text and "floor" not in text:
            assert (
                text.split()[0 if "unknown" not in text else 2].split(".")[-1].rstrip(":")
                in lines[line - 1]
            )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("uptime = 0.97", "uptime = 97", "uptime of Kettle Creek must lie between 0 and 1"),
        ("count = 14000", "count = -5", "must lie between 1"),
        ("count = 14000", "count = 14000.5", "expected int"),
        ("fee = 0.005", "fee = nan", "must lie between"),
        ("share_median = 0.0075", "share_median = inf", "must lie between"),
        ('machine = "Antminer S21"\n', 'machine = "Antminer S12"\n', "did you mean Antminer S21?"),
        ("until = 2027-01-15", "until = 2027-13-15", "not readable as TOML"),
        ('"2027-02" = 2400000.0', '"2027-2" = 2400000.0', "a month is written 2026-09"),
        ('mode = "paper"', 'mode = "live"', "names its venue"), ('mode = "paper"', 'mode = "demo"', 'must be "paper" or "live"'),
        ('coin = "BTC"', 'coin = "LTC"', 'must be "BTC"'),
        ("seed = ", "seed = -", "seed must lie"),
        ("[fees]", "[feees]", "did you mean fees?"),
        ("[fees]", '[[machine]]\nmodel = "X"\nhashrate = "234 TH"\npower_w = 3000\n[fees]', "a hashrate is written with its unit"),
        ("cash_usd = 9000000.0", "cash_usd = 1e400", "must lie between"),
        ("power_usd_mwh = 52.0", "power_usd_mwh = [1.0, 2.0]", "one power price or twelve"),
        ('site = "Kettle Creek"', 'site = "Nowhere"', "which is no site"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_where_it_stands(before: Any, after: Any, message: Any) -> None:
    bad = MINE.replace(before, after, 1)
    assert bad != MINE
    found = problems(read_settings(bad))
    assert any(message in text for _, text in found), found
    assert all(1 <= line <= len(bad.splitlines()) for line, _ in found)


@pytest.mark.parametrize(
    "text", ["", "x", "= 1", "[a\n", "a = 1\na = 2", "\x00", "a = " + "[" * 5000, "[[site]]\n"]
)
def test_hostile_files_are_problems_not_crashes(text: str) -> None:
    for read in (read_settings, read_mandate):
        assert problems(read(text))
    assert read_counterparties("") == ()


JUNK = ["nan", "inf", "-1", "1e999", '""', '"x"', "[]", "{}", "true", "9" * 400, "1_000", "-0.0", "[[1]]", '"' + "a" * 5000 + '"', "2026-08-22T00:00:00", "07:00:00"]  # fmt: skip


@given(st.integers(0, 2), st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(JUNK))
def test_any_value_replaced_by_junk_is_a_problem_or_fits(
    file: int, one: int, two: int, junk: str
) -> None:
    lines = (MINE, POLICY, DEALERS)[file].split("\n")
    for place in (one, two):
        index = place % len(lines)
        if " = " in lines[index]:
            lines[index] = lines[index].split(" = ")[0] + " = " + junk
        else:
            del lines[index]
    (read_settings, read_mandate, read_counterparties)[file]("\n".join(lines))


def test_every_key_of_every_file_is_explained() -> None:
    for kind in (
        FeeOutlook,
        Costs,
        Treasury,
        Pool,
        Site,
        PowerBlock,
        DemandResponse,
        Firmware,
        HistorySettings,
    ):
        for field in fields(kind):
            assert field.name in MINE or field.name == "power_hours"
    for other in (Dossier, Evidence, CreditLine, CollateralTerms):
        for field in fields(other):
            assert field.name in DEALERS
    first = DEALERS.split("[[counterparty]]")[1]
    assert all(
        "#" in line
        for line in first.splitlines()
        if "_usd" in line or line.startswith(("name", "group"))
    )
    for text in (MINE, POLICY):
        bare = [line for line in text.splitlines() if " = " in line and "#" not in line]
        repeated = {line.split(" = ")[0] for line in bare}
        explained = {
            line.split(" = ")[0] for line in text.splitlines() if " = " in line and "#" in line
        }
        comments = " ".join(line for line in text.splitlines() if line.startswith("#"))
        unexplained = {key for key in repeated if key not in explained and key not in comments}
        assert unexplained <= {"entity", "coin", "name", "first", "last", "choice", "venue"}, (
            unexplained
        )


def test_lines_are_found_in_nested_tables() -> None:
    lines = locate(
        'a = 1\n[b]\nc = 2\n[[d]]\ne = [\n 1,\n]\n[d.f]\ng = 3\n[[d]]\n[[d.h]]\ni = """\nx = 1\n"""\nj = 4\n'
    )
    assert lines[("a",)] == 1
    assert lines[("b", "c")] == 3
    assert lines[("d", 0, "e")] == 5
    assert lines[("d", 0, "f", "g")] == 9
    assert lines[("d", 1, "h", 0, "i")] == 12
    assert lines[("d", 1, "h", 0, "j")] == 15
    assert ("d", 1, "h", 0, "x") not in lines


def test_values_survive_json() -> None:
    for value in (sample_market(), read_mandate(POLICY), read_settings(MINE)):
        assert from_json(type(value), to_json(value)) == value
    assert from_json(Snapshot, to_json(sample_market())) == sample_market()
    costs = Costs(
        fixed_usd_month=1,
        debt_service_usd_month=2,
        depreciation_usd_month=3,
        capex_usd=MappingProxyType({Month(2027, 2): 4.0}),
    )
    assert from_json(Costs, to_json(costs)) == costs


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8
    )
)
def test_amounts_travel_as_decimal_strings(amount: Any) -> None:
    written = to_json(amount)
    assert isinstance(written, str)
    assert from_json(Decimal, written) == amount


def test_canonical_text_is_one_text_for_one_value() -> None:
    assert canonical({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"é"],"b":1}'
    assert sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": nan})


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (int, "1"),
        (int, True),
        (float, "x"),
        (Decimal, 1.5),
        (Month, "x"),
        (Mandate, []),
        (Snapshot, {"as_of": 1}),
    ],
)
def test_what_does_not_fit_is_wrong(kind: Any, data: Any) -> None:
    with pytest.raises(Wrong):
        from_json(kind, data)
