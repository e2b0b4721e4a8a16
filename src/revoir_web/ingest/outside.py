"""Asking addresses that people typed, without being led into our own network.

The name is resolved once, every address it has must be one of the open Internet, and the
connection goes to the address that was looked at: a name that changes its mind changes nothing.
Each redirect is a new address and is looked at anew.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from revoir.errors import UsageError
from revoir.language import Message, msg

REDIRECTS_MAX = 3
CONNECT_SECONDS = 10.0
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32")
)
"""Where clouds keep their machines' own secrets: no permission opens these."""
_INSIDE_OTHERS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(Exception):
    """The other side could not be asked, or not to the end.

    Args:
        why: What happened.
    """

    def __init__(self, why: Message) -> None:
        super().__init__(why.text("en"))
        self.why = why


def checked(host: str, port: int) -> str:
    """Resolve a name, and refuse it if it leads inside.

    Args:
        host: A name or an address.
        port: The port.

    Returns:
        The address to connect to, and no other.

    Raises:
        UsageError: It is an address of a private network, of this machine or of a cloud's own.
        Unreachable: There is no such name.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        raise Unreachable(msg("There is no host “{host}”.", host=host[:100])) from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not _open(address):
            raise UsageError(
                msg("“{host}” is an address inside a network.", host=host[:100]),
                remedy=msg(
                    "Take one of the open Internet. Whoever runs Revoir can allow networks with"
                    " REVOIR_PRIVATE_NETWORKS."
                ),
            )
    return str(addresses[0])


def _open(address: Address) -> bool:
    plain: Address = address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            plain = address.ipv4_mapped
        elif address in _INSIDE_OTHERS[0]:
            plain = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address.sixtofour is not None:
            plain = address.sixtofour
    if any(plain in network for network in _NEVER if network.version == plain.version):
        return False
    if plain.is_global and not plain.is_multicast:
        return True
    allowed = [ipaddress.ip_network(text) for text in settings.PRIVATE_NETWORKS]
    return any(plain in network for network in allowed if network.version == plain.version)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        body: Comes in parts; whoever reads it may stop.
        url: Where it came from, after redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: Iterator[bytes]
    url: str


def _left(until: float) -> float:
    """How long one step may take of the time that is left for all.

    Raises:
        TimeoutError: None is left.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(CONNECT_SECONDS, left)


class _Timed(socket.socket):
    """A connection whose reads end in time all together: a byte now and then prolongs nothing."""

    until: float

    def recv_into(self, *given: Any, **named: Any) -> int:
        """Read as usual, for no longer than is left."""
        self.settimeout(_left(self.until))
        return super().recv_into(*given, **named)


class _TimedTls(_Timed, ssl.SSLSocket):
    """The same, encrypted."""


class _Pinned(http.client.HTTPSConnection):
    """TLS with a name, to an address that was looked at before."""

    def __init__(self, host: str, port: int, address: str, *, tls: bool, until: float) -> None:
        self._secured = ssl.create_default_context()
        self._secured.sslsocket_class = _TimedTls
        super().__init__(host, port, context=self._secured)
        self._address = address
        self._tls = tls
        self._until = until
        self.default_port = 443 if tls else 80

    def connect(self) -> None:
        """Connect to the address, and prove the name."""
        plain = socket.create_connection((self._address, self.port), _left(self._until))
        sock: _Timed
        if self._tls:
            plain.settimeout(_left(self._until))
            sock = cast(_TimedTls, self._secured.wrap_socket(plain, server_hostname=self.host))
        else:
            sock = _Timed(plain.family, plain.type, plain.proto, fileno=plain.detach())
        sock.until = self._until
        sock.settimeout(_left(self._until))
        self.sock = sock


@contextmanager
def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = 60.0,
    redirects: int = REDIRECTS_MAX,
) -> Iterator[Answer]:
    """Ask an address of the open Internet.

    Args:
        method: GET or POST.
        url: An http or https address.
        headers: To be sent; those of authentication go to the first host alone.
        body: To be sent.
        seconds: How long it may take, from the first step to the last byte.
        redirects: How many are followed.

    Yields:
        The answer.

    Raises:
        UsageError: The address leads inside, or is none.
        Unreachable: It did not answer, or not in time.
    """
    until = time.monotonic() + seconds
    sent = dict(headers or {})
    first = urlsplit(url)[:2]
    for _hop in range(redirects + 1):
        connection = _connection(url, until)
        try:
            parts = urlsplit(url)
            # Neither another host is told, nor whoever reads along where it is not encrypted.
            if parts[:2] != first:
                sent.pop("Authorization", None)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers={"User-Agent": "Revoir", **sent})
            response = connection.getresponse()
            moved = response.getheader("Location")
            if response.status in (301, 302, 303, 307, 308) and moved and redirects:
                url = urljoin(url, moved)
                continue
            yield Answer(
                response.status,
                {name.lower(): text for name, text in response.getheaders()},
                _parts(response, until),
                url,
            )
            return
        except TimeoutError:
            raise Unreachable(msg("It did not answer in time.")) from None
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or error.reason or "TLS"
            why = str(why).rstrip(".")  # what the library says of names ends with a full stop
            raise Unreachable(msg("It did not prove who it is: {why}.", why=why)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise Unreachable(msg("It could not be reached: {why}.", why=str(why))) from None
        finally:
            connection.close()
    raise Unreachable(msg("It leads from one address to the next without end."))


def _connection(url: str, until: float) -> _Pinned:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise UsageError(
            msg("This is no web address."),
            remedy=msg("Write it like https://example.com/orders.csv, without a password."),
        )
    address = checked(parts.hostname, port)
    return _Pinned(parts.hostname, port, address, tls=parts.scheme == "https", until=until)


def _parts(response: http.client.HTTPResponse, until: float) -> Iterator[bytes]:
    # What was read ahead comes without asking the connection.
    while _left(until) and (chunk := response.read1(1 << 16)):
        yield chunk
