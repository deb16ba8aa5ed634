"""What `doctor` tells about the language model. Nothing is asked of its server: that would cost money, and show it that we look."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from lead_signals.second_opinion.opinion_health import OpinionHealth
from lead_signals.settings import Settings

HINT = "  ! "
FACT = "  · "
NEEDS_A_HAND = "  ✗ "


def language_model_advice(settings: Settings) -> list[str]:
    """What of the settings is missing or to be known, when a model is wanted; otherwise nothing."""
    if not settings.lead_classify_use_llm:
        return []
    advice = []
    wanted = {"OPENAI_API_KEY": settings.openai_api_key, "OPENAI_MODEL": settings.openai_model}
    missing = [name for name, value in wanted.items() if value is None]
    if missing:
        needed = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} empty"
        advice.append(f"{HINT}LEAD_CLASSIFY_USE_LLM is true, and {needed}: no model is called")
    if settings.lead_classify_llm_shadow:
        advice.append(f"{HINT}LEAD_CLASSIFY_LLM_SHADOW is true: opinions are recorded and change no lead; lead-signals opinions report")
    if settings.lead_classify_llm_daily_calls == 0:
        advice.append(f"{HINT}LEAD_CLASSIFY_LLM_DAILY_CALLS is 0: no model is called, answers of the last 30 days are used again")
    if settings.app_env == "production" and _goes_in_the_clear(settings.openai_base_url):
        advice.append(f"{HINT}OPENAI_BASE_URL is http: messages and key cross the network in the clear; in production use https")
    return advice


def language_model_lines(settings: Settings, seen: OpinionHealth) -> list[str]:
    """What asking costs and how it fares; what key, model or address refuse needs a hand."""
    mode = " (shadow: no lead is changed)" if settings.lead_classify_llm_shadow else ""
    most = f"{settings.lead_classify_llm_daily_calls:,} a tenant"
    used_up = f", used up by {_many(seen.tenants_without_calls, 'tenant')}" if seen.tenants_without_calls else ""
    waiting = f"{_many(seen.waiting, 'lead')} to ask about"
    lines = [f"{FACT}language model{mode}: {_many(seen.calls_today, 'call')} today (at most {most}{used_up}), {waiting}"]
    lines += [
        f"{NEEDS_A_HAND}language model: {_many(count, 'question')} refused since yesterday ({because.replace('_', ' ')});"
        " see OPENAI_API_KEY, OPENAI_MODEL and OPENAI_BASE_URL"
        for because, count in seen.refused.items()
    ]
    return lines


def _goes_in_the_clear(address: str | None) -> bool:
    parts = urlsplit(address or "")
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"
