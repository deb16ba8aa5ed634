"""What a reader raises when an item has a shape that we cannot trust. It stops that item, never its neighbours."""

from enum import StrEnum


class StrangeReason(StrEnum):
    """Why an item of any platform is quarantined; each adapter adds its own closed set."""

    ID_NOT_TEXT_OR_INTEGER = "id_not_text_or_integer"
    ID_TOO_LONG = "id_too_long"
    ID_HAS_NUL = "id_has_nul"
    READER_FAILED = "reader_failed"


class StrangeItem(Exception):
    """This item goes to quarantine. `reason` is a label of a closed set, `where` the path in the body, like `entry[0].id`."""

    def __init__(self, reason: StrEnum, where: str) -> None:
        super().__init__(f"{reason} at {where}")
        self.reason = reason
        self.where = where
