"""The measure on real, labelled messages. They are not ours to ship: without them beside the repository, only own sentences measure."""

import json
from pathlib import Path
from typing import Any

import pytest

from lead_signals.intent.classify import classify

MESSAGES = Path(__file__).parents[4] / "shared" / "intent" / "dev.jsonl"


@pytest.fixture(scope="module")
def messages() -> list[dict[str, Any]]:
    if not MESSAGES.is_file():
        pytest.skip(f"no labelled messages at {MESSAGES}; test_classify measures on own sentences")
    return [json.loads(line) for line in MESSAGES.read_text(encoding="utf-8").splitlines()]


def test_most_messages_are_read_as_people_read_them(messages: list[dict[str, Any]]) -> None:
    right = sum(classify(one["text"]).intent_label == one["label"] for one in messages)
    assert right / len(messages) >= 0.75


def test_what_goes_out_by_itself_is_nearly_always_right(messages: list[dict[str, Any]]) -> None:
    automatic = [
        classify(one["text"]).intent_label in {one["label"], *one["acceptable"]}
        for one in messages
        if classify(one["text"]).status == "new_auto"
    ]
    assert sum(automatic) / len(automatic) >= 0.95
    assert len(automatic) / len(messages) >= 0.35


def test_phones_are_found_where_people_saw_one(messages: list[dict[str, Any]]) -> None:
    wrong = [one["id"] for one in messages if bool(classify(one["text"]).phones) != one["has_phone"]]
    assert len(wrong) <= 0.02 * len(messages), wrong
