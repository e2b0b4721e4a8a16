"""The containers of `deploy/compose.yaml` find each other at the addresses that they were given."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[3] / "deploy" / "compose.yaml"


def written() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return told


def fixed() -> dict[str, str]:
    """Service → its address on the network inside."""
    found = {}
    for name, service in written()["services"].items():
        networks = service.get("networks", {})
        if isinstance(networks, dict) and "inside" in networks:
            found[name] = networks["inside"]["ipv4_address"]
    return found


def test_no_container_is_given_the_address_of_another() -> None:
    """The database started first and got the address that was to be Caddy's."""
    [network] = written()["networks"]["inside"]["ipam"]["config"]
    subnet, given = ip_network(network["subnet"]), ip_network(network["ip_range"])
    assert given.subnet_of(subnet)  # type: ignore[arg-type]
    addresses = [ip_address(text) for text in (network["gateway"], *fixed().values())]
    assert len(addresses) == len(set(addresses))
    for address in addresses:
        assert address in subnet
        assert address not in given
    # Scaled workers need addresses too.
    assert given.num_addresses >= 32


def test_the_proxy_that_is_believed_is_caddy() -> None:
    told = written()
    assert told["x-revoir"]["environment"]["REVOIR_PROXIES"] == fixed()["caddy"]
