"""What checking a signature can find."""

from enum import StrEnum


class SignatureVerdict(StrEnum):
    """A closed set, fit for a metric label. Only `valid` lets a delivery in."""

    VALID = "valid"
    MISSING = "missing"
    MALFORMED = "malformed"
    MISMATCH = "mismatch"
    STALE = "stale"  # for platforms that sign a time; Meta does not
