"""What tests of the door share: a scene in which groups gather by design."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database import lock_patience
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import group_commit
from lead_signals.intent import classify
from tests.intake.gathering import Scene


@pytest.fixture(scope="module")
def rules_alone() -> Iterator[None]:
    """Only rules judge: what the statistics make of an invented cake changes with each training, and is told elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "packaged_model", lambda: None)
        yield


@pytest.fixture
def patient_with_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that a test holds may be held for as long as the test needs."""
    monkeypatch.setattr(lock_patience, "LOCK_PATIENCE", "60s")
    monkeypatch.setattr(group_commit, "MOST_SECONDS", 60.0)


@pytest.fixture
async def scene(engine: AsyncEngine, database: DatabaseAddresses, patient_with_locks: None) -> AsyncIterator[Scene]:
    """At the end of the test nobody waits, nobody works, and no task of ours is left."""
    before = asyncio.all_tasks()
    scene = await Scene.on(engine, database.owner)
    yield scene
    assert len(scene.line) == 0
    await asyncio.gather(*scene.commits._at_work)
    assert not scene.commits._at_work
    assert {task for task in asyncio.all_tasks() - before if "lead_signals" in repr(task)} == set()
