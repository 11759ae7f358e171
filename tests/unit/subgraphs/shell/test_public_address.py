"""Which addresses that clients give are of the internet, and what of them is judged again as it is connected to."""

import asyncio
import socket
from urllib.parse import urlsplit

import h11
import pytest

from subgraphs.shell.public_address import Reach, is_public_address, may_be_sent_to
from subgraphs.shell.public_http import AddressRefusedError, PublicClient
from tests.testkit.webhook_receiver import webhook_receiver

NOWHERE = Reach()


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.org/x",
        "ftp://hooks.example.org/x",
        "file:///etc/passwd",
        "gopher://hooks.example.org/x",
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://192.168.0.1/x",
        "https://172.16.0.1/x",
        "https://100.64.0.1/x",
        "https://0.0.0.0/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::]/x",
        "https://[::127.0.0.1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[::ffff:a9fe:a9fe]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[64:ff9b:1::7f00:1]/x",
        "https://[2002:7f00:1::]/x",
        "https://[2001:0:7f00:1::]/x",
        "https://[fe80::1%25eth0]/x",
        "https://[fec0::1]/x",
        "https://[fd00:ec2::254]/x",
        "https://[ff02::1]/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0x7f.1/x",
        "https://0177.0.0.1/x",
        "https://127.1/x",
        "https://127.0.0.1./x",
        "https://127.0.0.%31/x",
        "https://%31%32%37.0.0.1/x",
        "https://localhost/x",
        "https://LOCALHOST./x",
        "https://users:8081/graphql",
        "https://postgres/x",
        "https://hooks.localhost/x",
        "https://metadata.google.internal/x",
        "https://printer.local/x",
        "https://router.home.arpa/x",
        "https://hooks.example.org:22/x",
        "https://hooks.example.org:8443/x",
        "https://hooks.example.org:0/x",
        "https://hooks.example.org:99999/x",
        "https://me:secret@hooks.example.org/x",
        "https://hooks.example.org@10.0.0.1/x",
        "https://hooks.example.org\\@10.0.0.1/x",
        "https://10.0.0.1#@hooks.example.org/x",
        "https://224.0.0.1/x",
        "https://255.255.255.255/x",
        "https:///x",
        "https://[/x",
        "https://ħooks.example/x",
        "https://hooks.example.org\t.internal/x",
        "//hooks.example.org/x",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/x?a b",
        "https://hooks.example.org/\x7f",
        f"https://{'a' * 64}.example.org/x",
        f"https://hooks.{'a' * 64}/x",
        f"https://{'a.' * 127}example/x",
        "",
    ],
)
def test_an_address_of_our_own_net_is_not_sent_to(address: str) -> None:
    assert not may_be_sent_to(address, NOWHERE)


def test_what_is_sent_to_can_be_looked_up_and_asked_for() -> None:
    """Neither the resolver nor the writer of requests refuses it: that would be no failure of a connection."""
    address = f"https://{'a' * 63}.{'b' * 63}.example/!$%&'()*+,-./:;<=>?@[]^_`{{|}}~\"\\"
    assert may_be_sent_to(address, NOWHERE)
    url = urlsplit(address)
    assert (url.hostname or "").encode("idna")
    assert h11.Request(method="POST", target=f"{url.path}?{url.query}", headers=[("Host", url.netloc)])


def test_hosts_of_the_internet_and_what_is_within_reach_are() -> None:
    for address in ("https://hooks.example.org/a?b=c", "https://8.8.8.8/x", "https://hooks.example.org:443/x"):
        assert may_be_sent_to(address, NOWHERE)
    assert may_be_sent_to("https://hooks.example.org:8443/x", Reach(ports=(443, 8443)))
    trusted = Reach(trusted=frozenset({"http://127.0.0.1:9999"}))
    assert may_be_sent_to("http://127.0.0.1:9999/x", trusted)
    assert not may_be_sent_to("http://127.0.0.1:9998/x", trusted)
    assert not may_be_sent_to("https://127.0.0.1:9999/x", trusted)
    development = Reach(loopback=True)
    for address in ("http://127.0.0.1:9000/x", "http://localhost:9000/x", "https://[::1]:9000/x"):
        assert may_be_sent_to(address, development)
    for address in ("http://10.0.0.1:9000/x", "http://hooks.example.org/x", "ftp://localhost/x"):
        assert not may_be_sent_to(address, development)


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
        ("fec0::1", False),
        ("240.0.0.1", False),
    ],
)
def test_which_addresses_are_of_the_internet(address: str, is_public: bool) -> None:
    assert is_public_address(address) is is_public


