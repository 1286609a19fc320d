"""The kill switch: a stop in the journal, so that it survives everything and everybody sees it."""

from headframe.desk import users
from headframe.desk.known import Halt
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid


@serialised
def halt(office: Office, reason: str) -> Halt:
    """Stop trading; a stop that stands is left as it is."""
    person = users.allowed(office, users.Action.HALT)
    if not reason.strip() or len(reason) > 500 or not reason.isprintable():
        raise Invalid("say why in a line of at most 500 characters")
    standing = office.state().halted
    if standing is not None:
        office.rederive()  # a checkpoint may say so and the journal not
        standing = office.state().halted
    if standing is not None:
        return standing
    at = office.now()
    office.record(Draft("halted", {"reason": reason}), at=at, evidence=True)  # a stop never waits
    return Halt(person, reason, at)


@serialised
def resume(office: Office) -> str:
    """Lift the stop; nobody lifts his own where the mandate names approvers."""
    person = users.allowed(office, users.Action.RESUME)
    state = office.state()
    if state.halted is None:
        raise Declined("trading is not halted")
    approvers = () if state.mandate is None else state.mandate.people.approvers
    if approvers and person not in approvers:
        raise Declined(
            f"trading is resumed by an approver of the mandate (M-8.2): {', '.join(approvers)}"
        )
    if person == state.halted.by and len(approvers) > 1:
        raise Declined("nobody lifts his own stop: another approver resumes trading (M-8.3)")
    office.record(Draft("resumed", {}), at=office.now())
    return person
