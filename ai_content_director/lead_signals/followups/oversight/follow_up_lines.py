"""Follow-ups in lines for a person at a terminal. What tenants and receivers wrote steers nothing there."""

from collections.abc import Iterator, Sequence

from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.endpoints.free_name import OPERATORS_ENDPOINT_NAME
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.followups.oversight.follow_up_detail import FollowUpDetail
from lead_signals.followups.oversight.follow_up_list import ListedFollowUp
from lead_signals.followups.oversight.redrive_many import RedrivenSome
from lead_signals.printable import printable, printable_table

COLUMNS = ("promised (UTC)", "state", "tries", "last", "receipts", "endpoint", "tenant", "follow-up")
_WHO = f"{OPERATORS_ENDPOINT_NAME} (operator's)"
ANSWER_SHOWN = 300  # characters of what a receiver answered


def list_lines(found: Sequence[ListedFollowUp]) -> list[str]:
    """A plain table, one line each; nothing when there is nothing."""
    return printable_table([COLUMNS, *(_cells(one) for one in found)]) if found else []


def redrivable_lines(fitting: Sequence[RedrivenSome]) -> list[str]:
    """How many of whom, as a plain table; nothing when there is nothing."""
    heads = ("tenant", "endpoint", "how many")
    rows = [(str(some.tenant_id), _endpoint(some), f"{some.count:,}") for some in fitting]
    return printable_table([heads, *rows]) if fitting else []


def detail_lines(detail: FollowUpDetail) -> Iterator[str]:
    """One follow-up with its attempts and receipts; without the message, which the console shows."""
    one, ended = detail.follow_up, detail.follow_up.finished_at
    called_off = one.cancel_asked and one.state == FollowUpState.DELIVERING.value  # later the state itself says how it ended
    yield f"{one.webhook_id}  {one.state}{' (called off, unless the running attempt delivers)' if called_off else ''}"
    yield f"  tenant    {one.tenant_id}"
    yield f"  lead      {one.lead_id}"
    whose = "the operator's" if one.endpoint.id == OPERATORS_ENDPOINT else "the tenant's"  # before the name, which may say anything
    yield f"  endpoint  {whose}: {printable(one.endpoint.name)} ({one.endpoint.kind})  {one.endpoint.id}"
    yield f"  promised  {one.created_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"  due       {one.due_at:%Y-%m-%d %H:%M:%S} UTC" if ended is None else f"  ended     {ended:%Y-%m-%d %H:%M:%S} UTC"
    yield "Attempts:" if detail.attempts else "No attempt yet."
    for attempt in detail.attempts:
        if attempt.outcome is None or attempt.started_at is None:
            yield f"  {attempt.attempt:>3}  began, and its worker never came back"
            continue
        how = attempt.error or attempt.outcome
        yield f"  {attempt.attempt:>3}  {attempt.started_at:%Y-%m-%d %H:%M:%S}  {attempt.duration_ms:>6} ms  {printable(how)}"
        if attempt.answer:
            yield f"       {printable(attempt.answer[:ANSWER_SHOWN])}"
    yield "Receipts:" if detail.receipts else "No receipt yet."
    for receipt in detail.receipts:
        words = "  ".join(printable(said) for said in (receipt.reference, receipt.note) if said)
        yield f"  {receipt.received_at:%Y-%m-%d %H:%M:%S}  {receipt.status:<8}  {words}".rstrip()


def _cells(one: ListedFollowUp) -> tuple[str, ...]:
    last = one.last_attempt
    said = {"accepted": one.receipts.accepted_at, "done": one.receipts.done_at, "failed": one.receipts.failed_at}
    return (
        f"{one.created_at:%Y-%m-%d %H:%M:%S}",
        one.state,
        str(one.attempts),
        "-" if last is None else last.error or str(last.http_status or last.outcome),
        ", ".join(word for word, at in said.items() if at is not None) or "-",
        _WHO if one.endpoint.id == OPERATORS_ENDPOINT else one.endpoint.name,
        str(one.tenant_id),
        str(one.id),
    )


def _endpoint(some: RedrivenSome) -> str:
    return _WHO if some.endpoint_id == OPERATORS_ENDPOINT else str(some.endpoint_id)
