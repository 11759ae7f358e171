"""Web push: the vector of RFC 8291, keys as browsers give them, and addresses that are no push service's."""

import pytest
from cryptography.exceptions import InvalidTag

from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.users.domain.web_push import (
    BrowserKeys,
    check_endpoint,
    decoded,
    encoded,
    encrypted,
    is_endpoint,
    is_public_address,
    private_key_of,
    public_key_of,
    read_keys,
)
from tests.testkit.push_service import Browser

# RFC 8291, appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SENDER_POINT = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
BROWSER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
BROWSER_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_a_message_is_encrypted_as_the_appendix_of_rfc_8291_does_it() -> None:
    sender = private_key_of(SENDER)
    assert public_key_of(sender) == SENDER_POINT
    keys = BrowserKeys(decoded(BROWSER_POINT), decoded(AUTH))
    assert encoded(encrypted(PLAINTEXT, keys, salt=decoded(SALT), sender=sender)) == MESSAGE
    browser = Browser(private_key_of(BROWSER), decoded(AUTH))
    assert browser.decrypted(decoded(MESSAGE)) == PLAINTEXT
    with pytest.raises(InvalidTag):
        Browser(private_key_of(BROWSER), bytes(16)).decrypted(decoded(MESSAGE))


@pytest.mark.parametrize(
    ("p256dh", "auth", "wrong"),
    [
        (BROWSER_POINT, AUTH + "==", []),
        (BROWSER_POINT[:-4], AUTH, ["p256dh"]),
        ("B" + "A" * 86, AUTH, ["p256dh"]),
        ("!", "?", ["p256dh", "auth"]),
        ("", "", ["p256dh", "auth"]),
        ("ä", "ä" * 22, ["p256dh", "auth"]),
        (BROWSER_POINT, AUTH[:-2], ["auth"]),
        (encoded(b"\x02" + decoded(BROWSER_POINT)[1:33]), AUTH, ["p256dh"]),  # the same point, in short
    ],
)
def test_keys_that_no_browser_gives_are_told_with_their_place(p256dh: str, auth: str, wrong: list[str]) -> None:
    checks = Checks()
    keys = read_keys(checks, p256dh, auth)
    assert (keys is None) == bool(wrong)
    if wrong:
        with pytest.raises(ValidationError) as refused:
            checks.done()
        assert [field for field, _ in refused.value.violations] == wrong


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/x",
        "ftp://push.example.org/x",
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[2002:7f00:1::]/x",
        "https://[fe80::1%25eth0]/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://127.1/x",
        "https://localhost/x",
        "https://users:8081/graphql",
        "https://postgres/x",
        "https://push.localhost/x",
        "https://push.example.org:8443/x",
        "https://me:secret@push.example.org/x",
        "https://push.example.org@10.0.0.1/x",
        "https://224.0.0.1/x",
        "https://push.example.org:99999/x",
        "https:///x",
        "https://[/x",
        "https://pusħ.example/x",
        "",
    ],
)
def test_an_address_of_our_own_net_is_no_push_service(endpoint: str) -> None:
    assert not is_endpoint(endpoint, frozenset())


def test_public_hosts_and_trusted_origins_are_push_services() -> None:
    for endpoint in ("https://fcm.googleapis.com/fcm/send/x", "https://8.8.8.8/x", "https://push.example.org:443/x"):
        assert is_endpoint(endpoint, frozenset())
    trusted = frozenset({"http://127.0.0.1:9999"})
    assert is_endpoint("http://127.0.0.1:9999/x", trusted)
    assert not is_endpoint("http://127.0.0.1:9998/x", trusted)
    assert not is_endpoint("https://127.0.0.1:9999/x", trusted)
    checks = Checks()
    check_endpoint(checks, "https://push.example.org/" + "x" * 1_000, frozenset())
    with pytest.raises(ValidationError):
        checks.done()


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("192.168.1.1", False),
        ("::", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:192.168.1.1", False),
        ("fd00::1", False),
        ("240.0.0.1", False),
    ],
)
def test_which_addresses_are_of_the_internet(address: str, is_public: bool) -> None:
    assert is_public_address(address) is is_public
