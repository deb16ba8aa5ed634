"""Settings: read once, from variables or from the files they name; every problem is told at once, and no value is."""

from pathlib import Path

import pytest

from lead_signals.settings import ConfigurationError, Settings, read_settings

PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://u:p@h/d",
    "FACEBOOK_APP_SECRET": "a",
    "FACEBOOK_VERIFY_TOKEN": "b",
    "OPERATOR_API_KEY": "c" * 16,
}
GOOD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRETS = (
    *("DATABASE_URL", "DATABASE_OWNER_URL", "WEBHOOK_URL", "WEBHOOK_SIGNING_SECRET"),
    *("OPENAI_API_KEY", "FACEBOOK_APP_SECRET", "FACEBOOK_VERIFY_TOKEN", "OPERATOR_API_KEY"),
)


def problems_of(environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read_settings(environment)
    return str(refused.value).splitlines()


def value_of(settings: Settings, name: str) -> object:
    value = getattr(settings, name.lower())
    return value.get_secret_value() if name in SECRETS else value


def test_the_defaults_are_the_runbooks() -> None:
    settings = read_settings({})
    assert (settings.database_url, settings.webhook_url, settings.facebook_app_secret) == (None, None, None)
    assert (settings.app_env, settings.n8n_webhook_timeout_seconds, settings.follow_up_timeout_seconds) == ("local", 5.0, 5.0)
    assert (settings.lead_classify_use_llm, settings.lead_classify_llm_timeout_seconds) == (False, 6.0)
    assert settings.webhook_secrets("facebook") == ()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    secret = "https://n8n.example/webhook/abc" if name == "WEBHOOK_URL" else "d2hhdCBhIHNlY3JldCBvZiB0d2VudHktZm91cg=="
    file.write_text(f"  {secret}\r\n\n", encoding="utf-8")
    assert value_of(read_settings({f"{name}_FILE": str(file)}), name) == secret
    assert value_of(read_settings({f"{name}_FILE": f" {file} ", name: "  "}), name) == secret


def test_any_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "timeout").write_text("7\n", encoding="utf-8")
    assert read_settings({"N8N_WEBHOOK_TIMEOUT_SECONDS_FILE": str(tmp_path / "timeout")}).follow_up_timeout_seconds == 7


def test_set_both_ways_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("trong-tep", encoding="utf-8")
    (problem,) = problems_of({"FACEBOOK_APP_SECRET": "truc-tiep", "FACEBOOK_APP_SECRET_FILE": str(tmp_path / "secret")})
    assert problem == "FACEBOOK_APP_SECRET: set both directly and by FACEBOOK_APP_SECRET_FILE; keep one"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"bi m\xe2t")
    for path, kind in (
        (tmp_path / "absent", "FileNotFoundError"),
        (tmp_path, "IsADirectoryError"),
        (tmp_path / "latin", "UnicodeDecodeError"),
    ):
        assert problems_of({"OPERATOR_API_KEY_FILE": str(path)}) == [f"OPERATOR_API_KEY_FILE: cannot read {path} ({kind})"]


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
@pytest.mark.parametrize("blank", ["", "   ", "\t\n"])
def test_blank_is_unset(name: str, blank: str) -> None:
    assert read_settings({name: blank, f"{name}_FILE": blank}) == read_settings({})


def test_blank_files_are_unset(tmp_path: Path) -> None:
    (tmp_path / "blank").write_text("\n", encoding="utf-8")
    assert read_settings({"FACEBOOK_APP_SECRET_FILE": str(tmp_path / "blank"), "LOG_LEVEL_FILE": str(tmp_path / "blank")}) == read_settings(
        {}
    )


@pytest.mark.parametrize(
    ("said", "meant"), [("3", 3), ("2.9", 3), ("0", 3), ("-5", 3), ("3.5", 3.5), ("10", 10), ("10.1", 10), ("86400", 10)]
)
def test_the_time_of_a_follow_up_is_clamped(said: str, meant: float) -> None:
    assert read_settings({"N8N_WEBHOOK_TIMEOUT_SECONDS": said}).follow_up_timeout_seconds == meant


BAD_VALUES = {
    "N8N_WEBHOOK_TIMEOUT_SECONDS": ["nan", "inf", "-inf", "5s", "five"],
    "LEAD_CLASSIFY_LLM_TIMEOUT_SECONDS": ["0", "-1", "61", "nan", "soon"],
    "LEAD_CLASSIFY_USE_LLM": ["perhaps", "2"],
    "APP_ENV": ["prod", "PRODUCTION", "staging"],
    "LOG_LEVEL": ["TRACE", "info", "loud"],
    "WEBHOOK_SIGNING_SECRET": [
        "whsec_",
        "whsec_a",
        "===",
        "whsec_đ",
        "abc",
        "whsec_ZGF1LXZldA==",
        f"{GOOD_SECRET},abc",
        f"{GOOD_SECRET[:-1]}-",
        "A" * 88,
    ],
    "WEBHOOK_ALLOWED_HOSTS": ["http://n8n:5678", "n8n, user:dau-vet@n8n", "10.0.0.0/33", "n8n:99999"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_VALUES.items() for value in values])
def test_a_bad_value_is_named_and_not_repeated(name: str, value: str) -> None:
    (problem,) = problems_of({name: value + "-dau-vet" if name == "APP_ENV" else value})
    assert problem.startswith(f"{name}: ")
    assert "dau-vet" not in problem


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    environment = {
        "APP_ENV": "production",
        "LOG_LEVEL": "loud",
        "N8N_WEBHOOK_TIMEOUT_SECONDS": "soon",
        "OPERATOR_API_KEY_FILE": str(tmp_path / "absent"),
        "FACEBOOK_VERIFY_TOKEN": " ",
    }
    named = [problem.partition(":")[0] for problem in problems_of(environment)]
    assert sorted(named) == [
        "DATABASE_URL",
        "FACEBOOK_APP_SECRET",
        "FACEBOOK_VERIFY_TOKEN",
        "LOG_LEVEL",
        "N8N_WEBHOOK_TIMEOUT_SECONDS",
        "OPERATOR_API_KEY_FILE",
    ]


