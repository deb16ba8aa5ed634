"""Every environment variable, typed, in one place.

Read once, at an entrance (`http_app`, `worker`, `cli`), and handed down. A variable `NAME` may also come from the file
named by `NAME_FILE` (how container platforms hand over secrets). Nothing here has a default that is a secret.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from lead_signals.allowed_hosts import read_allowed_hosts
from lead_signals.signing_secret import FEWEST_BYTES, MOST_BYTES, is_signing_secret

TIMEOUT_FLOOR_SECONDS = 3.0
TIMEOUT_CEILING_SECONDS = 10.0
SEALING_KEY_BYTES = 32
SHORTEST_KEY = 16  # characters; a key that opens every tenant must not be guessable


class ConfigurationError(Exception):
    """The environment does not allow a start; the message says what to set, one line each."""


def _blank_is_unset(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _clamp_timeout(value: float) -> float:
    return min(max(value, TIMEOUT_FLOOR_SECONDS), TIMEOUT_CEILING_SECONDS)


def _signs(value: SecretStr | None) -> SecretStr | None:
    """Signing secrets as the receiver's library will read them, or the worker would stumble over them at every delivery."""
    listed = () if value is None else value.get_secret_value().split(",")
    if not all(is_signing_secret(secret.strip()) for secret in listed):
        raise PydanticCustomError(
            "signing_secret",
            "expected whsec_ and base64 of {fewest} to {most} bytes, as `openssl rand -base64 32` prints it",
            {"fewest": FEWEST_BYTES, "most": MOST_BYTES},
        )
    return value


def _seals(value: SecretStr | None) -> SecretStr | None:
    """Keys as `cryptography` reads them: 32 bytes each, in URL-safe base64."""
    for key in () if value is None else value.get_secret_value().split(","):
        try:
            good = len(base64.b64decode(key.strip(), altchars=b"-_", validate=True)) == SEALING_KEY_BYTES
        except (binascii.Error, ValueError):
            good = False
        if not good:
            raise PydanticCustomError("sealing_key", "expected 32 bytes in base64, as `openssl rand -base64 32` prints them")
    return value


def _opens(value: str | None) -> str | None:
    """Hosts as the guard reads them: an entry that means nothing would leave shut what the operator believes open."""
    try:
        read_allowed_hosts(_listed(value))
    except ValueError as error:
        raise PydanticCustomError("allowed_hosts", "{said}", {"said": str(error)}) from None
    return value


def _reachable(value: Any) -> Any:
    """An http(s) address with a host; anything else would fail at every call, or run in a browser."""
    address = value.get_secret_value() if isinstance(value, SecretStr) else value
    try:
        parts = None if address is None else urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise PydanticCustomError("address", "expected an address like https://n8n.example.vn/webhook/lead")
    return value


def _mails(value: SecretStr | None) -> SecretStr | None:
    """A mail server's address. `smtp` speaks TLS where the server offers it, `smtp+starttls` or not at all, `smtps` from the first byte."""
    try:
        parts = None if value is None else urlsplit(value.get_secret_value())
        good = parts is None or (parts.scheme in ("smtp", "smtps", "smtp+starttls") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise PydanticCustomError("mail_server", "expected an address like smtps://user:password@mail.example.vn:465")
    return value


def _holds_a_secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not any(part.strip() for part in value.get_secret_value().split(",")):
        raise PydanticCustomError("no_secret", "expected one secret, or several separated by commas")
    return value


Secret = Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_unset)]
Address = Annotated[OptionalText, AfterValidator(_reachable)]
SecretAddress = Annotated[Secret, AfterValidator(_reachable)]
AppSecret = Annotated[Secret, AfterValidator(_holds_a_secret)]


