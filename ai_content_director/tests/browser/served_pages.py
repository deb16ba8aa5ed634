"""Pages already rendered, served on loopback with the product's own headers and static files, for a browser to look at."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from lead_signals.http_headers import SafeHeaders, safe_headers
from lead_signals.page_frame.static_routes import static_routes

DEADLINE_SECONDS = 30.0


@contextmanager
def served_pages(pages: Mapping[str, str], totals: Mapping[str, int] | None = None) -> Iterator[str]:
    """Serve `pages` (path → HTML; changing the mapping changes what is served) and give the base address.

    `totals` answers `/api/leads`: the key is not looked at, the only value is the total to tell.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(static_routes())

    @app.get("/api/leads")
    async def leads() -> Response:
        return JSONResponse({"total": next(iter((totals or {"": 0}).values()))})

    @app.get("/{path:path}")
    async def page(request: Request) -> Response:
        html = pages.get(request.url.path)
        return HTMLResponse("absent", status_code=404) if html is None else HTMLResponse(html)

    app.add_middleware(SafeHeaders, headers=safe_headers(production=False))
    ready = threading.Event()

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
            await super().startup(sockets)  # type: ignore[arg-type]
            ready.set()

    server = Announced(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        if not ready.wait(DEADLINE_SECONDS):
            raise TimeoutError(f"the page server did not start within {DEADLINE_SECONDS:.0f} s")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(DEADLINE_SECONDS)
