"""The allow list, judged on addresses rather than on names."""

import asyncio

import pytest
from anomaly.alerting.outbound import AllowList, NotAllowedError

METADATA = "169.254.169.254"  # a cloud's credentials


def test_an_empty_list_allows_nothing() -> None:
    assert not AllowList.of([]).permits("example.com", "93.184.215.14")


def test_a_host_may_have_any_public_or_private_address() -> None:
    allow = AllowList.of(["Alerts.Factory.example."])
    assert allow.permits("alerts.factory.example", "93.184.215.14")
    assert allow.permits("ALERTS.factory.example.", "10.1.2.3")
    assert not allow.permits("other.factory.example", "10.1.2.3")
    assert not allow.permits("evil-alerts.factory.example", "10.1.2.3")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", METADATA, "fe80::1%eth0", "0.0.0.0", "224.0.0.1", "240.0.0.1", "::ffff:127.0.0.1",
     f"::ffff:{METADATA}", "64:ff9b::7f00:1", "2002:7f00:1::"],
)  # fmt: skip
def test_a_named_host_that_points_at_a_special_address_is_refused(address: str) -> None:
    assert not AllowList.of(["alerts.example"]).permits("alerts.example", address)


def test_a_network_allows_its_addresses_whatever_the_name() -> None:
    allow = AllowList.of(["10.0.0.0/8", "fd00::/8", "127.0.0.1"])
    assert allow.permits("anything.example", "10.9.8.7")
    assert allow.permits("anything.example", "::ffff:10.9.8.7")
    assert allow.permits("anything.example", "fd00::5")
    assert allow.permits("127.0.0.1", "127.0.0.1")
    assert not allow.permits("127.0.0.2", "127.0.0.2")
    assert not allow.permits("anything.example", "11.0.0.1")


def test_localhost_means_loopback_and_nothing_else() -> None:
    allow = AllowList.of(["localhost"])
    assert allow.permits("localhost", "127.0.0.1")
    assert allow.permits("localhost", "::1")
    assert not allow.permits("localhost", METADATA)


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "https://example.com", "a b", "", ".", "example.com:443", "10.0.0"])
def test_refuses_an_entry_that_is_neither_host_nor_network(entry: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        AllowList.of([entry])


def test_resolves_only_to_allowed_addresses() -> None:
    assert asyncio.run(AllowList.of(["127.0.0.0/8"]).resolve("localhost", 80)) == ["127.0.0.1"]


def test_names_the_address_that_it_refuses() -> None:
    with pytest.raises(NotAllowedError, match=r"localhost has the address .*, which ANOMALY_WEBHOOK_ALLOW"):
        asyncio.run(AllowList.of(["10.0.0.0/8"]).resolve("localhost", 80))


def test_a_name_that_does_not_exist_is_an_error_of_the_network() -> None:
    with pytest.raises(OSError, match=r".+"):
        asyncio.run(AllowList.of(["10.0.0.0/8"]).resolve("no-such-host.invalid", 80))
