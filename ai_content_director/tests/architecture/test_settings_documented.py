"""Every setting stands in `.env.example`, explained in both languages, and nothing else does."""

import re
from pathlib import Path

import pytest

from lead_signals.settings import Settings, read_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
COMPOSE_FILES = sorted(Path(__file__).parents[3].glob("docker-compose*.yml"))
COMPOSE_ONLY = {
    *("POSTGRES_PASSWORD", "POSTGRES_APP_PASSWORD"),
    *("N8N_ENCRYPTION_KEY", "LEAD_SIGNALS_URL", "LEAD_SIGNALS_ALLOW_UNSIGNED"),
}
# Compose makes these itself, from the names above and from which overlay is used.
MADE_BY_COMPOSE = {"APP_ENV", "DATABASE_URL", "DATABASE_OWNER_URL"}
ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
VIETNAMESE = re.compile("[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]", re.IGNORECASE)


def settings_names() -> set[str]:
    return {field.upper() for field in Settings.model_fields}


def example_values() -> dict[str, str]:
    return dict(ASSIGNMENT.findall(EXAMPLE.read_text(encoding="utf-8")))


def test_every_setting_is_in_the_example_and_nothing_unknown_is() -> None:
    assert set(example_values()) == settings_names() | COMPOSE_ONLY


def test_no_variable_is_listed_twice() -> None:
    names = [name for name, _ in ASSIGNMENT.findall(EXAMPLE.read_text(encoding="utf-8"))]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", sorted(settings_names() | COMPOSE_ONLY))
def test_each_variable_is_explained_in_english_and_in_vietnamese(name: str) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    here = next(number for number, line in enumerate(lines) if line.startswith(f"{name}="))
    english, vietnamese = lines[here - 2], lines[here - 1]
    assert english.startswith("# ")
    assert not VIETNAMESE.search(english)
    assert vietnamese.startswith("# ")
    assert VIETNAMESE.search(vietnamese)


def test_the_example_starts_as_it_stands_and_holds_no_secret() -> None:
    values = example_values()
    settings = read_settings(values)
    assert settings == read_settings({"PUBLIC_BASE_URL": values["PUBLIC_BASE_URL"]})  # what it spells out are the defaults
    assert all(not values[name] for name in COMPOSE_ONLY)


def test_compose_passes_every_setting_on() -> None:
    asked = {name for file in COMPOSE_FILES for name in re.findall(r"\$\{([A-Z0-9_]+)", file.read_text(encoding="utf-8"))}
    assert len(COMPOSE_FILES) == 3
    assert asked == (settings_names() - MADE_BY_COMPOSE) | COMPOSE_ONLY
