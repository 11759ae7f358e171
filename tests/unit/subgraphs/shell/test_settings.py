"""The environment of a subgraph: what is read, and that everything wrong is told at once."""

import pytest

from subgraphs.shell.settings import ConsentVersions, SettingsError, read_settings

GOOD = {"DATABASE_URL_USERS": "postgresql://u:hunter2@localhost/users", "JWT_SECRET": "x" * 32}


def test_what_is_absent_has_a_default() -> None:
    settings = read_settings("users", GOOD)
    assert (settings.access_token_seconds, settings.redis_url, settings.kafka) == (900, None, None)


def test_all_problems_are_told_at_once_and_no_secret_with_them() -> None:
    broken = {"JWT_SECRET": "hunter2", "KAFKA_IDEMPOTENT": "perhaps", "LOG_LEVEL": "LOUD", "ACCESS_TOKEN_SECONDS": "-1"}
    with pytest.raises(SettingsError) as failure:
        read_settings("users", broken)
    message = str(failure.value)
    for name in ("DATABASE_URL_USERS", "JWT_SECRET", "KAFKA_IDEMPOTENT", "LOG_LEVEL", "ACCESS_TOKEN_SECONDS"):
        assert name in message
    assert "hunter2" not in message


def test_secrets_stay_out_of_the_representation() -> None:
    settings = read_settings("users", GOOD | {"JWT_PREVIOUS_SECRETS": "y" * 32, "REDIS_URL": "redis://:hunter2@x"})
    assert "hunter2" not in repr(settings)
    assert "y" * 32 not in repr(settings)
    assert settings.jwt_previous_secrets == ("y" * 32,)


def test_the_older_name_for_the_token_lifetime_counts_milliseconds() -> None:
    assert read_settings("users", GOOD | {"JWT_EXPIRATION": "86400000"}).access_token_seconds == 86400
    both = GOOD | {"JWT_EXPIRATION": "86400000", "ACCESS_TOKEN_SECONDS": "60"}
    assert read_settings("users", both).access_token_seconds == 60


def test_passkeys_are_those_of_this_machine_in_development_and_of_a_named_domain_in_production() -> None:
    strong = GOOD | {"JWT_SECRET": "tq7Yw0Zr3Vx5Lk9Nc2Hb8Md4Gf6Ps1Ja", "FITTRACKER_ENV": "prod"}
    assert (read_settings("users", GOOD).passkey_rp_id, read_settings("users", GOOD).passkey_origins) == (
        "localhost",
        (),
    )
    assert read_settings("users", strong).passkey_rp_id is None
    app = "android:apk-key-hash:" + "A" * 43
    named = {
        "PASSKEY_RP_ID": "example.org",
        "PASSKEY_ORIGINS": f"https://example.org, https://app.example.org:8443,{app}",
    }
    settings = read_settings("users", strong | named)
    assert settings.passkey_rp_id == "example.org"
    assert settings.passkey_origins == ("https://example.org", "https://app.example.org:8443", app)


@pytest.mark.parametrize(
    ("domain", "origins"),
    [
        ("example.org", ""),
        ("", "https://example.org"),
        ("https://example.org", "https://example.org"),
        ("127.0.0.1", "https://127.0.0.1"),
        ("example.org", "http://example.org"),
        ("example.org", "https://example.org/"),
        ("example.org", "https://badexample.org"),
        ("example.org", "https://example.org.evil.example"),
        ("example.org", "https://*.example.org"),
        ("localhost", "http://localhost:8080"),
    ],
)
def test_passkeys_of_no_domain_or_of_another_page_are_refused_in_production(domain: str, origins: str) -> None:
    strong = GOOD | {"JWT_SECRET": "tq7Yw0Zr3Vx5Lk9Nc2Hb8Md4Gf6Ps1Ja", "FITTRACKER_ENV": "prod"}
    with pytest.raises(SettingsError, match="PASSKEY_"):
        read_settings("users", strong | {"PASSKEY_RP_ID": domain, "PASSKEY_ORIGINS": origins})


def test_open_food_facts_is_asked_only_by_who_says_how_to_be_reached() -> None:
    assert read_settings("users", GOOD).open_food_facts_url is None
    url = {"OPEN_FOOD_FACTS_URL": "https://world.openfoodfacts.org"}
    with pytest.raises(SettingsError, match="OPEN_FOOD_FACTS_CONTACT"):
        read_settings("users", GOOD | url)
    with pytest.raises(SettingsError, match="printable"):
        read_settings("users", GOOD | url | {"OPEN_FOOD_FACTS_CONTACT": "a\x07b"})
    settings = read_settings("users", GOOD | url | {"OPEN_FOOD_FACTS_CONTACT": "ops@example.org"})
    assert settings.open_food_facts_contact == "ops@example.org"


def test_no_text_is_in_force_until_its_version_is_named_and_a_version_is_one_word() -> None:
    assert read_settings("users", GOOD).consents == ConsentVersions()
    named = {"CONSENT_TERMS_VERSION": "2026-11", "CONSENT_STATISTICS_VERSION": "v1.2_b"}
    assert read_settings("users", GOOD | named).consents == ConsentVersions(terms="2026-11", statistics="v1.2_b")
    for wrong in ("two words", "x" * 51, "a/b"):
        with pytest.raises(SettingsError, match="CONSENT_EMAILS_VERSION"):
            read_settings("users", GOOD | {"CONSENT_EMAILS_VERSION": wrong})
