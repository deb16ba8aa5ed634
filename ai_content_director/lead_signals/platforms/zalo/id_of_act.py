"""An id for what somebody did and Zalo gives none of its own."""

from hashlib import sha256

from lead_signals.json_body import JsonObject
from lead_signals.platforms.external_id import decorative_id


def id_of_act(act: str, event: JsonObject, oa_id: str | None, person_id: str | None, words: str = "") -> str | None:
    """The act, and a digest of who did it to which OA, when, and in which words. The time is the same in every redelivery.

    None without a time: the same person may do the same again.
    """
    done_at = decorative_id(event.get("timestamp"))
    if done_at is None:
        return None
    parts = "\x00".join((oa_id or "", person_id or "", done_at, words))
    return f"{act}:{sha256(parts.encode('utf-8', 'surrogatepass')).hexdigest()}"
