"""Which lane a fresh lead takes, read from its confidence."""

from typing import Literal

LaneStatus = Literal["new_auto", "new_draft", "new_escalate"]

AUTO_FLOOR = 0.85
DRAFT_FLOOR = 0.70
# The confidence is stored with three decimals. Everything that compares it rounds the same way first, or 0.8496 would be
# shown as 0.850 in the draft lane.
STORED_DECIMALS = 3


def lane_status(confidence_score: float) -> LaneStatus:
    """The status a new lead starts in, for a confidence between 0 and 1.

    Compared on the three decimals that are stored, so the number a reviewer sees always explains the lane.
    Raises ValueError for anything outside 0..1, NaN included.
    """
    if not 0.0 <= confidence_score <= 1.0:
        raise ValueError(f"confidence_score must lie between 0 and 1, got {confidence_score!r}")
    stored = round(confidence_score, STORED_DECIMALS)
    if stored >= AUTO_FLOOR:
        return "new_auto"
    if stored >= DRAFT_FLOOR:
        return "new_draft"
    return "new_escalate"
