"""What aiokafka's clients are given, and what of a topic the settings change."""

import ssl
from pathlib import Path

import pytest

from deploy.certificates import make_certificates
from events.kafka_settings import KafkaSecurity, KafkaSettings
from events.topics import DAY_MS, NUTRITION_CATALOG, USERS_BODY
from subgraphs.shell.settings import SettingsError, read_kafka

NAMED = {"KAFKA_BOOTSTRAP_SERVERS": "broker:9093"}


def test_without_words_about_it_kafka_is_reached_in_the_clear() -> None:
    assert KafkaSettings("broker:9092").arguments() == {
        "bootstrap_servers": "broker:9092", "metadata_max_age_ms": 30_000, "security_protocol": "PLAINTEXT"
    }  # fmt: skip


def test_tls_verifies_brokers_by_the_named_authority_and_shows_an_own_certificate(tmp_path: Path) -> None:
    make_certificates(tmp_path, ["client"], days=2, renew_days=1)
    files = {name: str(tmp_path / name) for name in ("ca.crt", "client.crt", "client.key")}
    security = KafkaSecurity(
        "SASL_SSL", "PLAIN", "me", "secret", files["ca.crt"], files["client.crt"], files["client.key"]
    )
    arguments = security.arguments()
    context = arguments["ssl_context"]
    assert (context.verify_mode, context.check_hostname, len(context.get_ca_certs())) == (ssl.CERT_REQUIRED, True, 1)
    assert (arguments["sasl_mechanism"], arguments["sasl_plain_password"]) == ("PLAIN", "secret")
    assert "secret" not in repr(security)


def test_settings_change_partitions_and_retention_but_keep_what_is_for_ever() -> None:
    kafka = KafkaSettings("b", partitions=12, retention_days=7, min_insync_replicas=2)
    assert (kafka.applied_to(USERS_BODY).partitions, kafka.applied_to(USERS_BODY).retention_ms) == (12, 7 * DAY_MS)
    assert kafka.applied_to(NUTRITION_CATALOG).retention_ms == -1
    assert kafka.configuration_of(USERS_BODY)["min.insync.replicas"] == "2"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL must be one of"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_USERNAME": "me"}, "KAFKA_USERNAME and KAFKA_PASSWORD"),
        ({"KAFKA_KEY_PATH": "k.pem"}, "belong together"),
        ({"KAFKA_MIN_INSYNC_REPLICAS": "2"}, "cannot be more than"),
        ({"KAFKA_PARTITIONS": "none"}, "KAFKA_PARTITIONS must be a whole number above 0"),
    ],
)
def test_what_is_wrong_is_told_by_the_variables_name(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read_kafka(NAMED | wrong)
