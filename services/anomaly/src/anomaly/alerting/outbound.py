"""Where webhooks may go: an allow list of hosts and networks, judged on the addresses a name resolves to."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# These carry an IPv4 address inside, which the checks below would not see.
TRANSLATED: tuple[Network, ...] = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "2002::/16", "2001::/32")))


class NotAllowedError(Exception):
    """The address is not on the allow list."""


@dataclass(frozen=True)
class AllowList:
    """Hosts by exact name and networks; an empty list allows nothing."""

    hosts: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> "AllowList":
        """Raises ValueError for an entry that is neither a host name nor a network."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]")))
            except ValueError:
                hosts.add(_host(entry))
        if "localhost" in hosts:
            networks.extend(LOOPBACK)
        return cls(frozenset(hosts), tuple(networks))

    def permits(self, host: str, address: str) -> bool:
        """Tells whether a connection to `address` may be made for `host`.

        A named host may have any public or private address. Loopback, link-local (a cloud's metadata), multicast and
        reserved ones take an entry of their own, because a name's owner can point it there.
        """
        ip = _plain(address)
        if any(ip in network for network in self.networks):
            return True
        special = ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved or ip.is_unspecified
        return host.lower().rstrip(".") in self.hosts and not special and not any(ip in net for net in TRANSLATED)

    async def resolve(self, host: str, port: int) -> list[str]:
        """Returns the allowed addresses of `host`; raises OSError (no such name) or NotAllowedError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [address for address in addresses if self.permits(host, address)]
        if not allowed:
            raise NotAllowedError(f"{host} has the address {addresses[0]}, which ANOMALY_WEBHOOK_ALLOW does not allow")
        return allowed


def _plain(address: str) -> Address:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return getattr(ip, "ipv4_mapped", None) or ip


def _host(entry: str) -> str:
    host = entry.lower().rstrip(".")
    labels = host.split(".")
    if len(host) > 253 or not all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels):
        raise ValueError("expected a host name, an address or a network as 10.0.0.0/8")
    if labels[-1].isdigit():
        raise ValueError("expected an address or a network whose host bits are zero, as 10.0.0.0/8")
    return host
