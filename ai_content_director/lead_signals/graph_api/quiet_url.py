"""An address whose query is sent and never shown: HTTP libraries log the address of every request they make."""

import httpx


class QuietUrl(httpx.URL):
    """Behaves as its parent on the wire; as text it ends where the query begins."""

    def __str__(self) -> str:
        return str(httpx.URL(self.copy_with(query=None)))

    def __repr__(self) -> str:
        return f"QuietUrl({str(self)!r})"