def test_production_lists_every_missing_secret_at_once() -> None:
    assert problems_of({"APP_ENV": "production"}) == [
        f"{name}: needed in production, and empty"
        for name in ("DATABASE_URL", "FACEBOOK_APP_SECRET", "FACEBOOK_VERIFY_TOKEN", "OPERATOR_API_KEY")
    ]
    with_llm = {**PRODUCTION, "LEAD_CLASSIFY_USE_LLM": "true"}
    assert [problem.partition(":")[0] for problem in problems_of(with_llm)] == ["OPENAI_API_KEY", "OPENAI_MODEL"]
    assert read_settings({**with_llm, "OPENAI_API_KEY": "k", "OPENAI_MODEL": "m"}).app_env == "production"


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "APP_ENV"])
def test_production_starts_with_all_of_them_and_with_none_less(name: str) -> None:
    assert read_settings(PRODUCTION).app_env == "production"
    assert problems_of({**PRODUCTION, name: " "}) == [f"{name}: needed in production, and empty"]


@pytest.mark.parametrize("nothing", [",", " , ,", ",,"])
def test_a_list_of_no_secrets_is_refused_rather_than_taken_for_unsigned(nothing: str) -> None:
    problem = "FACEBOOK_APP_SECRET: expected one secret, or several separated by commas"
    assert problems_of({"FACEBOOK_APP_SECRET": nothing}) == [problem]
    assert problems_of({**PRODUCTION, "FACEBOOK_APP_SECRET": nothing}) == [problem]


@pytest.mark.parametrize("name", ["WEBHOOK_URL", "PUBLIC_BASE_URL", "OPENAI_BASE_URL"])
@pytest.mark.parametrize(
    "address", ["n8n:5678/webhook/x", "javascript:alert(1)", "https://", "//n8n.example", "http://[::1", "file:///etc/passwd"]
)
def test_what_is_no_web_address_is_refused_by_name(name: str, address: str) -> None:
    assert problems_of({name: address}) == [f"{name}: expected an address like https://n8n.example.vn/webhook/lead"]
    assert value_of(read_settings({name: "http://n8n:5678/webhook/x"}), name) == "http://n8n:5678/webhook/x"


def test_production_refuses_a_key_that_can_be_guessed() -> None:
    said = problems_of({**PRODUCTION, "OPERATOR_API_KEY": "short"})
    assert said == ["OPERATOR_API_KEY: shorter than 16 characters; make one with openssl rand -hex 24"]
    assert read_settings({"OPERATOR_API_KEY": "short"}).operator_api_key is not None


def test_several_app_secrets_while_rotating() -> None:
    assert read_settings({"FACEBOOK_APP_SECRET": " cũ , mới,,"}).webhook_secrets("facebook") == ("cũ".encode(), "mới".encode())


@pytest.mark.parametrize(
    "secret", [GOOD_SECRET, GOOD_SECRET[6:], f"{GOOD_SECRET}AA", f"{GOOD_SECRET}AA==", f"{GOOD_SECRET}, {GOOD_SECRET}"]
)
def test_a_signing_secret_in_any_of_its_usual_spellings(secret: str) -> None:
    assert value_of(read_settings({"WEBHOOK_SIGNING_SECRET": secret}), "WEBHOOK_SIGNING_SECRET") == secret


def test_what_a_bad_signing_secret_or_host_is_told() -> None:
    assert problems_of({"WEBHOOK_SIGNING_SECRET": "abc"}) == [
        "WEBHOOK_SIGNING_SECRET: expected whsec_ and base64 of 24 to 64 bytes, as `openssl rand -base64 32` prints it"
    ]
    assert problems_of({"WEBHOOK_ALLOWED_HOSTS": "n8n, 10.0.0.0/8, http://crm"}) == [
        "WEBHOOK_ALLOWED_HOSTS: entry 3 is no host, host:port, address or network like 10.0.0.0/8"
    ]


def test_unknown_variables_are_nobodys_business() -> None:
    assert read_settings({"PATH": "/bin", "FACEBOOK_APP_SECRETS": "x", "database_url": "postgresql://x"}) == read_settings({})


def test_nothing_secret_is_in_what_settings_say_of_themselves() -> None:
    marks = {"FACEBOOK_APP_SECRET": "dau-vet-bi-mat,dau-vet-khac", "WEBHOOK_URL": "https://n8n.example/webhook/dau-vet-dia-chi"}
    settings = read_settings({**dict.fromkeys(SECRETS, "ZGF1LXZldC1iaS1tYXQtZHUtZGFpLW5oZQ=="), **marks})
    told = " ".join([repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump()), repr(list(settings))])
    assert "dau-vet" not in told
    assert "ZGF1LXZldC1iaS1tYXQtZHUtZGFpLW5oZQ==" not in told
    assert told.count("**********") >= len(SECRETS)


def test_settings_do_not_change_once_read() -> None:
    settings = read_settings({})
    with pytest.raises(ValueError, match="frozen"):
        settings.app_env = "production"  # type: ignore[misc]


def test_the_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N8N_WEBHOOK_TIMEOUT_SECONDS", "9")
    assert read_settings().follow_up_timeout_seconds == 9
