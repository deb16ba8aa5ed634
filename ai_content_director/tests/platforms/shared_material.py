"""Where public samples lie when they lie beside the repository: `../shared`. They are read, never copied."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared"


def shared_path(relative: str) -> Path:
    """The path below `../shared`; the calling test is skipped, saying so, when it is not there."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"../shared/{relative} is not beside the repository; our own fixtures prove the same behaviour")
    return path
