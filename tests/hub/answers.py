"""What the small Hub answers to each request of the huggingface_hub client."""

import base64
import hashlib
import json
import re
import socket
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from .repos import LARGE, MOCKED, PART, READER, TOKEN, USER, Commit, Repo

if TYPE_CHECKING:
    from .server import Hub


class Handler(BaseHTTPRequestHandler):
    """One connection; `ROUTES` says which method answers what."""

    hub: "Hub"
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Remember the connection, which a client keeps open, so that the server can end."""
        super().setup()
        self.hub.connections.append(self.connection)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._handle()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _handle(self) -> None:
        self.url = urlsplit(self.path)
        line = f"{self.command} {unquote(self.url.path)}"
        with self.hub.lock:
            self.hub.seen.append(line)
            fault = next((f for f in self.hub.faults if f.times and f.request.search(line)), None)
            if fault:
                fault.times -= 1
        self.cut_after = fault.cut_after if fault else None
        if self.cut_after is not None and self.command in ("PUT", "POST"):
            self.rfile.read(self.cut_after)
            return self._cut()
        self.body = self._read_body()
        if fault and fault.before:
            fault.before()
        if fault and fault.lose_answer:
            self.cut_after = -1
        if fault and fault.status:
            return self.answer({"error": "as asked for"}, fault.status, **fault.headers)
        for pattern, name in ROUTES:
            if match := pattern.fullmatch(line):
                with self.hub.lock:
                    return getattr(self, name)(**{k: v for k, v in match.groupdict().items() if v})
        return self.answer({"error": f"no such route: {line}"}, 404)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answer with bytes, or with their beginning if the connection is to be cut."""
        if self.cut_after == -1:
            return self._cut()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body if self.cut_after is None else body[: self.cut_after])
        if self.cut_after is not None:
            self._cut()

    def answer(self, value: Any, status: int = 200, **headers: str) -> None:
        """Answer with JSON; header names are written with `_` for `-`."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self.send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})

    @property
    def user(self) -> str | None:
        """Who the token says that is asking."""
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return {TOKEN: USER, MOCKED: USER, READER: "reader"}.get(given)

    def find(self, kind: str, name: str) -> Repo | None:
        """A repo that whoever asks may see; answers if there is none."""
        given = self.headers.get("Authorization")
        if given and self.user is None:
            self.answer(
                {"error": "Invalid user token"}, 401, X_Error_Message="Invalid credentials in Authorization header"
            )
            return None
        repo = self.hub.repos.get((kind, name))
        if repo is None or (repo.private and self.user != USER):
            status = 404 if self.user else 401
            self.answer({"error": "Repository not found"}, status, X_Error_Code="RepoNotFound")
            return None
        return repo

    def at(self, repo: Repo, revision: str) -> Commit | None:
        """A repo's commit; answers if there is none."""
        found = repo.find(revision)
        if found is None:
            self.answer({"error": "Invalid rev id"}, 404, X_Error_Code="RevisionNotFound")
        return found

    def may_write(self, kind: str, name: str) -> Repo | None:
        """A repo that whoever asks may write to; answers if not."""
        repo = self.find(kind, name)
        if repo is not None and self.user != USER:
            self.answer({"error": f"You have no right to write to {name}"}, 403)
            return None
        return repo

    def whoami(self) -> None:
        if self.user is None:
            return self.answer({"error": "Invalid username or password."}, 401)
        self.answer({"type": "user", "name": self.user, "fullname": self.user, "avatarUrl": "", "orgs": []})

    def create(self) -> None:
        wanted = json.loads(self.body)
        kind, name = wanted.get("type", "model"), f"{wanted['organization'] or self.user}/{wanted['name']}"
        if self.user is None:
            return self.answer({"error": "Invalid username or password."}, 401)
        if name.split("/")[0] != self.user:
            return self.answer({"error": f"You don't have the rights to create a {kind} there"}, 403)
        url = f"{self.hub.url}/{'' if kind == 'model' else f'{kind}s/'}{name}"
        if (kind, name) in self.hub.repos:
            return self.answer({"error": "You already created this repo", "url": url}, 409)
        repo = self.hub.repos[kind, name] = Repo(wanted.get("visibility") == "private")
        repo.sdk, repo.hardware = wanted.get("sdk"), wanted.get("hardware")
        repo.variables = {v["key"]: v["value"] for v in wanted.get("variables", [])}
        self.answer({"url": url, "id": name})

    def validate_yaml(self) -> None:
        content = json.loads(self.body)["content"]
        if not content.startswith("---\n"):
            return self.answer({"errors": [{"message": "no front matter"}], "warnings": []}, 400)
        self.answer({"errors": [], "warnings": []})

    def branch(self, kind: str, name: str, branch: str) -> None:
        repo = self.may_write(kind, name)
        if repo is None:
            return
        if branch in repo.branches:
            return self.answer({"error": "Reference already exists"}, 409)
        repo.branches[branch] = repo.main
        self.answer({})

    def info(self, kind: str, name: str, revision: str = "main") -> None:
        repo = self.find(kind, name)
        commit = repo and self.at(repo, revision)
        if repo and commit:
            self.answer({
                "id": name, "modelId": name, "sha": commit.sha, "private": repo.private, "tags": [],
                "siblings": [{"rfilename": path} for path in commit.files],
            })  # fmt: skip

    def models(self) -> None:
        author = parse_qs(self.url.query).get("author", [None])[0]
        seen = [
            {"id": name, "modelId": name, "private": repo.private, "tags": [], "library_name": "i2i_models"}
            for (kind, name), repo in self.hub.repos.items()
            if kind == "model" and name.split("/")[0] == author and (not repo.private or self.user == USER)
        ]
        self.answer(seen)

    def tree(self, kind: str, name: str, revision: str) -> None:
        repo = self.find(kind, name)
        commit = repo and self.at(repo, revision)
        if commit:
            self.answer([_entry(path, content) for path, content in commit.files.items()])

    def preupload(self, kind: str, name: str, branch: str) -> None:
        repo = self.may_write(kind, name)
        commit = repo and self.at(repo, branch)
        if not commit:
            return
        files = []
        for file in json.loads(self.body)["files"]:
            there = commit.files.get(file["path"])
            mode = "lfs" if file["size"] >= LARGE else "regular"
            oid = None if there is None else hashlib.sha256(there).hexdigest() if mode == "lfs" else git_hash(there)
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self.answer({"files": files})

    def batch(self, name: str) -> None:
        place, _, rest = name.partition("/")
        kind, name = (place[:-1], rest) if place in ("spaces", "datasets") else ("model", name)
        if self.may_write(kind, name) is None:
            return
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            oid, size = wanted["oid"], wanted["size"]
            action: dict[str, Any] = {"href": f"{self.hub.storage}/store/{oid}"}
            if size >= PART:
                places = {f"{i:05}": f"{action['href']}/{i}?signature=s3cr3t" for i in range(1, -(-size // PART) + 1)}
                action = {"href": f"{self.hub.url}/complete/{oid}", "header": {"chunk_size": str(PART), **places}}
            verify = {"href": f"{self.hub.url}/verify/{oid}"}
            known = {} if oid in self.hub.objects else {"actions": {"upload": action, "verify": verify}}
            objects.append({"oid": oid, "size": size, **known})
        self.answer({"transfer": "multipart", "objects": objects})

    def store(self, oid: str, part: str = "") -> None:
        if self.headers.get("Authorization"):
            self.hub.leaks.append(self.path)
        if part:
            self.hub.parts.setdefault(oid, {})[int(part)] = self.body
        else:
            self.keep(oid, self.body)
        self.answer({}, ETag=f'"{hashlib.md5(self.body).hexdigest()}"')

    def keep(self, oid: str, content: bytes) -> bool:
        """Take an object if it is what it says that it is."""
        whole = hashlib.sha256(content).hexdigest() == oid
        if whole:
            self.hub.objects[oid] = content
        return whole

    def complete(self, oid: str) -> None:
        stored = self.hub.parts.pop(oid, {})
        named = [part["partNumber"] for part in json.loads(self.body)["parts"]]
        whole = self.keep(oid, b"".join(stored.get(number, b"") for number in named))
        self.answer({}, 200 if whole else 422)

    def verify(self, oid: str) -> None:
        self.answer({}, 200 if oid in self.hub.objects else 404)

    def commit(self, kind: str, name: str, branch: str) -> None:
        repo = self.may_write(kind, name)
        head = repo and self.at(repo, branch)
        if not repo or not head:
            return
        lines = [json.loads(line) for line in self.body.splitlines()]
        header, files = lines[0]["value"], dict(head.files)
        if header.get("parentCommit") not in (None, head.sha):
            return self.answer({"error": "A commit has happened since. Please refresh and try again."}, 412)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.objects:
                    return self.answer({"error": "LFS pointer pointed to a file that does not exist"}, 400)
                files[value["path"]] = self.hub.objects[value["oid"]]
            else:
                files.pop(value["path"], None)
        made = repo.commit(branch, files, header["summary"])
        url = f"{self.hub.url}/{name}/commit/{made.sha}"
        self.answer({"success": True, "commitOid": made.sha, "commitUrl": url, "hookOutput": ""})

    def resolve(self, name: str, revision: str, path: str, dataset: str = "") -> None:
        repo = self.find("dataset" if dataset else "model", name)
        commit = repo and self.at(repo, revision)
        if not commit:
            return
        if path not in commit.files:
            return self.answer({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
        content = commit.files[path]
        headers = {"X-Repo-Commit": commit.sha, "ETag": f'"{git_hash(content)}"'}
        if len(content) < LARGE:
            return self.send(200, content, headers)
        oid = hashlib.sha256(content).hexdigest()
        self.hub.objects[oid] = content
        headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(content))}
        self.send(302, b"", {**headers, "Location": f"{self.hub.storage}/cdn/{oid}"})

    def cdn(self, oid: str) -> None:
        if self.headers.get("Authorization"):
            self.hub.leaks.append(self.path)
        content = self.hub.objects[oid]
        if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(match[1])
            where = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            return self.send(206, content[start:], where)
        self.send(200, content, {"Accept-Ranges": "bytes"})

    def hardware(self, name: str) -> None:
        repo = self.may_write("space", name)
        if repo:
            repo.hardware = json.loads(self.body)["flavor"]
            self.answer({"stage": "BUILDING", "hardware": {"current": None, "requested": repo.hardware}})

    def variables(self, name: str) -> None:
        repo = self.may_write("space", name)
        if repo:
            wanted = json.loads(self.body)
            repo.variables[wanted["key"]] = wanted["value"]
            self.answer({key: {"value": value} for key, value in repo.variables.items()})

    def run_job(self, user: str) -> None:
        if self.user != user:
            return self.answer({"error": "You may not run jobs there"}, 403)
        asked = json.loads(self.body)
        id = f"job{len(self.hub.jobs)}"
        self.hub.jobs[id] = {"asked": asked, "stage": "RUNNING", "logs": []}
        self.answer(self._job(id))

    def _job(self, id: str) -> dict[str, Any]:
        job = self.hub.jobs[id]
        kept = {key: job["asked"].get(key) for key in ("command", "flavor")}
        owner = {"id": "1", "name": USER, "type": "user"}
        return {"id": id, **kept, "status": {"stage": job["stage"], "message": None}, "owner": owner}

    def job(self, user: str, id: str) -> None:
        if self.user != user or id not in self.hub.jobs:
            return self.answer({"error": "Job not found"}, 404)
        self.answer(self._job(id))

    def cancel_job(self, user: str, id: str) -> None:
        if self.user != user or id not in self.hub.jobs:
            return self.answer({"error": "Job not found"}, 404)
        self.hub.jobs[id]["stage"] = "CANCELED"
        self.answer({})

    def job_logs(self, user: str, id: str) -> None:
        lines = self.hub.jobs[id]["logs"]
        events = [f"data: {json.dumps({'data': line, 'timestamp': '2026-01-01T00:00:00Z'})}\n\n" for line in lines]
        self.send(200, "".join(events).encode(), {"Content-Type": "text/event-stream"})

    def collection(self, slug: str) -> None:
        if slug not in self.hub.collections:
            return self.answer({"error": "Collection not found"}, 404)
        items = [
            {"_id": str(i), "id": name, "type": "model", "position": i}
            for i, name in enumerate(self.hub.collections[slug])
        ]
        self.answer({
            "slug": slug, "title": "t", "owner": {"name": USER}, "items": items, "position": 0, "private": False,
            "lastUpdated": "2026-01-01T00:00:00.000Z", "theme": "green", "upvotes": 0,
        })  # fmt: skip


JOB = r"/api/jobs/(?P<user>\w+)/(?P<id>\w+)"
REPO = r"/api/(?P<kind>model|space|dataset)s/(?P<name>[^/]+/[^/]+)"
ROUTES = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"GET /api/whoami-v2", "whoami"),
        (r"POST /api/repos/create", "create"),
        (r"POST /api/validate-yaml", "validate_yaml"),
        (r"GET /api/models", "models"),
        (r"POST /api/jobs/(?P<user>\w+)", "run_job"),
        (rf"GET {JOB}", "job"),
        (rf"POST {JOB}/cancel", "cancel_job"),
        (rf"GET {JOB}/logs", "job_logs"),
        (r"GET /api/collections/(?P<slug>.+)", "collection"),
        (r"POST /api/spaces/(?P<name>[^/]+/[^/]+)/hardware", "hardware"),
        (r"POST /api/spaces/(?P<name>[^/]+/[^/]+)/variables", "variables"),
        (rf"POST {REPO}/branch/(?P<branch>.+)", "branch"),
        (rf"POST {REPO}/preupload/(?P<branch>.+)", "preupload"),
        (rf"POST {REPO}/commit/(?P<branch>.+)", "commit"),
        (rf"GET {REPO}/tree/(?P<revision>[^/]+)", "tree"),
        (rf"GET {REPO}/revision/(?P<revision>.+)", "info"),
        (rf"GET {REPO}", "info"),
        (r"POST /(?P<name>.+)\.git/info/lfs/objects/batch", "batch"),
        (r"PUT /store/(?P<oid>\w+)(/(?P<part>\d+))?", "store"),
        (r"POST /complete/(?P<oid>\w+)", "complete"),
        (r"POST /verify/(?P<oid>\w+)", "verify"),
        (r"GET /cdn/(?P<oid>\w+)", "cdn"),
        (
            r"(GET|HEAD) /(?P<dataset>datasets/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
            "resolve",
        ),
    )
]


def git_hash(content: bytes) -> str:
    """What git names a file's content by."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
    if len(content) >= LARGE:
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry
