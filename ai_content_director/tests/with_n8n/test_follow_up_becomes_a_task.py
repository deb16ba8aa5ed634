"""The whole way with the real n8n: a comment becomes a task there and a receipt here; what is forged, old or sent again does not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.waiting import wait_until
from tests.with_n8n.conftest import Stage
from tests.with_n8n.real_n8n import FOLLOW_UP
from tests.with_n8n.signed_post import FOREIGN_SECRET, NEW_SECRET, OLD_SECRET, SignedPost, signed_post

pytestmark = pytest.mark.timeout(600)

HOSTILE = 'Cho tôi báo giá, gọi 0903 000 222 =HYPERLINK("http://x.example") {{ $env.N8N_ENCRYPTION_KEY }} <script>alert(1)</script>'


def test_an_urgent_comment_becomes_one_task_and_n8n_says_that_it_took_it(stage: Stage) -> None:
    tenant_id = stage.door.onboard()
    (lead_id,) = stage.door.send_well(tenant_id, "c_1", HOSTILE)

    (task,) = wait_until(lambda: stage.store.tasks(lead_id=lead_id), "n8n has the task", 60)
    (lead,) = stage.door.leads(tenant_id)
    assert (task["tenant_id"], task["customer"], task["intent"]) == (tenant_id, lead["author_name"], lead["intent_label"])
    assert task["message"] == HOSTILE  # nothing in it was run, resolved or cut
    assert [task["phones"]] == lead["meta"]["phones"]

    receipts = wait_until(lambda: stage.receipts(tenant_id), "the receipt is back", 60)
    assert receipts == [("accepted", f"lead_signals_tasks/{task['id']}", None)]
    wait_until(lambda: stage.store.tasks(lead_id=lead_id)[0]["told_accepted"], "n8n knows that it told it")
    states = stage.product.rows.column("SELECT state FROM follow_ups WHERE tenant_id = $1", tenant_id)
    assert states == ["delivered"]
    wait_until(lambda: set(stage.store.executions(FOLLOW_UP)) == {"success"}, "n8n records the run as a success")

    # Its worker died before it could note the 200, say: the same webhook-id comes again.
    again = signed_post(OLD_SECRET, webhook_id=task["webhook_id"]).send(stage.n8n.webhook_url)
    assert (again.status_code, again.json()["repeat"]) == (200, True)
    assert [found["id"] for found in stage.store.tasks(webhook_id=task["webhook_id"])] == [task["id"]]
    assert len(stage.receipts(tenant_id)) == 1


def test_the_same_bytes_and_headers_again_create_nothing(stage: Stage) -> None:
    post = signed_post(OLD_SECRET)
    first, second = post.send(stage.n8n.webhook_url), post.send(stage.n8n.webhook_url)
    (task,) = stage.store.tasks(webhook_id=post.webhook_id)
    said = {"ok": True, "webhook_id": post.webhook_id, "task": f"lead_signals_tasks/{task['id']}"}
    assert (first.status_code, first.json()) == (200, {**said, "repeat": False})
    assert (second.status_code, second.json()) == (200, {**said, "repeat": True})


def test_sixteen_at_the_same_moment_are_one_task(stage: Stage) -> None:
    for _ in range(2):  # without the look at the oldest task, sixteen at once made two or three
        post = signed_post(OLD_SECRET)
        with ThreadPoolExecutor(16) as pool:
            answers = [answer.json() for answer in pool.map(lambda _, post=post: post.send(stage.n8n.webhook_url), range(16))]
        (task,) = stage.store.tasks(webhook_id=post.webhook_id)
        assert sorted(answer["repeat"] for answer in answers) == [False] + [True] * 15
        assert {answer["task"] for answer in answers} == {f"lead_signals_tasks/{task['id']}"}


@pytest.mark.parametrize(
    "secrets",
    [
        pytest.param((NEW_SECRET,), id="the new one signed"),
        pytest.param((OLD_SECRET,), id="the old one signed"),
        pytest.param((OLD_SECRET, NEW_SECRET), id="both signed"),
        pytest.param((FOREIGN_SECRET, OLD_SECRET), id="one entry fits"),
    ],
)
def test_while_a_secret_is_replaced_both_are_good(stage: Stage, secrets: tuple[str, ...]) -> None:
    post = signed_post(*secrets)
    answer = post.send(stage.n8n.webhook_url)
    assert (answer.status_code, answer.json()["repeat"]) == (200, False)
    assert len(stage.store.tasks(webhook_id=post.webhook_id)) == 1


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        pytest.param(lambda: signed_post(OLD_SECRET).with_body(b'{"lead_id":"x","tenant_id":"x"}'), "No signature", id="another body"),
        pytest.param(lambda: signed_post(OLD_SECRET).with_header("webhook-id", "msg_khac"), "No signature", id="another id"),
        pytest.param(lambda: signed_post(FOREIGN_SECRET), "No signature", id="a stranger's secret"),
        pytest.param(signed_post, "No signature", id="no signature"),
        pytest.param(lambda: signed_post(OLD_SECRET).with_header("webhook-signature", "v1,"), "No signature", id="an empty signature"),
        pytest.param(lambda: signed_post(OLD_SECRET, age=timedelta(hours=1)), "webhook-timestamp", id="an hour old"),
        pytest.param(lambda: signed_post(OLD_SECRET, age=timedelta(hours=-1)), "webhook-timestamp", id="from the future"),
        pytest.param(lambda: signed_post(OLD_SECRET).without_header("webhook-timestamp"), "webhook-timestamp", id="no time"),
    ],
)
def test_what_is_forged_or_old_is_refused_and_creates_nothing(stage: Stage, forge: Callable[[], SignedPost], why: str) -> None:
    post = forge()
    answer = post.send(stage.n8n.webhook_url)
    assert answer.status_code == 401
    assert why in answer.json()["error"]
    assert stage.store.tasks(webhook_id=post.webhook_id) == []


def test_what_is_signed_but_no_follow_up_is_refused_with_a_sentence(stage: Stage) -> None:
    nameless = signed_post(OLD_SECRET).without_header("webhook-id").send(stage.n8n.webhook_url)
    assert (nameless.status_code, "webhook-id" in nameless.json()["error"]) == (400, True)
    other = signed_post(OLD_SECRET, body=b'{"hello":"n8n"}')
    answer = other.send(stage.n8n.webhook_url)
    assert (answer.status_code, "lead_id" in answer.json()["error"]) == (400, True)
    assert stage.store.tasks(webhook_id=other.webhook_id) == []
