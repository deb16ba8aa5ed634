"""The stored number and the lane never disagree."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.intent.lane import lane_status


@pytest.mark.parametrize(
    ("confidence", "lane"),
    [(1.0, "new_auto"), (0.85, "new_auto"), (0.8496, "new_auto"), (0.8494, "new_draft"), (0.7, "new_draft"), (0.6996, "new_draft"),
     (0.6994, "new_escalate"), (0.0, "new_escalate")],
)  # fmt: skip
def test_the_borders(confidence: float, lane: str) -> None:
    assert lane_status(confidence) == lane


@given(st.floats(min_value=0, max_value=1))
def test_a_lane_can_be_read_from_what_is_stored(confidence: float) -> None:
    stored = Decimal(str(round(confidence, 3)))
    expected = "new_auto" if stored >= Decimal("0.85") else "new_draft" if stored >= Decimal("0.7") else "new_escalate"
    assert lane_status(confidence) == lane_status(float(stored)) == expected


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_confidence_outside_its_range_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        lane_status(wrong)