class Settings(BaseSettings):
    """What the operator decided. Field names are the environment variables in lower case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: Secret = Field(None, description="postgresql:// server; unset starts the embedded one")
    database_owner_url: Secret = Field(None, description="login that may migrate; unset migrates with DATABASE_URL")
    app_env: Literal["local", "production"] = Field("local", description="production refuses to start while a needed secret is missing")
    webhook_url: SecretAddress = Field(None, description="n8n webhook for follow-ups; empty makes no call")
    n8n_webhook_timeout_seconds: float = Field(
        5.0, allow_inf_nan=False, description="total time of one follow-up attempt, clamped to 3-10 s"
    )
    webhook_signing_secret: Annotated[Secret, AfterValidator(_signs)] = Field(
        None, description="signs follow-ups (Standard Webhooks, whsec_...); several separated by commas while rotating, all sign"
    )
    webhook_allowed_hosts: Annotated[OptionalText, AfterValidator(_opens)] = Field(
        None, description="private hosts that endpoints may have: names, addresses or networks, separated by commas"
    )
    smtp_url: Annotated[Secret, AfterValidator(_mails)] = Field(
        None, description="mail server for e-mail endpoints: smtp://user:password@host:587 or smtps://…"
    )
    smtp_from: OptionalText = Field(None, description="sender of e-mail follow-ups")
    lead_classify_use_llm: bool = Field(False, description="ask the language model when the intent is unknown")
    lead_classify_llm_timeout_seconds: float = Field(6.0, gt=0, le=60, description="total time of the language model call")
    lead_classify_llm_daily_calls: int = Field(
        500, ge=0, le=1_000_000, description="calls of the language model for one tenant in one day; 0 makes none"
    )
    lead_classify_llm_shadow: bool = Field(False, description="ask the language model and record its opinion, and change no lead")
    openai_api_key: Secret = Field(None, description="key of an OpenAI-compatible server")
    openai_base_url: Address = Field(None, description="address of an OpenAI-compatible server")
    openai_model: OptionalText = Field(None, description="model name to ask")
    facebook_app_secret: AppSecret = Field(None, description="verifies X-Hub-Signature-256; several separated by commas while rotating")
    facebook_verify_token: Secret = Field(None, description="answers Meta's subscription handshake, for Instagram and WhatsApp too")
    facebook_app_id: OptionalText = Field(None, description="id of the Meta app; lets doctor and the worker check tokens and subscriptions")
    instagram_app_secret: AppSecret = Field(None, description="of an app with Instagram login; unset takes FACEBOOK_APP_SECRET")
    whatsapp_app_secret: AppSecret = Field(None, description="of another app than the Page's; unset takes FACEBOOK_APP_SECRET")
    zalo_secret_key: AppSecret = Field(None, description="OA secret key of the Zalo webhook page; verifies X-ZEvent-Signature")
    tiktok_client_secret: AppSecret = Field(None, description="verifies TikTok-Signature")
    channel_token_key: Annotated[Secret, AfterValidator(_seals)] = Field(
        None, description="seals the tokens of connected Pages; several separated by commas while rotating, the first seals"
    )
    graph_base_url: Address = Field("https://graph.facebook.com/v26.0", description="Meta's Graph API")
    receipt_retention_days: int = Field(90, ge=0, le=3650, description="raw deliveries older than this lose their body; 0 keeps them")
    operator_api_key: Secret = Field(None, description="opens the console, the JSON API and /metrics; needed in production")
    public_base_url: Address = Field(None, description="address people reach the console at; goes into follow-ups as console_url")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="how much is logged")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `read_settings` hands over: the environment is read there, once, with its `_FILE` twins."""
        return (init_settings,)

    @property
    def follow_up_timeout_seconds(self) -> float:
        """N8N_WEBHOOK_TIMEOUT_SECONDS inside its clamp of 3 to 10 seconds."""
        return _clamp_timeout(self.n8n_webhook_timeout_seconds)

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """All live secrets of WEBHOOK_SIGNING_SECRET; empty means that follow-ups go out unsigned."""
        return _listed(None if self.webhook_signing_secret is None else self.webhook_signing_secret.get_secret_value())

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """WEBHOOK_ALLOWED_HOSTS, entry by entry."""
        return _listed(self.webhook_allowed_hosts)

    @property
    def asks_language_model(self) -> bool:
        """It is wanted, and there is a key and a model to ask."""
        return self.lead_classify_use_llm and self.openai_api_key is not None and self.openai_model is not None

    def webhook_secrets(self, platform: str) -> tuple[bytes, ...]:
        """All live secrets that prove a delivery of this platform; empty means unproven (taken in `local` only)."""
        own = {
            "facebook": self.facebook_app_secret,
            "instagram": self.instagram_app_secret or self.facebook_app_secret,
            "whatsapp": self.whatsapp_app_secret or self.facebook_app_secret,
            "zalo": self.zalo_secret_key,
            "tiktok": self.tiktok_client_secret,
        }[platform]
        return () if own is None else tuple(part.strip().encode() for part in own.get_secret_value().split(",") if part.strip())


def _listed(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment, `NAME_FILE` twins included.

    Raises ConfigurationError naming every variable that cannot be read, and in production every secret that is missing.
    """
    environment = os.environ if environment is None else environment
    values, problems = _values_with_files(environment)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        wrong = {str(item["loc"][0]): item["msg"] for item in error.errors()}
        problems += [f"{name.upper()}: {said}" for name, said in wrong.items()]
        settings = Settings(**{name: value for name, value in values.items() if name not in wrong})
    if settings.app_env == "production":
        told = {problem.partition(":")[0].removesuffix("_FILE") for problem in problems}
        problems += [f"{name}: needed in production, and empty" for name in missing_secrets(settings) if name not in told]
        if settings.operator_api_key is not None and len(settings.operator_api_key.get_secret_value()) < SHORTEST_KEY:
            problems.append(f"OPERATOR_API_KEY: shorter than {SHORTEST_KEY} characters; make one with openssl rand -hex 24")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def _values_with_files(environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in Settings.model_fields:
        name = field.upper()
        direct, path = environment.get(name, "").strip(), environment.get(f"{name}_FILE", "").strip()
        if direct and path:
            problems.append(f"{name}: set both directly and by {name}_FILE; keep one")
        elif path:
            try:
                direct = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{name}_FILE: cannot read {path} ({error.__class__.__name__})")
        if direct:
            values[field] = direct
    return values, problems


def missing_secrets(settings: Settings) -> list[str]:
    """Names of the variables that production needs and does not have, in the order of the class."""
    needed = ["database_url", "facebook_app_secret", "facebook_verify_token", "operator_api_key"]
    if settings.lead_classify_use_llm:
        needed += ["openai_api_key", "openai_model"]
    return [name.upper() for name in needed if getattr(settings, name) is None]
