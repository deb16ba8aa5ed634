"""An endpoint's address and secrets as they lie in its row: sealed by CHANNEL_TOKEN_KEY, and opened where they are used."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row

from lead_signals.database.row_seal import DoesNotOpen, NoKey, RowSeal
from lead_signals.followups.endpoints.endpoint import EndpointKind

NO_SEALING_KEY = (
    "Without a key no endpoint can be kept: set CHANNEL_TOKEN_KEY to what `openssl rand -base64 32` prints, for the API, the worker and"
    " the command line alike."
)


class UnopenedEndpoint(Exception):
    """None of the keys here opens what is stored of an endpoint. The message says what to do."""


class SealedPart(StrEnum):
    """What is sealed. An old secret is the same part as the new one: rotating moves it as it lies."""

    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105 - the name of a part


@dataclass(frozen=True, slots=True)
class OpenedEndpoint:
    """Address and secrets in the clear. `address` of an e-mail endpoint is its recipients, separated by commas."""

    kind: EndpointKind
    address: SecretStr
    secret: SecretStr | None
    old_secret: SecretStr | None
    old_secret_until: datetime | None

    def live_secrets(self, now: datetime) -> tuple[str, ...]:
        """Every secret that signs and verifies at that moment, the newest first."""
        old_lives = self.old_secret_until is not None and now < self.old_secret_until
        live = (self.secret, self.old_secret if old_lives else None)
        return tuple(secret.get_secret_value() for secret in live if secret is not None)


class EndpointSeal:
    """Seals and opens the parts of endpoints. `keys` is CHANNEL_TOKEN_KEY."""

    def __init__(self, keys: SecretStr | None) -> None:
        self._seal = RowSeal(keys)

    @property
    def can_seal(self) -> bool:
        """Whether there is a key at all."""
        return self._seal.can_seal

    def seal(self, value: SecretStr, part: SealedPart, tenant_id: UUID, endpoint_id: UUID) -> bytes:
        """The value as it may be stored in that endpoint's row. Raises NoKey: ask `can_seal` first."""
        return self._seal.seal(value, _place(part, tenant_id, endpoint_id))

    def is_of_the_first_key(self, sealed: bytes, part: SealedPart, tenant_id: UUID, endpoint_id: UUID) -> bool:
        """Whether older keys could be taken away without losing this value. Raises NoKey."""
        return self._seal.is_of_the_first_key(sealed, _place(part, tenant_id, endpoint_id))

    def open(self, row: Row[Any], now: datetime) -> OpenedEndpoint:
        """A live row of `follow_up_endpoints`, opened. An old secret that is over at `now` is not looked at. Raises UnopenedEndpoint."""
        old_lives = row.old_secret_until is not None and now < row.old_secret_until
        return OpenedEndpoint(
            kind=EndpointKind(row.kind),
            address=self._opened(row, row.sealed_address, SealedPart.ADDRESS),
            secret=None if row.sealed_secret is None else self._opened(row, row.sealed_secret, SealedPart.SECRET),
            old_secret=self._opened(row, row.sealed_old_secret, SealedPart.SECRET) if old_lives else None,
            old_secret_until=row.old_secret_until if old_lives else None,
        )

    def _opened(self, row: Row[Any], sealed: bytes, part: SealedPart) -> SecretStr:
        try:
            return self._seal.open(sealed, _place(part, row.tenant_id, row.id))
        except NoKey:
            raise UnopenedEndpoint(
                "What is stored of this endpoint cannot be opened, for CHANNEL_TOKEN_KEY is not set: set it to the key that sealed it,"
                " for the API, the worker and the command line alike."
            ) from None
        except DoesNotOpen:
            raise UnopenedEndpoint(
                "None of the keys in CHANNEL_TOKEN_KEY opens what is stored of this endpoint: put the key back that sealed it, or remove"
                " the endpoint and add it again."
            ) from None


def _place(part: SealedPart, tenant_id: UUID, endpoint_id: UUID) -> str:
    # A word of a closed set before two ids of fixed length: no two places read the same.
    return f"lead-signals endpoint {part.value}|{tenant_id}|{endpoint_id}"
