"""A stranger's first morning: `serve` on an empty machine, the runbook line by line, and a machine that misbehaves meanwhile."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.curl import curl
from tests.door import Door
from tests.journeys.served import Served, refused, serving, still_running
from tests.waiting import wait_until

LEAD_FIELDS = {
    *("id", "tenant_id", "platform", "source_type", "source_subtype", "content_id", "external_post_id", "external_thread_id"),
    *("external_message_id", "author_name", "author_id", "content_text", "intent_label", "priority", "confidence_score", "status"),
    *("assignee", "follow_up_at", "last_contact_at", "meta", "created_at", "updated_at"),
}


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A machine that had nothing on it."""
    directory = Path(tempfile.mkdtemp(prefix="ls-"))
    try:
        with serving(directory / "data") as served:
            yield served
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def door(served: Served) -> Iterator[Door]:
    with Door(served.base_url) as door:
        yield door
    served.print_words()


def test_the_welcome_names_console_and_tenant_and_its_curl_works(served: Served, door: Door) -> None:
    assert f"{served.base_url}/?tenant_id={served.tenant_id}" in served.said
    (line,) = [line for line in served.said.splitlines() if line.startswith("curl ")]
    assert f"X-Tenant-ID: {served.tenant_id}" in line
    answer = curl(line)
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "created": 1, "lead_ids": [door.leads(served.tenant_id)[0]["id"]]}


def test_the_demo_tenant_has_leads_of_many_kinds(served: Served, door: Door) -> None:
    leads = door.leads(served.tenant_id)
    assert len(leads) >= 12
    assert len({lead["intent_label"] for lead in leads}) >= 5
    assert {lead["priority"] for lead in leads} == {"high", "medium", "low"}


def test_the_console_opens(served: Served) -> None:
    page = httpx.get(f"{served.base_url}/?tenant_id={served.tenant_id}", trust_env=False, follow_redirects=True)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "Trần Thu Hà" in page.text  # who wrote the first comment of the demo


def test_the_runbook_line_by_line(served: Served) -> None:
    """The curls of the runbook, word for word but for the port: onboard, deliver, list, deliver again."""
    at = f"http://localhost:{served.port}"
    onboarded = curl(
        f"""curl -X POST {at}/onboarding -H "Content-Type: application/json" -d '{{"tenant_name":"Công ty ABC","industry":"Cơ khí","""
        """"brand_tone":"Thân thiện","main_services":["Gia công CNC"],"target_customer":"Nhà máy","cta_style":"Mời để lại số"}'"""
    )
    assert onboarded.status_code == 201
    tenant, brand_profile = onboarded.json()["tenant"], onboarded.json()["brand_profile"]
    assert set(onboarded.json()) == {"tenant", "brand_profile"}
    assert set(tenant) == {"id", "name", "industry", "created_at"}
    assert (tenant["name"], tenant["industry"]) == ("Công ty ABC", "Cơ khí")
    assert set(brand_profile) == {
        *("id", "tenant_id", "brand_tone", "main_services", "target_customer", "cta_style", "created_at"),
    }
    assert (brand_profile["tenant_id"], brand_profile["main_services"]) == (tenant["id"], ["Gia công CNC"])

    with_header = (
        f"""curl -X POST {at}/webhooks/facebook -H "Content-Type: application/json" -H "X-Tenant-ID: {tenant["id"]}" -d """
        """'{"object":"page","entry":[{"message":"Cho tôi báo giá","sender_name":"Test","sender_id":"u1","""
        """"post_id":"p1","comment_id":"c1"}]}'"""
    )
    first = curl(with_header)
    assert first.status_code == 200
    (lead_id,) = first.json()["lead_ids"]
    assert first.json() == {"ok": True, "created": 1, "lead_ids": [lead_id]}
    assert curl(with_header).json() == {"ok": True, "created": 0, "lead_ids": []}

    with_body = curl(
        f"""curl -X POST {at}/webhooks/facebook -H "Content-Type: application/json" -d '{{"tenant_id":"{tenant["id"]}","object":"page","""
        """"entry":[{"message":"Cảm ơn shop","sender_name":"Test","sender_id":"u2","post_id":"p1","comment_id":"c2"}]}'"""
    )
    assert (with_body.status_code, with_body.json()["created"]) == (200, 1)

    listed = curl(f"curl '{at}/api/leads?tenant_id={tenant['id']}'").json()
    assert set(listed) == {"tenant_id", "leads", "total"}
    assert (listed["tenant_id"], listed["total"]) == (tenant["id"], 2)
    assert [lead["external_message_id"] for lead in listed["leads"]] == ["c2", "c1"]  # newest first
    assert all(set(lead) >= LEAD_FIELDS for lead in listed["leads"])
    newest, oldest = listed["leads"]
    assert (oldest["id"], oldest["intent_label"], oldest["priority"], oldest["status"]) == (lead_id, "inquiry_price", "high", "new_auto")
    by_status = curl(f"curl '{at}/api/leads?tenant_id={tenant['id']}&status={newest['status']}&limit=1&offset=0'").json()
    assert by_status["total"] == sum(lead["status"] == newest["status"] for lead in listed["leads"])
    assert len(by_status["leads"]) == 1
    assert curl(f"curl '{at}/api/leads?tenant_id={tenant['id']}&status=won'").json()["leads"] == []


