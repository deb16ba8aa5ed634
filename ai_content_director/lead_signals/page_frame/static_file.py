"""A static file and the address that changes with its content, so that browsers may keep it for ever."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

STATIC_FOLDER: Final = Path(__file__).parent / "static"
STATIC_PREFIX: Final = "/static"
_MEDIA_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file of `static/`, whole: they are few and small."""

    content: bytes
    media_type: str
    content_hash: str
    address: str


@cache
def static_file(name: str) -> StaticFile:
    """The file of that name; `address` is `/static/<stem>.<hash><suffix>`. Raises KeyError for a name that is not in the folder."""
    paths = {path.name: path for path in STATIC_FOLDER.iterdir() if path.suffix in _MEDIA_TYPES}
    path = paths[name]
    content = path.read_bytes()
    content_hash = hashlib.sha256(content).hexdigest()[:12]
    return StaticFile(content, _MEDIA_TYPES[path.suffix], content_hash, f"{STATIC_PREFIX}/{path.stem}.{content_hash}{path.suffix}")
