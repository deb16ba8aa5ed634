"""What a failed request gets: one clear sentence, as JSON for programs and as a page for a person at a browser."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from lead_signals.database.availability import database_is_away, why_away
from lead_signals.log_context import get_logger
from lead_signals.page_frame.language import LANGUAGE_COOKIE, Language, remembered_language
from lead_signals.page_frame.render_page import Frame, page_templates, render_page
from lead_signals.request_body import RefusedRequest

log = get_logger(__name__)

DATABASE_RETRY_SECONDS = 5
ASK_FOR_KEY = {"WWW-Authenticate": 'Basic realm="Lead Signals", charset="UTF-8"'}

# (heading, sentence) of the page, by status; what is not listed is answered as JSON, whose sentence says more.
_PAGE_WORDS: Mapping[Language, Mapping[int, tuple[str, str]]] = {
    Language.VI: {
        401: ("Cần khóa truy cập", "Mở lại trang này và nhập khóa của người vận hành (OPERATOR_API_KEY) vào ô mật khẩu."),
        404: ("Không có trang này", "Địa chỉ không đúng hoặc trang đã được chuyển đi."),
        405: ("Không dùng được cách gọi này", "Địa chỉ này có thật, nhưng không nhận kiểu yêu cầu vừa gửi."),
        500: ("Có lỗi ở phía hệ thống", "Lỗi đã được ghi vào nhật ký. Hãy thử lại, hoặc báo cho người vận hành."),
        503: ("Cơ sở dữ liệu chưa trả lời", "Dữ liệu vẫn còn nguyên. Hãy tải lại trang sau vài giây."),
    },
    Language.EN: {
        401: ("A key is needed", "Open this page again and enter the operator's key (OPERATOR_API_KEY) as the password."),
        404: ("There is no such page", "The address is wrong, or the page has moved."),
        405: ("That does not work here", "This address exists, but does not take that kind of request."),
        500: ("Something went wrong on our side", "It is in the log. Try again, or tell the operator."),
        503: ("The database does not answer", "Nothing is lost. Load the page again in a few seconds."),
    },
}
_TO_START = {Language.VI: "Về trang đầu", Language.EN: "To the first page"}


def answer_errors(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Register an answer for every way a request can fail. `headers` go on the one answer that no middleware sees."""
    app.add_exception_handler(RefusedRequest, _refused)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_exception_handler(HTTPException, _no_route)
    for error in (SQLAlchemyError, OSError, TimeoutError):
        app.add_exception_handler(error, _database_away)
    app.add_exception_handler(Exception, partial(_unexpected, headers=headers))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedRequest)  # noqa: S101 - registered for this class only
    if error.reason == "no_key":
        return _say(request, error.status, error.sentence, ASK_FOR_KEY)
    return _json(error.status, error.sentence, {})


async def _bad_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # What was sent is not repeated: it may be hostile, and a NaN cannot even be written as JSON.
    problems = [{"parameter": _name(problem["loc"]), "problem": _without_value(problem)} for problem in error.errors()]
    sentence = " ".join(f"{problem['parameter']}: {problem['problem']}." for problem in problems)
    return _say(request, 422, sentence, {}, {"problems": problems})


def _name(place: Sequence[int | str]) -> str:
    """Of ("query", "state", 0) the parameter that may be repeated, and not which of its values it is."""
    return next((part for part in reversed(place) if isinstance(part, str)), "")


def _without_value(problem: dict[str, Any]) -> str:
    # Of all messages this one quotes a character of what was sent.
    return "Input should be a valid UUID" if problem["type"] == "uuid_parsing" else str(problem["msg"])


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    sentence = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    return _say(request, error.status_code, sentence.get(error.status_code, str(error.detail)), error.headers or {})


async def _database_away(request: Request, error: Exception) -> Response:
    if not database_is_away(error):
        return await _unexpected(request, error, headers={})
    log.warning("database_away", path=request.scope["path"], error=why_away(error))
    sentence = "The database cannot be reached right now; nothing was stored. Try again."
    return _say(request, 503, sentence, {"Retry-After": str(DATABASE_RETRY_SECONDS)})


async def _unexpected(request: Request, error: Exception, *, headers: Mapping[str, str]) -> Response:
    log.error("unexpected_error", path=request.scope["path"], error=error.__class__.__name__, exc_info=error)
    return _say(request, 500, "Something went wrong on our side; it is in the log.", headers)


def _say(request: Request, status: int, sentence: str, headers: Mapping[str, str], more: Mapping[str, Any] | None = None) -> Response:
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "") and status in _PAGE_WORDS[Language.EN]:
        return HTMLResponse(_page(request, status), status_code=status, headers=dict(headers))
    return _json(status, sentence, headers, more)


def _json(status: int, sentence: str, headers: Mapping[str, str], more: Mapping[str, Any] | None = None) -> Response:
    body = {"ok": False, "error": sentence, **(more or {})}
    return Response(orjson.dumps(body), status_code=status, media_type="application/json", headers=dict(headers))


def _page(request: Request, status: int) -> str:
    language = remembered_language(request.cookies.get(LANGUAGE_COOKIE))
    heading, sentence = _PAGE_WORDS[language][status]
    frame = Frame(title=heading, language=language, language_addresses={each: f"/?lang={each.value}" for each in Language})
    return render_page(
        _templates(),
        "page_frame/notice_page.html",
        frame,
        heading=heading,
        sentence=sentence,
        next_words=_TO_START[language],
        next_address="/",
    )


@cache
def _templates() -> Environment:
    return page_templates(Path(__file__).parent / "page_frame" / "templates")
