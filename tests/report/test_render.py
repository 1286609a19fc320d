from datetime import UTC, datetime
from typing import Any

import pytest

from headframe.report import (
    Column,
    Estimate,
    Form,
    Page,
    Section,
    Table,
    html,
    markdown,
    texts,
    write,
)

PAGE = Page(
    title="A <title>",
    mode="paper",
    at=datetime(2026, 8, 22, 15, 33, tzinfo=UTC),
    head="3:abc",
    sections=(
        Section(
            heading="One & all",
            sentences=("Say <it>.",),
            tables=(
                Table(
                    title="Figures",
                    columns=(
                        Column("name | unit"),
                        Column("USD", Form.USD),
                        Column("share", Form.SHARE),
                    ),
                    rows=(("a|b", -1234.5, 0.125), ("c", None, float("nan"))),
                    note="A note.",
                ),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("cell", "form", "text"),
    [
        (1234567.4, Form.USD, "1,234,567"), (-1234.0, Form.USD, "(1,234)"), (-0.4, Form.USD, "0"), (None, Form.USD, "-"),
        (float("inf"), Form.USD, "-"), (12.345, Form.COINS, "12.35"), (-0.0023, Form.COINS4, "(0.0023)"), (0.876, Form.SHARE, "87.6%"),
        (-0.2819, Form.SHARE2, "(28.19%)"), ("text", Form.USD, "text"), (0.99, Form.RATIO, "0.990"), (5.0, Form.WHOLE, "5"),
        (Estimate(-1234.4, 56.7), Form.USD, "(1,234) ±57"), (Estimate(0.0123, 0.0004), Form.SHARE2, "1.23% ±0.04%"),
    ],
)  # fmt: skip
def test_figures_are_written_as_a_treasurer_reads_them(cell: Any, form: Any, text: str) -> None:
    assert write(cell, form) == text


def test_a_table_needs_as_many_cells_as_columns() -> None:
    with pytest.raises(AssertionError):
        Table(title="x", columns=(Column("a"),), rows=(("1", "2"),))
    assert texts(PAGE.sections[0].tables[0])[1] == ["c", "-", "-"]


def test_markdown_and_html_say_the_same_and_escape_what_they_must() -> None:
    text, page = markdown(PAGE), html(PAGE)
    assert "| a\\|b | (1,234) | 12.5% |" in text
    assert "| --- | ---: | ---: |" in text
    assert "PAPER money · as of 2026-08-22T15:33:00Z · journal 3:abc" in text
    assert "<td>a|b</td>" in page
    assert "A &lt;title&gt;" in page
    assert "Say &lt;it&gt;." in page
    assert "One &amp; all" in page
    assert "src=" not in page
    assert "href=" not in page
