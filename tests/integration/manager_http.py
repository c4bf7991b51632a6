"""A client of the manager's tests: kept connections, problems judged, rows counted in the database itself."""

import http.client
import json
import re
import sqlite3
import ssl


class Manager:
    """A running manager: its ports, its folder, its process, and the tables of the sources."""

    def __init__(self, source, port, plain_port, data, process):
        self.source, self.data = source, data
        self.port, self.plain_port, self.process = int(port), int(plain_port), int(process)
        with open(f"{source}/manager/http/operations.json", encoding="utf-8") as file:
            described = json.load(file)
        self.operations, self.schemas = described["operations"], described["schemas"]
        self.routes = re.findall(r'ROUTE\((\w+), "([^"]+)", (\w+), (\w+),', self.table("http/routes.def"))
        self.problems = {
            name.replace("_", "-"): int(status)
            for name, status in re.findall(r"PROBLEM\((\w+), (\d+),", self.table("http/problems.def"))
        }
        assert len(self.routes) > 50 and len(self.problems) > 15, "the tables are not understood"
        self.administrator = None

    def table(self, path):
        with open(f"{self.source}/manager/{path}", encoding="utf-8") as file:
            return re.sub(r'"\s*\n\s*"', "", re.sub(r"//.*", "", file.read()))

    def tls(self, with_certificate=False):
        context = ssl.create_default_context(cafile=f"{self.data}/ca.pem")
        if with_certificate:
            context.load_cert_chain(f"{self.data}/administrator.pem", f"{self.data}/administrator.key")
        return context

    def connect(self, with_certificate=False):
        return http.client.HTTPSConnection("localhost", self.port, context=self.tls(with_certificate), timeout=60)

    def call(self, method, path, body=None, headers=None, connection=None):
        """As the administrator on a kept connection, unless told another. A body that is no bytes is sent as JSON."""
        if connection is None:
            if self.administrator is None:
                self.administrator = self.connect(True)
            connection = self.administrator
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, body, {k: v for k, v in headers.items() if v is not None})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def rows(self):
        """How many rows each table has; idempotency keys are apart."""
        database = sqlite3.connect(f"file:{self.data}/manager.db?mode=ro", uri=True, timeout=20)
        try:
            names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
        finally:
            database.close()

    def memory(self):
        """Resident KiB of the process."""
        with open(f"/proc/{self.process}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))

    def judge(self, answer, *allowed):
        """What is wrong with an answer that has to be one of these problems (RFC 9457, 3); nothing: None."""
        kind = answer.headers.get("Content-Type", "")
        if kind != "application/problem+json":
            return f"{answer.status} {kind}, no problem: {answer.body[:200]!r}"
        problem = json.loads(answer.body)
        name = problem.get("type", "").removeprefix("urn:cardea:problem:")
        if name not in allowed:
            return f"{name}, not {' or '.join(allowed)}: {answer.body[:300]!r}"
        if problem.get("status") != answer.status or self.problems[name] != answer.status:
            return f"{name} with the status {answer.status}: {answer.body[:300]!r}"
        if not problem.get("title") or not re.fullmatch(r"[A-Z'0-9/].{8,}[.?]", problem.get("detail", ""), re.DOTALL):
            return f"no sentence: {answer.body[:300]!r}"
        return None


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)
