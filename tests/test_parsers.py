"""Texts from outside are parsed in one place: a new parser elsewhere fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "headframe"
PARSERS = {"units/reading.py", "units/money.py", "units/month.py", "units/instant.py", "units/hashrate.py", "codec/rows.py", "codec/exact.py"}  # fmt: skip
"""The one parser of texts, of JSON's numbers, and of the CSV dialect."""
EDGES = {"codec", "feed", "cli", "web", "venue", "notify", "wiring", "store", "units"}
"""Rooms that meet texts from outside; elsewhere a conversion is from one number to another."""
OF_INSTANTS = {"fromisoformat", "strptime", "fromtimestamp", "utcfromtimestamp"}
OF_NUMBERS = {"float", "int", "Decimal", "Fraction"}
OWN_TEXT = {
    "cli/ladder.py": {"parse_decimal(typed)"},  # compared with the size asked, and nothing else
    "codec/checking.py": {"int(_outcome.get())"},  # a choice of the checker's own
    "feed/funding.py": {"int(at.timestamp() * 1000)"},  # written into a request
    "codec/pool_answers.py": {"parse_decimal(str(said))"},  # a program's text, never thousands
    "codec/reader.py": {"int(word)"},  # the line number in a message of tomllib
    "codec/values.py": {"float(_whole(_expect((int, float), data)))"},  # a number of JSON
    "cli/demo_life.py": {"Decimal(str(coins))", "float(one.price)"},
    "feed/tables.py": {"Decimal(str(parse_amount(text, CURRENCIES.get(coin, BTC), 'coins')))"},
    "feed/chain_csv.py": {"import csv", "Decimal(repr(quote.strike))"},  # writes
    "feed/sheets.py": {"import csv", "Decimal(f'{value:.15g}')", "int(cell)"},  # writes
    "cli/price.py": {"import csv"},  # writes
    "cli/price_rows.py": {"text.split(';')"},  # each part goes to the parser
    "paper/accounts.py": {"rest.split(',')"},  # a header of the simulated venue
    "store/chain.py": {"datetime.fromisoformat(at)"},  # written by the journal itself
    "store/postgres.py": {"int(found[0])", "int(row[0])", "int(found[-1][0])"},
    "store/sqlite.py": {"int(part)"},
    "units/shares.py": {"int((total - sum(shares, Decimal(0))) / step)"},
    "units/steady.py": {"float(f'{value:.11e}')"},
    "web/app.py": {"int(length[:12])"},  # the header was found to be digits
    "web/client.py": {"int(problem.get('exit', 5))"},  # of our own desk process
    "web/strict.py": {"parse_decimal(text[:80])", "float(parse_decimal(text[:80]))", "float(price)"},
    "venue/deribit/errors.py": {"int(code)"},  # our own table
}  # fmt: skip
"""By file, what is allowed: own texts, and conversions of values that are numbers already."""
NUMBERS_ALREADY = {
    "cli/chain.py", "cli/mining.py", "cli/scenario.py", "venue/clocks.py", "venue/voice.py",
    "venue/deribit/account.py", "venue/deribit/book.py", "venue/deribit/client.py",
    "venue/deribit/venue.py", "wiring/lines.py", "notify/webhook.py",
}  # fmt: skip
"""Files at the edges that convert only what was parsed: an argument that is a plain text is still refused."""
CONVERSIONS = 64
"""Conversions in those files; a new one is read by a person, who changes this number."""


def suspects(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the kind and the source of every expression of a file that may parse a text."""
    edge = path.relative_to(SOURCE).parts[0] in EDGES
    return suspects_of(path.read_text(), edge=edge)


def suspects_of(source: str, *, edge: bool) -> Iterator[tuple[str, str]]:
    """Yield them of a source; conversions to numbers only at the edges."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [one.name for one in node.names] + [getattr(node, "module", "")]
            yield from (("dialect", "import csv") for name in names if name == "csv")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _of_method(node, node.func)
        if isinstance(node, ast.Call) and edge:
            yield from _of_number(node)


def _of_number(node: ast.Call) -> Iterator[tuple[str, str]]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    given = bool(node.args) and not isinstance(node.args[0], ast.Constant)
    if (name in OF_NUMBERS and given) or name == "parse_decimal":
        yield "number", ast.unparse(node)
    typed = {"int", "float", "click.FLOAT", "click.INT"}
    for word in node.keywords:
        if word.arg == "type" and ast.unparse(word.value) in typed:
            yield "option", ast.unparse(node)[:60]


def _of_method(node: ast.Call, called: ast.Attribute) -> Iterator[tuple[str, str]]:
    if called.attr in OF_INSTANTS:
        yield "instant", ast.unparse(node)
    first = node.args[0] if node.args else None
    if called.attr == "split" and isinstance(first, ast.Constant) and first.value in {",", ";", "\t"}:  # fmt: skip
        yield "dialect", ast.unparse(node)
    if called.attr in {"FloatRange", "IntRange", "DateTime"}:
        yield "option", ast.unparse(node)


def _files() -> list[Path]:
    return [one for one in sorted(SOURCE.rglob("*.py")) if _name(one) not in PARSERS]


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _is_own_event(path: Path, kind: str) -> bool:
    """Days in events of the desk's own journal, and stamps of the chains' own constants."""
    room = path.relative_to(SOURCE).parts[0]
    return kind == "instant" and room in {"desk", "chain", "paper"}


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_no_text_from_outside_is_parsed_elsewhere(path: Path) -> None:
    allowed = OWN_TEXT.get(_name(path), set())
    found = [
        text
        for kind, text in suspects(path)
        if text not in allowed and not _is_own_event(path, kind)
    ]
    if _name(path) in NUMBERS_ALREADY:
        found = [text for text in found if not text.startswith(tuple(f"{n}(" for n in OF_NUMBERS))]
    numbers = {"float(x)", "float(vols[place])", "float(terms.strike)", "float((at - view.at).total_seconds())", "float(rules.chain.spacing_seconds)", "Decimal(max(value, 0))", "int(exact.to_integral_value(rounding=ROUND_DOWN))", "Decimal(repr(number(row, key)))", "float(hedge.price)", "float(abs(hedge.amount))", "float(one.amount)", "float(request.amount * abs(leg.ratio))", "Decimal(repr(round(price, 2)))"}  # fmt: skip
    assert [text for text in found if text not in numbers] == []


def test_conversions_beside_the_parser_are_counted() -> None:
    found = [
        text
        for path in _files()
        if _name(path) in NUMBERS_ALREADY
        for kind, text in suspects(path)
        if kind == "number"
    ]
    assert len(found) == CONVERSIONS, found


def test_the_check_sees_a_new_parser() -> None:
    body = "import csv\nx = float(row['a'])\ny = date.fromisoformat(t)\nz = line.split(',')\n"
    body += "click.option('--x', type=float)\n"
    kinds = [kind for kind, _ in suspects_of(body, edge=True)]
    assert sorted(kinds) == ["dialect", "dialect", "instant", "number", "option"]
    assert ("number", "float(row['a'])") in suspects_of(body, edge=True)
