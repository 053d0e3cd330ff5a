"""A model hub on the loopback interface: the part of its API that huggingface_hub uses to fetch a model."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".bin", ".npz")  # kept in large-file storage, with a sha256


@dataclass
class FakeHub:
    files: dict[str, bytes]
    repo: str = "someone/whisper"
    licence: str = "mit"
    refusal: tuple[int, str] | None = None  # status and X-Error-Code of every answer
    cut_at: int | None = None  # break the connection after so many bytes of a file, and answer nothing more
    corrupt: bool = False
    endpoint: str = ""
    requests: list[str] = field(default_factory=list)  # "GET /path bytes=5-"
    tokens: set[str | None] = field(default_factory=set)

    def info(self) -> bytes:
        siblings = []
        for name, content in self.files.items():
            sibling = {
                "rfilename": name,
                "size": len(content),
                "blobId": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
            }
            if name.endswith(LARGE):
                sibling["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1}
            siblings.append(sibling)
        return json.dumps(
            {"id": self.repo, "sha": COMMIT, "siblings": siblings, "cardData": {"license": self.licence}}
        ).encode()


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def answer(self) -> None:
        hub, path = self.hub, self.path.split("?")[0]
        hub.requests.append(f"{self.command} {path} {self.headers.get('Range', '')}".strip())
        hub.tokens.add(self.headers.get("Authorization"))
        if hub.cut_at is not None and hub.cut_at < 0:
            self.close_connection = True
        elif hub.refusal:
            self.reply(b"", hub.refusal[0], {"X-Error-Code": hub.refusal[1]})
        elif path.startswith(f"/api/models/{hub.repo}"):
            self.reply(hub.info())
        elif path.startswith(f"/{hub.repo}/resolve/{COMMIT}/"):
            self.send_file(hub.files[path.rsplit("/", 1)[1]])
        else:
            self.reply(b"", 404, {"X-Error-Code": "RepoNotFound"})

    def send_file(self, content: bytes) -> None:
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if self.hub.corrupt:
            content = content[:-1] + b"?"
        self.reply(content[start:], 206 if start else 200, headers)

    def reply(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.hub.cut_at is not None and len(body) > self.hub.cut_at:
            body, self.hub.cut_at = body[: self.hub.cut_at], -1
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def serve(hub: FakeHub) -> Iterator[FakeHub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
