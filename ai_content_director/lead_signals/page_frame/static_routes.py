"""`GET /static/…`: style sheet, script and drawing of the console. Open to everybody: they say nothing about anybody."""

import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from lead_signals.page_frame.static_file import STATIC_PREFIX, static_file

FOR_EVER: Final = "public, max-age=31536000, immutable"
_HASHED_NAME: Final = re.compile(r"([a-z_]+)\.([0-9a-f]{12})(\.[a-z]+)")


def static_routes() -> APIRouter:
    """`GET /static/<stem>.<hash><suffix>`.

    A hash of another version gets the present content and may not be kept: while replicas are exchanged, a page of the old one
    may ask the new one for its style.
    """
    router = APIRouter(include_in_schema=False)

    @router.get(STATIC_PREFIX + "/{hashed_name}")
    async def static(hashed_name: str) -> Response:
        named = _HASHED_NAME.fullmatch(hashed_name)
        if named is None:
            return _absent()
        try:
            file = static_file(named[1] + named[3])
        except KeyError:
            return _absent()
        keep = FOR_EVER if named[2] == file.content_hash else "no-cache"
        return Response(file.content, media_type=file.media_type, headers={"Cache-Control": keep})

    return router


def _absent() -> Response:
    return PlainTextResponse("There is no such file.\n", status_code=404)
