"""HTTP requests as Meta sends them for comments on a Page: signed, naming no tenant, every comment new. Cheap to make, byte for byte."""

import hmac
import json
import time
from collections.abc import Iterator, Sequence
from itertools import count, cycle, product

from bench.sentences import NAMES, OPENINGS, SENTENCES

POSTS = 20  # that are talked about at one time
STRIDE = 17  # through the sentences: wherever a measurement ends, the urgent ones had their share
ESCAPED = (True, True, True, False)  # Meta escapes; a test sender or a relay does not always

_COMMENT_IDS = count(int(time.time()) * 1_000_000)  # of this process: no two requests ever carry one comment
_HERE = "1234567890123456"  # stands for the comment's own part of its id in a template


class CommentRequests:
    """An endless supply for one Page: `of(n)` is one whole request with the next `n` comments in it, which say these sentences in turn."""

    def __init__(self, page_id: str, app_secret: bytes, host: str, sentences: Sequence[str] = SENTENCES) -> None:
        self._secret = app_secret
        self._head = (
            f"POST /webhooks/facebook HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nUser-Agent: facebookexternalua\r\n"
            "Content-Type: application/json\r\nX-Hub-Signature-256: sha256="
        ).encode()
        self._open = f'{{"object":"page","entry":[{{"id":"{page_id}","time":{int(time.time())},"changes":['.encode()
        self._templates = cycle(list(_templates(page_id, sentences)))

    def of(self, comments: int) -> bytes:
        """One delivery of so many comments, head and body."""
        changes = []
        for _ in range(comments):
            before, after = next(self._templates)
            changes.append(b"%b%016d%b" % (before, next(_COMMENT_IDS), after))
        body = b"%b%b]}]}" % (self._open, b",".join(changes))
        signature = hmac.digest(self._secret, body, "sha256").hex().encode()
        return b"%b%b\r\nContent-Length: %d\r\n\r\n%b" % (self._head, signature, len(body), body)


def comments_of_a_round() -> int:
    """So many comments of one Page hold each sentence once, and each post; then they come again with another opening."""
    return len(SENTENCES)


def _templates(page_id: str, sentences: Sequence[str]) -> Iterator[tuple[bytes, bytes]]:
    """Each text as the JSON of a change, cut in two where the comment's id goes."""
    for number, (opening, place) in enumerate(product(OPENINGS, range(len(sentences)))):
        text = opening + sentences[place * STRIDE % len(sentences)]
        change = json.dumps(_change(page_id, number, text), ensure_ascii=ESCAPED[number % len(ESCAPED)], separators=(",", ":"))
        before, after = change.replace("/", "\\/").split(_HERE)  # Meta escapes the slash too
        yield before.encode(), after.encode()


def _change(page_id: str, number: int, text: str) -> dict[str, object]:
    post = 8_810_000 + number % POSTS
    author = number % 97
    return {
        "field": "feed",
        "value": {
            "from": {"id": str(5_550_001_112_000 + author), "name": NAMES[author % len(NAMES)]},
            "post": {
                "id": f"{page_id}_{post}",
                "status_type": "added_photos",
                "is_published": True,
                "updated_time": time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime()),
                "permalink_url": f"https://www.facebook.com/{page_id}/posts/{post}",
                "promotion_status": "inactive",
            },
            "message": text,
            "post_id": f"{page_id}_{post}",
            "parent_id": f"{page_id}_{post}",
            "comment_id": f"{post}_{_HERE}",
            "created_time": int(time.time()),
            "item": "comment",
            "verb": "add",
        },
    }
