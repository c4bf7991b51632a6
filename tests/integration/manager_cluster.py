"""Three daemons on one database at once: certificates issued and revoked, CRLs published, jobs begun, at all of them; one
is killed in the middle, and what it was asked is asked of another under the same idempotency key.

usage: manager_cluster.py SOURCE DATA CSR_DER PORT:PROCESS PORT:PROCESS PORT:PROCESS TOKEN_SERIAL...
"""

import base64
import http.client
import json
import os
import signal
import sys
import threading

from manager_http import Manager

source, data, csr_file = sys.argv[1:4]
daemons = [Manager(source, port, 0, data, process) for port, process in (a.split(":") for a in sys.argv[4:7])]
serials = sys.argv[7:]
with open(csr_file, "rb") as file:
    csr = base64.b64encode(file.read()).decode()
wrong = []
lock = threading.Lock()
issued = {}  # number: serial
revoked = set()  # numbers
crl_numbers = []
per_worker = 30
killed = threading.Event()


def said(mistake):
    with lock:
        wrong.append(mistake)


class Worker:
    """Asks one daemon; when that is gone, the next."""

    def __init__(self, at, name):
        self.at, self.name, self.count = at, name, 0
        self.connection = daemons[at].connect(True)

    def post(self, path, body):
        self.count += 1
        key = {"Idempotency-Key": f"{self.name} {self.count}"}
        for _ in range(50):
            try:
                answer = daemons[self.at].call("POST", path, body, key, self.connection)
            except (ConnectionError, http.client.HTTPException, OSError):
                self.connection.close()
                self.at = (self.at + 1) % len(daemons)
                self.connection = daemons[self.at].connect(True)
                continue
            if answer.status == 409 and b"was begun and cut off" in answer.body:
                return None  # killed with the daemon; whether it was done is looked up at the end
            if answer.status in (409, 503):
                threading.Event().wait(0.1)
                continue
            return answer
        said(f"{self.name}: nobody answers")
        return None


def work(at, name):
    worker = Worker(at, name)
    for i in range(per_worker):
        answer = worker.post("/v1/certificates", {"policy": "tls-client", "csr": csr, "subject": f"CN={name} {i}"})
        if answer is None:
            continue
        if answer.status != 201:
            said(f"{name}: {answer.status} {answer.body[:200]!r}")
            continue
        certificate = answer.json()
        with lock:
            issued[certificate["id"]] = certificate["serial"]
        if i % 3 == 0:
            answer = worker.post(f"/v1/certificates/{certificate['id']}/revoke", {"reason": "superseded"})
            if answer is not None and answer.status == 200:
                with lock:
                    revoked.add(certificate["id"])
        if i % 10 == 0:
            answer = worker.post("/v1/cas/2/crl", {})
            if answer is not None and answer.status == 200:
                with lock:
                    crl_numbers.append(answer.json()["number"])
        if i == per_worker // 2 and name == "c 0":
            os.kill(daemons[2].process, signal.SIGKILL)
            killed.set()


def ask_for_jobs():
    """Every token's certificates are to be suspended; whichever daemon comes first does it."""
    worker = Worker(0, "jobs")
    tokens = daemons[0].call("GET", "/v1/tokens?state=issued&limit=1000").json()["items"]
    numbers = []
    for token in tokens:
        if token["serial"] not in serials:
            continue
        answer = worker.post("/v1/requests", {"kind": "disable", "person": token["person"], "token": token["id"],
                                              "reason": "lost"})
        if answer is None or answer.status != 201:
            said(f"no request to disable: {answer and answer.body[:200]!r}")
        else:
            numbers.append(answer.json()["id"])
    return numbers


def everything(path):
    items, cursor = [], ""
    while True:
        page = daemons[0].call("GET", f"{path}limit=1000{cursor}").json()
        items += page["items"]
        if not page["next"]:
            return items
        cursor = f"&cursor={page['next']}"


names = [(at, f"{letter} {i}") for at, letter in enumerate("abc") for i in range(2)]
threads = [threading.Thread(target=work, args=pair) for pair in names]
for thread in threads:
    thread.start()
requests = ask_for_jobs()
for thread in threads:
    thread.join()
assert killed.is_set() and len(requests) == len(serials), (requests, serials, wrong)

# The jobs come to their end, those that the killed daemon had begun when its claim has run out.
for _ in range(900):
    states = [daemons[0].call("GET", f"/v1/requests/{number}").json()["state"] for number in requests]
    if all(state == "completed" for state in states):
        break
    threading.Event().wait(0.1)
else:
    said(f"jobs do not end: {states}")

rows = everything("/v1/certificates?")
by_number = {row["id"]: row for row in rows}
known = [row["serial"] for row in rows if row["serial"]]
if len(known) != len(set(known)):
    said("a serial number was given twice")
for number, serial in issued.items():
    if by_number.get(number, {}).get("serial") != serial:
        said(f"certificate {number} is lost")
for row in rows:
    subject = row["subject"]
    if sum(other["subject"] == subject and other["policy"] == "tls-client" for other in rows) > 1 and subject.split(" ")[0] \
            in ("CN=a", "CN=b", "CN=c"):
        said(f"{subject} was issued twice")
for number in revoked:
    if by_number[number]["state"] != "revoked":
        said(f"certificate {number} is {by_number[number]['state']}")
if len(crl_numbers) != len(set(crl_numbers)):
    said(f"a CRL number was given twice: {sorted(crl_numbers)}")
events = everything("/v1/audit/events?")
for number in requests:
    done = [event for event in events if event["action"] == "request_made" and event["subject"] == f"request:{number}"]
    if len(done) != 1:
        said(f"request {number} was asked for {len(done)} times")
jobs = [job for job in everything("/v1/jobs?") if job["request"] in requests]
for job in jobs:
    done = [event for event in events if event["action"] == "job_completed" and event["subject"] == f"job:{job['id']}"]
    if len(done) != 1:
        said(f"job {job['id']} was completed {len(done)} times")
if len(jobs) != len(requests):
    said(f"{len(jobs)} jobs for {len(requests)} requests")
suspended = [row for row in rows if row["state"] == "suspended"]
by_certificate = [e["subject"] for e in events if e["action"] == "certificate_suspended"]
if not suspended or len(by_certificate) != len(set(by_certificate)):
    said(f"{len(suspended)} certificates suspended, by {len(by_certificate)} events")
verdict = daemons[0].call("GET", "/v1/audit/verification").json()
if not verdict["intact"]:
    said(f"the audit log is broken: {verdict}")
with open(f"{data}/revoked-serials", "w", encoding="utf-8") as file:
    file.writelines(by_number[number]["serial"] + "\n" for number in sorted(revoked))
for line in wrong[:40]:
    print(line)
print(f"{len(issued)} certificates, {len(revoked)} revoked, {len(crl_numbers)} CRLs, {len(jobs)} jobs, "
      f"{verdict['events']} audit events, {len(wrong)} wrong")
sys.exit(1 if wrong else 0)
