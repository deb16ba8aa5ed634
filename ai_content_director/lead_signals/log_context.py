"""Logs: one JSON object per line, safe to read in a terminal, without message text and without secrets.

Callers log ids, counts and reasons; never what a person wrote.
"""

import json
import logging
import sys
import traceback
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

_encode = json.JSONEncoder(ensure_ascii=True, default=repr).encode


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send our own lines and those of the libraries to `stream` (stderr) as JSON, ASCII only.

    ASCII keeps control characters and line separators of hostile input (U+2028, ESC) escaped, so one event stays one line.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    as_json = structlog.processors.JSONRenderer(serializer=lambda event, **_: _encode(event))
    # Our own lines go straight out: by way of `logging` each cost a fifteenth of a delivery.
    structlog.configure(
        processors=[_named, *shared, structlog.processors.format_exc_info, as_json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            as_json,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Parameters of a failed statement hold what a person wrote: the class of the error is enough in a log.
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


def _named(_: object, __: str, event: EventDict) -> EventDict:
    event["logger"] = event.pop("module", "")
    return event


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger that writes `event` plus key-value pairs."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)  # `logger` is a word of structlog's own
    return logger


def place_of(error: BaseException) -> str:
    """Where a defect lies, for a log line: file and line of the innermost frame. Its message may quote a person, and stays out."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{Path(frames[0].filename).name}:{frames[0].lineno}" if frames else "nowhere"
