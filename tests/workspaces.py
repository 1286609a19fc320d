"""The sample mine at several stages of its programme: signed, with a plan, with the plan approved."""

from pathlib import Path

from headframe.counterparty import Step
from headframe.desk import approvals, counterparties, policy, production, programme
from headframe.desk.office import Office
from headframe.market import sample_market
from headframe.wiring import create_office

DEALERS = ("amber", "basalt", "cobalt", "dolomite", "emery")


def signed(folder: Path, database: str | None = None) -> Office:
    """A new workspace with a signed mandate and five approved dealers."""
    return _in_force(create_office(folder, sample_market(), user="board", database=database))


def _in_force(office: Office) -> Office:
    """The mandate of its file signed, the dealers of its file approved."""
    policy.sign(office)
    for name in DEALERS:
        office.user = "treasurer"
        counterparties.add(office, name)
        office.user = "risk"
        counterparties.review(office, name, Step.APPROVE)
    return office


def planned(office: Office) -> Office:
    """The same with proposals that nobody has approved."""
    office.user = "treasurer"
    programme.plan(office)
    return office


def approved(office: Office) -> Office:
    """The same with every proposal approved."""
    office.user = "cfo"
    for name in office.state().proposals:
        approvals.give(office, name)
    return office


def scheduled(folder: Path) -> Office:
    """A mine that may deal contracts on a schedule by voice, with dealers whose agreements cover them."""
    kinds = '"hashprice_forward", "average_put", "average_collar"'
    office = create_office(folder, sample_market(), user="board")
    mandate, dealers = folder / "mandate.toml", folder / "counterparties.toml"
    text = mandate.read_text()
    start = text.index("[[where]]")
    block = text[start : text.index("[cover]")]
    text = text.replace(block, block + block.replace('"paper"', '"voice"'))
    text = text.replace('"costless_collar"]   #', f'"costless_collar", {kinds}]   #')
    mandate.write_text(text)
    named = '"protective_put", "costless_collar"]   # what'
    first = dealers.read_text().replace(named, named.replace("]", f", {kinds}]"))
    plain = 'products = ["forward", "short_future", "protective_put", "costless_collar"]'
    dealers.write_text(first.replace(plain, plain.replace("]", f", {kinds}]")))
    _in_force(office)
    office.user = "treasurer"
    production.make(office)
    return office