def answering(*addresses: str) -> object:
    """A name server that gives these, whoever asks."""

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", (each, port)) for family, each in zip(families, addresses, strict=True)
        ]

    return look_up


async def addresses(client: PublicClient, address: str) -> list[str]:
    try:
        return await client.addresses_of(urlsplit(address))
    finally:
        client.close()


async def test_of_a_name_only_addresses_of_the_internet_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answering("10.0.0.1", "8.8.8.8", "::ffff:127.0.0.1", "2606:4700::1111"))
    found = await addresses(PublicClient(NOWHERE, most=1, timeout_seconds=5), "https://hooks.example.org/x")
    assert found == ["8.8.8.8", "2606:4700::1111"]
    monkeypatch.setattr(socket, "getaddrinfo", answering("169.254.169.254"))
    with pytest.raises(AddressRefusedError):
        await addresses(PublicClient(NOWHERE, most=1, timeout_seconds=5), "https://hooks.example.org/x")


async def test_an_origin_that_is_trusted_opens_its_address_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    reach = Reach(trusted=frozenset({"http://push.internal:80"}))
    monkeypatch.setattr(socket, "getaddrinfo", answering("10.0.0.1"))
    assert await addresses(PublicClient(reach, most=1, timeout_seconds=5), "http://push.internal:80/x") == ["10.0.0.1"]
    with pytest.raises(AddressRefusedError):
        await addresses(PublicClient(reach, most=1, timeout_seconds=5), "https://hooks.example.org/x")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "hooks.example.org"])
async def test_whatever_the_first_judgement_was_nothing_of_our_own_net_is_connected_to(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the first judgement, and with a name whose server says that it is this machine."""
    asked = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    server = await asyncio.start_server(answer, ["127.0.0.1"], 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr("subgraphs.shell.public_http.may_be_sent_to", lambda *_: True)
    if host == "hooks.example.org":
        monkeypatch.setattr(socket, "getaddrinfo", answering("127.0.0.1"))
    client = PublicClient(NOWHERE, most=1, timeout_seconds=5)
    with pytest.raises(AddressRefusedError):
        await client.post(f"http://{host}:{port}/", b"x", {})
    assert asked == 0
    client.close()
    server.close()


async def test_a_name_that_changes_its_mind_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: there is one question, and what it was answered is what is judged and connected to."""
    questions: list[str] = []
    connected: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        questions.append(host)
        address = "8.8.8.8" if len(questions) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async def connect(host: str, *_: object, **__: object) -> None:
        connected.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(asyncio, "open_connection", connect)
    client = PublicClient(NOWHERE, most=1, timeout_seconds=5)
    with pytest.raises(ConnectionRefusedError):
        await client.post("https://rebinding.example.org/", b"x", {})
    assert (questions, connected) == (["rebinding.example.org"], ["8.8.8.8"])
    client.close()


async def test_what_is_posted_is_a_whole_request_and_the_answer_is_read_to_its_headers() -> None:
    async with webhook_receiver() as receiver:
        receiver.status, receiver.headers = 429, {"Retry-After": "7"}
        client = PublicClient(Reach(loopback=True), most=1, timeout_seconds=5)
        answer = await client.post(f"{receiver.url}?a=b", b"body", {"x-of-us": "1"})
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")
        (received,) = receiver.received
        assert (received.body, received.headers["x-of-us"]) == (b"body", "1")
        assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
        client.close()
