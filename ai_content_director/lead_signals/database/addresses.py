"""Which database: the operator's server when DATABASE_URL names one."""

from dataclasses import dataclass

from lead_signals.settings import Settings


@dataclass(frozen=True, slots=True)
class DatabaseAddresses:
    """Two logins to one database: `owner` migrates, `app` works. On an operator's server they may be one login."""

    owner: str
    app: str


def configured_addresses(settings: Settings) -> DatabaseAddresses | None:
    """The operator's server, or None when the embedded one is wanted."""
    if settings.database_url is None:
        return None
    app = settings.database_url.get_secret_value()
    owner = app if settings.database_owner_url is None else settings.database_owner_url.get_secret_value()
    return DatabaseAddresses(owner=owner, app=app)
