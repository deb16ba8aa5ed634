"""What tests of destinations share: an authority for TLS, and outbound clients whose attempts are short."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lead_signals.followups.destinations.outbound import Outbound, open_outbound
from lead_signals.settings import read_settings
from tests.followups.destinations.certificates import Authority, make_authority

OpenOutbound = Callable[..., AbstractAsyncContextManager[Outbound]]
AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def outbound(authority: Authority) -> OpenOutbound:
    """`outbound(WEBHOOK_ALLOWED_HOSTS=…, getaddrinfo=…)`: everything else as in production, but for the authority that is believed."""

    def make(
        *, getaddrinfo: Any = None, ca_file: Path | None = authority.ca_file, timeout_seconds: float = 10.0, **environment: str
    ) -> Any:
        injected = {} if getaddrinfo is None else {"getaddrinfo": getaddrinfo}
        opened = partial(open_outbound, ca_file=None if ca_file is None else str(ca_file), timeout_seconds=timeout_seconds, **injected)
        return opened(read_settings(environment))

    return make
