"""`lead-signals opinions report` and what `doctor` tells of the model: numbers and labels that come out of rows."""

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from lead_signals.cli import cli
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.health.language_model_lines import language_model_advice, language_model_lines
from lead_signals.second_opinion.opinion_health import OpinionHealth, opinion_health
from lead_signals.settings import Settings
from tests.language_model.model_server import opines, refuses
from tests.second_opinion.asking_house import UNCLEAR, AskingHouse, asking_settings

PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://app@db.example/leads",
    "FACEBOOK_APP_SECRET": "x" * 20,
    "FACEBOOK_VERIFY_TOKEN": "x" * 20,
    "OPERATOR_API_KEY": "x" * 20,
}


def run(*arguments: object, address: str, **environment: str) -> Result:
    unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
    return CliRunner(env={**unset, "DATABASE_URL": address, **environment}).invoke(cli, [*map(str, arguments)])


async def a_day_of_opinions(house: AskingHouse) -> None:
    """One applied, one from memory, one that is another's word now, one refused, one waiting."""
    house.server.answer = [opines("complaint", 0.8), opines("thanks", 0.6), refuses(401)]
    await house.say(message_id="m_1")
    await house.give()
    await house.say(message_id="m_2")
    await house.give()
    third = await house.say("Một câu khác", "m_3")
    await house.give()
    await house.move(third.id, intent_label="engagement", status="confirmed")
    await house.say("Câu bị từ chối", "m_4")
    await house.give()
    await house.say("Câu còn chờ", "m_5")


async def test_the_report_says_what_was_asked_and_what_stands(house: AskingHouse, asked_database: DatabaseAddresses) -> None:
    await a_day_of_opinions(house)
    told = await asyncio.to_thread(
        run, "opinions", "report", "--tenant", house.tenant_id, "--since", "1d", "--json", address=asked_database.app
    )
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    (day,) = found.pop("days")
    assert (day["calls"], day["input_tokens"], day["output_tokens"]) == (3, 820, 34)
    assert found == {
        "asked": 5,
        "waiting": 1,
        "answered": 3,
        "from_cache": 1,
        "applied": 3,
        "agreed": 2,
        "given_up": {"key_refused": 1},
        "said": [
            {"model": "complaint", "stands": "complaint", "leads": 2},
            {"model": "thanks", "stands": "engagement", "leads": 1},
        ],
    }
    lines = (await asyncio.to_thread(run, "opinions", "report", "--tenant", house.tenant_id, address=asked_database.app)).stdout
    assert "Questions: 5, answered 3 (from memory 1), waiting 1" in lines.splitlines()
    assert "Given up, key refused: 1" in lines.splitlines()
    assert UNCLEAR not in lines


async def test_the_report_of_shadow_says_what_would_have_changed(house: AskingHouse, asked_database: DatabaseAddresses) -> None:
    house.set(LEAD_CLASSIFY_LLM_SHADOW="true")
    house.server.answer = opines("complaint", 0.9)
    await house.say()
    await house.give()
    told = await asyncio.to_thread(run, "opinions", "report", "--tenant", house.tenant_id, "--json", address=asked_database.app)
    found = json.loads(told.stdout)
    assert (found["answered"], found["applied"], found["agreed"]) == (1, 0, 0)
    assert found["said"] == [{"model": "complaint", "stands": "unknown", "leads": 1}]


async def test_nothing_asked_and_nobody_there_are_told_apart(house: AskingHouse, asked_database: DatabaseAddresses) -> None:
    told = await asyncio.to_thread(run, "opinions", "report", "--tenant", house.tenant_id, address=asked_database.app)
    assert "Questions: 0, answered 0 (from memory 0), waiting 0" in told.stdout.splitlines()
    nobody = "00000000-0000-7000-8000-000000000001"
    told = await asyncio.to_thread(run, "opinions", "report", "--tenant", nobody, address=asked_database.app)
    assert (told.exit_code, told.output) == (1, f"Error: There is no tenant {nobody}.\n")


async def test_doctor_counts_calls_and_says_who_refuses(house: AskingHouse) -> None:
    await a_day_of_opinions(house)
    settings = asking_settings(LEAD_CLASSIFY_LLM_DAILY_CALLS="3")
    seen = await opinion_health(house.engine, most_calls=3)
    assert (seen.tenants_without_calls >= 1, seen.waiting, seen.refused) == (True, 1, {"key_refused": 1})
    assert seen.calls_today >= 3
    assert language_model_lines(settings, OpinionHealth(3, 1, 1, {"key_refused": 1})) == [
        "  · language model: 3 calls today (at most 3 a tenant, used up by 1 tenant), 1 lead to ask about",
        "  ✗ language model: 1 question refused since yesterday (key refused); see OPENAI_API_KEY, OPENAI_MODEL and OPENAI_BASE_URL",
    ]
    await house.let_time_pass(hours=25)
    assert (await opinion_health(house.engine, most_calls=3)).refused == {}


async def test_doctor_prints_them_when_a_model_is_asked(house: AskingHouse, asked_database: DatabaseAddresses) -> None:
    asking = {"LEAD_CLASSIFY_USE_LLM": "true", "OPENAI_API_KEY": "dau-vet", "OPENAI_MODEL": "m"}
    await house.say()
    told = (await asyncio.to_thread(run, "doctor", address=asked_database.app, **asking)).output
    assert ", 1 lead to ask about" in told
    assert "dau-vet" not in told
    assert "language model:" not in (await asyncio.to_thread(run, "doctor", address=asked_database.app)).output
    assert house.server.questions == ()


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        ({"LEAD_CLASSIFY_USE_LLM": "false", "OPENAI_API_KEY": ""}, None),
        ({}, None),
        ({"OPENAI_API_KEY": ""}, "LEAD_CLASSIFY_USE_LLM is true, and OPENAI_API_KEY is empty: no model is called"),
        ({"OPENAI_API_KEY": "", "OPENAI_MODEL": ""}, "and OPENAI_API_KEY and OPENAI_MODEL are empty: no model is called"),
        ({"LEAD_CLASSIFY_LLM_SHADOW": "true"}, "LEAD_CLASSIFY_LLM_SHADOW is true"),
        ({"LEAD_CLASSIFY_LLM_DAILY_CALLS": "0"}, "LEAD_CLASSIFY_LLM_DAILY_CALLS is 0"),
        ({"OPENAI_BASE_URL": "http://llm.example.vn/v1"}, None),
        (PRODUCTION | {"OPENAI_BASE_URL": "http://llm.example.vn/v1"}, "OPENAI_BASE_URL is http"),
        (PRODUCTION | {"OPENAI_BASE_URL": "https://llm.example.vn/v1"}, None),
        (PRODUCTION | {"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"}, None),
        (PRODUCTION | {"OPENAI_BASE_URL": "http://localhost:11434/v1"}, None),
        (PRODUCTION, None),
    ],
)
def test_doctor_names_what_is_missing_or_dangerous(environment: dict[str, str], advice: str | None) -> None:
    told = language_model_advice(asking_settings(**environment))
    assert len(told) == (0 if advice is None else 1)
    assert advice is None or advice in told[0]
