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
    "endpoint", ["http://push.example.org/x", "https://10.1.2.3/x", "https://push.example.org:8443/x"]
)
def test_an_address_of_our_own_net_is_no_push_service(endpoint: str) -> None:
    checks = Checks()
    check_endpoint(checks, endpoint, frozenset())
    with pytest.raises(ValidationError):
        checks.done()


def test_public_hosts_and_trusted_origins_are_push_services() -> None:
    checks = Checks()
    check_endpoint(checks, "https://fcm.googleapis.com/fcm/send/x", frozenset())
    check_endpoint(checks, "http://127.0.0.1:9999/x", frozenset({"http://127.0.0.1:9999"}))
    checks.done()
    check_endpoint(checks, "https://push.example.org/" + "x" * 1_000, frozenset())
    with pytest.raises(ValidationError):
        checks.done()
