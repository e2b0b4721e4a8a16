"""A stand-in for an object store: what of the S3 protocol delta-rs speaks, in memory.

A process of its own, since delta-rs waits for the store without letting another thread run.
It prints its port, and ends when its input does.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY = "test-key"


class _Handler(BaseHTTPRequestHandler):
    held: ClassVar[dict[str, bytes]] = {}
    lock = threading.Lock()
    protocol_version = "HTTP/1.1"

    def log_message(self, *given: object) -> None:
        """Nothing is printed."""

    @property
    def name(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/")

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def taken(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def known(self) -> bool:
        if f"Credential={KEY}/" in self.headers.get("Authorization", ""):
            return True
        self.taken()
        self.answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        return False

    def do_GET(self) -> None:
        if not self.known():
            return
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self.answer(200, self.listed(query), Content_Type="application/xml")
            return
        with self.lock:
            body = self.held.get(self.name)
        if body is None:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        facts = {"ETag": _mark(body), "Last_Modified": "Sun, 22 Nov 2026 09:00:00 GMT"}
        found = re.match(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if found is None:
            self.answer(200, body, **facts)
            return
        first = int(found[1]) if found[1] else len(body) - int(found[2])
        last = min(int(found[2]), len(body) - 1) if found[1] and found[2] else len(body) - 1
        part = body[first : last + 1]
        self.answer(206, part, Content_Range=f"bytes {first}-{last}/{len(body)}", **facts)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        if not self.known():
            return
        body = self.taken()
        query = parse_qs(urlsplit(self.path).query)
        if "partNumber" in query:
            self.held[f"parts {query['uploadId'][0]} {int(query['partNumber'][0]):05d}"] = body
            self.answer(200, ETag=_mark(body))
            return
        if source := self.headers.get("x-amz-copy-source"):
            body = self.held[unquote(source).lstrip("/")]
        with self.lock:
            if self.headers.get("If-None-Match") == "*" and self.name in self.held:
                self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            self.held[self.name] = body
        self.answer(200, ETag=_mark(body))

    def do_DELETE(self) -> None:
        if self.known():
            self.held.pop(self.name, None)
            self.answer(204)

    def do_POST(self) -> None:
        if not self.known():
            return
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "uploads" in query:
            mark = hashlib.md5(self.name.encode(), usedforsecurity=False).hexdigest()
            told = f"<InitiateMultipartUploadResult><UploadId>{mark}</UploadId>"
            self.answer(200, f"{told}</InitiateMultipartUploadResult>".encode())
            return
        if "uploadId" in query:
            self.taken()
            begin = f"parts {query['uploadId'][0]} "
            parts = sorted(path for path in self.held if path.startswith(begin))
            self.held[self.name] = b"".join(self.held.pop(path) for path in parts)
            told = f"<ETag>{_mark(self.held[self.name])}</ETag>"
            told = f"<CompleteMultipartUploadResult>{told}</CompleteMultipartUploadResult>"
            self.answer(200, told.encode())
            return
        bucket = self.name.split("/")[0]
        keys = re.findall(r"<Key>(.*?)</Key>", self.taken().decode())
        for key in keys:
            self.held.pop(f"{bucket}/{key}", None)
        gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self.answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())

    def listed(self, query: dict[str, list[str]]) -> bytes:
        bucket = self.name.split("/")[0]
        prefix, cut = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        after = query.get("start-after", [""])[0]
        files, folders = [], []
        for path, body in sorted(self.held.items()):
            key = path.removeprefix(f"{bucket}/")
            if not path.startswith(f"{bucket}/{prefix}") or key <= after:
                continue
            rest = key[len(prefix) :]
            if cut and cut in rest:
                folders.append(prefix + rest.split(cut)[0] + cut)
                continue
            files.append(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(body)}</Size><ETag>{_mark(body)}"
                "</ETag><LastModified>2026-11-22T09:00:00.000Z</LastModified></Contents>"
            )
        inner = "".join(files) + "".join(
            f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
            for name in dict.fromkeys(folders)
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{inner}</ListBucketResult>"
        return text.encode()


def _mark(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
