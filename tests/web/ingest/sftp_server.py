"""An SFTP server of this machine, for tests."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko


class _Door(paramiko.ServerInterface):
    def __init__(self, user: str, password: str) -> None:
        self.pair = (user, password)

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == self.pair
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class _Files(paramiko.SFTPServerInterface):
    root: Path

    def __init__(self, server: Any, root: Path) -> None:
        super().__init__(server)
        self.root = root

    def _real(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def list_folder(self, path: str) -> Any:
        found = []
        for entry in self._real(path).iterdir():
            held = paramiko.SFTPAttributes.from_stat(entry.stat(), entry.name)
            found.append(held)
        return found

    def stat(self, path: str) -> Any:
        return paramiko.SFTPAttributes.from_stat(self._real(path).stat())

    def open(self, path: str, flags: int, attr: Any) -> Any:
        handle = _Handle(flags)
        handle.readfile = self._real(path).open("rb")
        return handle


@contextmanager
def running(root: Path, user: str, password: str, port: int = 0) -> Iterator[int]:
    """A server with a key of its own, until the block ends."""
    key = paramiko.RSAKey.generate(2048)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    transports: list[paramiko.Transport] = []
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                client, _address = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, root)
            try:
                transport.start_server(server=_Door(user, password))
            except (paramiko.SSHException, EOFError, OSError):  # A client may leave at once.
                continue
            transports.append(transport)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for transport in transports:
            transport.close()
        thread.join(5)
