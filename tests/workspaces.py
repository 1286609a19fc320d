"""The sample mine at several stages of its programme: signed, with a plan, with the plan approved."""

from pathlib import Path

from headframe.counterparty import Step
from headframe.desk import approvals, counterparties, policy, programme
from headframe.desk.office import Office
from headframe.market import sample_market
from headframe.wiring import create_office

DEALERS = ("amber", "basalt", "cobalt", "dolomite", "emery")


def signed(folder: Path, database: str | None = None) -> Office:
    """A new workspace with a signed mandate and five approved dealers."""
    office = create_office(folder, sample_market(), user="board", database=database)
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
