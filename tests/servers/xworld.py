"""Be X for the real tweepy and our own stream reader: rules, an endless answer, search, look-up, counts, jobs."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.web import Answer, Asked
from tests.servers.x import TOKEN, Search


class World:
    """`feed(...)` puts lines on the stream; "fin" and "rst" end it, b"..." is sent as it is."""

    def __init__(self) -> None:
        self.search = Search()
        self.rules: dict[str, dict[str, str]] = {}
        self.gone: dict[str, str] = {}  # id → the end of the error's type
        self.counted = 0
        self.jobs: list[dict[str, Any]] = []
        self.job_answers: list[str] = ["in_progress", "complete"]
        self.files: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.broken: list[BaseException | None] = []
        self.closed = threading.Event()
        self.connected = threading.Event()
        self.left = threading.Event()
        self.answers: dict[str, Answer] = {}  # a path's answer instead of the real one
        self._lines: SimpleQueue[Any] = SimpleQueue()
        self._next = 1
        world = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def do_GET(self) -> None:
                world.serve(self)

            def do_POST(self) -> None:
                world.serve(self)

            def do_PUT(self) -> None:
                world.serve(self)

            def log_message(self, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                error = sys.exception()
                if not isinstance(error, OSError):
                    world.broken.append(error)

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.store_url = f"http://localhost:{self.server.server_address[1]}"  # another host for the files of jobs
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def feed(self, *lines: Any) -> None:
        for line in lines:
            self._lines.put(line)

    def post(self, number: int, *, rule: str | None = None, author: str = "7", **more: Any) -> dict[str, Any]:
        """Make a line of the stream, with its author and the rule that brought it (the first of ours)."""
        rules = [rule] if rule is not None else list(self.rules)[:1]
        return {
            "data": {"id": str(number), "text": f"post {number}", "author_id": author, **more},
            "includes": {"users": [{"id": author, "username": f"user{author}", "name": "Ana"}]},
            "matching_rules": [{"id": one, "tag": self.rules.get(one, {}).get("tag", "")} for one in rules],
        }

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        asked = Asked(
            handler.command,
            parts.path,
            {key: values[-1] for key, values in parse_qs(parts.query).items()},
            dict(handler.headers.items()),
            handler.rfile.read(int(handler.headers.get("Content-Length") or 0)),
        )
        self.asked.append(asked)
        if asked.path in self.answers:
            self._send(handler, self.answers[asked.path])
        elif asked.path == "/2/tweets/search/stream":
            self._stream(handler)
        else:
            self._send(handler, self._answer(asked))

    def _answer(self, asked: Asked) -> Answer:
        if asked.path.startswith("/files/"):
            if asked.method == "PUT":
                self.files[asked.path] = asked.body
                return Answer(b"")
            return Answer(self.files[asked.path])
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answer(b'{"title": "Unauthorized", "status": 401}', 401)
        if asked.path == "/2/tweets/search/recent":
            answer = self.search(asked)
            answer.headers |= {
                "x-rate-limit-limit": "450",
                "x-rate-limit-remaining": "449",
                "x-rate-limit-reset": "1900000000",
            }
            return answer
        given = {
            "/2/tweets/search/stream/rules": self._rules,
            "/2/tweets": self._lookup,
            "/2/tweets/counts/recent": lambda asked: {"data": [], "meta": {"total_tweet_count": self.counted}},
            "/2/compliance/jobs": self._jobs,
            "/2/usage/tweets": lambda asked: {"data": {"project_usage": "0"}},
        }.get(asked.path, self._job)(asked)
        return Answer(json.dumps(given).encode(), headers={"Content-Type": "application/json"})

    def _rules(self, asked: Asked) -> dict[str, Any]:
        if asked.method == "POST":
            body = json.loads(asked.body)
            for number in body.get("delete", {}).get("ids", ()):
                del self.rules[number]
            added = []
            for rule in body.get("add", ()):
                added.append({**rule, "id": str(self._next)})
                self.rules[str(self._next)] = rule
                self._next += 1
            return {"data": added, "meta": {"summary": {"created": len(added)}}} if added else {"meta": {}}
        rules = [{"id": number, **rule} for number, rule in self.rules.items()]
        return {"data": rules, "meta": {"result_count": len(rules)}} if rules else {"meta": {"result_count": 0}}

    def _lookup(self, asked: Asked) -> dict[str, Any]:
        found, errors = [], []
        for one in asked.query["ids"].split(","):
            if one in self.gone:
                kind = f"https://api.twitter.com/2/problems/{self.gone[one]}"
                errors.append({"resource_type": "tweet", "resource_id": one, "parameter": "ids", "type": kind})
            else:
                found.append({"id": one, "text": f"post {one}", "author_id": "7"})
        return {**({"data": found} if found else {}), **({"errors": errors} if errors else {})}

    def _jobs(self, asked: Asked) -> dict[str, Any]:
        if asked.method == "GET":
            return {"data": self.jobs, "meta": {}} if self.jobs else {"meta": {"result_count": 0}}
        number = str(len(self.jobs) + 1)
        job = {
            "id": number,
            "status": "created",
            "created_at": "2026-05-04T12:00:00.000Z",
            "upload_url": f"{self.store_url}/files/up{number}",
            "download_url": f"{self.store_url}/files/down{number}",
            **json.loads(asked.body),
        }
        self.jobs.append(job)
        return {"data": job}

    def _job(self, asked: Asked) -> dict[str, Any]:
        job = self.jobs[int(asked.path.rpartition("/")[2]) - 1]
        job["status"] = self.job_answers.pop(0) if self.job_answers else "in_progress"
        if job["status"] == "complete":
            ids = self.files[f"/files/up{job['id']}"].decode().split()
            lines = [{"id": one, "action": "delete", "reason": self.gone[one]} for one in ids if one in self.gone]
            self.files[f"/files/down{job['id']}"] = "\n".join(map(json.dumps, lines)).encode()
        return {"data": job}

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.flush()
        self.left.clear()
        self.connected.set()
        try:
            while not self.closed.is_set():
                try:
                    line = self._lines.get(timeout=0.02)
                except Empty:
                    # A client that hangs up is seen only when something is read from it.
                    handler.connection.setblocking(False)
                    try:
                        if handler.connection.recv(1) == b"":
                            return
                    except BlockingIOError:
                        pass
                    finally:
                        handler.connection.setblocking(True)
                    continue
                if line == "fin":
                    handler.wfile.write(b"0\r\n\r\n")
                    return
                if line == "rst":
                    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                part = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\r\n"
                handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                handler.wfile.flush()
        finally:
            self.connected.clear()
            self.left.set()

    def close(self) -> None:
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        assert not self.broken, self.broken


@contextmanager
def x_world() -> Iterator[World]:
    world = World()
    try:
        yield world
    finally:
        world.close()