def test_it_says_how_it_is(served: Served, door: Door) -> None:
    assert door.http.get("/health").json() == {"status": "ok"}
    wait_until(lambda: is_ready(served), "the worker beats")
    ready = door.http.get("/ready")
    assert ready.status_code == 200
    assert all(ready.json()[part]["ok"] for part in ("database", "migrations", "worker"))
    metrics = door.http.get("/metrics")
    assert metrics.status_code == 200
    assert 'lead_signals_ready{part="worker"} 1.0' in metrics.text
    assert "# TYPE lead_signals_deliveries_total counter" in metrics.text


def test_a_taken_port_is_one_clear_sentence(served: Served, tmp_path: Path) -> None:
    status, said = refused(tmp_path / "data", port=served.port)
    assert (status, len(said.splitlines())) == (1, 1)
    assert f"Port {served.port}" in said
    assert "--port" in said
    assert not (tmp_path / "data").exists()


def test_a_data_directory_in_use_is_one_clear_sentence(served: Served, door: Door) -> None:
    status, said = refused(served.data_directory)
    last = said.splitlines()[-1]
    assert status == 1
    assert "Traceback" not in said
    assert f"{served.data_directory.resolve()} is in use by process" in last
    assert "--data-dir" in last
    assert door.http.get("/ready").status_code == 200  # and the one who uses it never noticed


@pytest.mark.parametrize("place", ["a_file", "a_file/below", "/proc/lead-signals"])
def test_a_data_directory_that_cannot_be_made_is_one_clear_sentence(place: str, tmp_path: Path) -> None:
    (tmp_path / "a_file").write_text("in the way")
    status, said = refused(tmp_path / place)
    assert status in (1, 2)  # 2 is click's word for an argument that cannot be right: a file as a folder
    assert "Traceback" not in said
    assert place.partition("/")[0] in said.splitlines()[-1]
    assert "data-dir" in said.splitlines()[-1]


@pytest.mark.parametrize("role", ["api", "worker", "postgres"])
def test_a_killed_child_comes_back(role: str, served: Served, door: Door) -> None:
    tenant_id = door.onboard()
    door.send_well(tenant_id, "before")
    killed = served.child(role)
    killed.kill()
    wait_until(lambda: still_running([killed]) == [], f"the {role} is dead")
    wait_until(lambda: [child for child in served.children(role) if child.pid != killed.pid], f"another {role} runs")
    wait_until(lambda: is_ready(served), "everything works again")
    assert len(door.send_well(tenant_id, "after")) == 1
    assert [lead["external_message_id"] for lead in door.leads(tenant_id)] == ["after", "before"]


def is_ready(served: Served) -> bool:
    try:
        answer = httpx.get(f"{served.base_url}/ready", trust_env=False)
    except httpx.HTTPError:
        return False
    return bool(answer.json()["status"] == "ready")
