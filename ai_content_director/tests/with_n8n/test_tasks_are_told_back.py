"""What a person makes of a task reaches Lead Signals by itself, as a fact of its own; and so does what could not be told at first."""

import signal

import pytest

from tests.door import Door
from tests.waiting import wait_until
from tests.with_n8n.conftest import Stage

pytestmark = pytest.mark.timeout(600)

TOLD_SECONDS = 200.0  # n8n looks each minute; what failed waits half a minute first


def test_what_a_person_makes_of_a_task_is_told_as_a_second_fact(stage: Stage) -> None:
    (happy, done), (silent, failed), (open_yet, _) = _accepted(stage), _accepted(stage), _accepted(stage)
    stage.editor.write(done, done=True, note="Đã báo giá, khách hẹn thứ Bảy")
    stage.editor.write(failed, failed=True, note="Số điện thoại không liên lạc được")
    wait_until(lambda: len(stage.receipts(happy)) == len(stage.receipts(silent)) == 2, "both are told", TOLD_SECONDS)
    accepted, told = stage.receipts(happy)
    assert accepted == ("accepted", f"lead_signals_tasks/{done}", None)
    assert told == ("done", f"lead_signals_tasks/{done}", "Đã báo giá, khách hẹn thứ Bảy")
    assert stage.receipts(silent)[1] == ("failed", f"lead_signals_tasks/{failed}", "Số điện thoại không liên lạc được")
    assert [status for status, _, _ in stage.receipts(open_yet)] == ["accepted"]  # nobody has said anything about it
    wait_until(lambda: stage.store.tasks(tenant_id=happy)[0]["told_done"], "n8n knows that it told done")


def test_while_lead_signals_does_not_answer_the_task_is_taken_and_told_later(stage: Stage) -> None:
    tenant_id = stage.door.onboard()
    other_api = stage.product.start_api()  # takes the comment in; n8n knows the address of the first one alone
    stage.api.send(signal.SIGSTOP)
    try:
        with Door(other_api.base_url) as door:
            (lead_id,) = door.send_well(tenant_id, "c_1")
        (task,) = wait_until(lambda: stage.store.tasks(lead_id=lead_id), "n8n has the task", 60)
        tried = wait_until(lambda: stage.store.tasks(lead_id=lead_id)[0]["tell_problem"], "telling has failed once", 60)
        assert tried == "accepted: no answer"
        assert stage.receipts(tenant_id) == []
        states = stage.product.rows.column("SELECT state FROM follow_ups WHERE tenant_id = $1", tenant_id)
        assert states == ["delivered"]  # the answer had not waited for it
    finally:
        stage.api.send(signal.SIGCONT)
        other_api.end()
    wait_until(lambda: stage.store.tasks(lead_id=lead_id)[0]["told_accepted"], "it is told after all", TOLD_SECONDS)
    assert stage.receipts(tenant_id) == [("accepted", f"lead_signals_tasks/{task['id']}", None)]
    assert stage.store.tasks(lead_id=lead_id)[0]["tell_problem"] == ""


def _accepted(stage: Stage) -> tuple[str, int]:
    """A tenant with one lead, whose task n8n has and has told; (tenant, task)."""
    tenant_id = stage.door.onboard()
    stage.door.send_well(tenant_id, "c_1")
    wait_until(lambda: stage.receipts(tenant_id), "accepted is told", 60)
    (task,) = stage.store.tasks(tenant_id=tenant_id)
    return tenant_id, task["id"]
