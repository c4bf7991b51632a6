"""Bad input on every route: each time a problem with a stable type and a sentence, and nothing stored.

usage: manager_bad_input.py SOURCE PORT PLAIN_PORT DATA PROCESS
"""

import base64
import re
import sys
import threading

from manager_http import Answer, Manager

manager = Manager(*sys.argv[1:])
wrong = []
asked = 0


def check(what, answer, *allowed):
    global asked
    asked += 1
    mistake = manager.judge(answer, *allowed)
    if mistake:
        wrong.append(f"{what}: {mistake}")


def call(*arguments, **named):
    return manager.call(*arguments, **named)


# Something of every kind, so that bad changes have something to spoil.
def make(path, body):
    answer = call("POST", path, body)
    assert answer.status == 201, answer.body
    return answer.json()


person = make("/v1/persons", {"name": "alice"})["id"]
profile = call("GET", "/v1/profiles?limit=1").json()["items"][0]
token = make("/v1/tokens", {"kind": "piv", "serial": "1"})["id"]
clerk = make("/v1/operators", {"name": "clerk", "roles": []})["id"]
access_token = make(f"/v1/operators/{clerk}/access-tokens", {"name": "t", "valid_days": 1})
request = make("/v1/requests", {"kind": "issue", "person": person, "profile": profile["name"]})["id"]
# What {id} is where there is something; the rest is walked with an id that nothing has.
present = {
    "persons": person, "profiles": profile["id"], "tokens": token, "requests": request, "certificates": 1, "cas": 1,
    "policies": 1, "operators": clerk,
}

unknown_ids = [
    "999999999", "0", "-1", "+1", "1.0", "1e3", "0x1", "abc", "9223372036854775807", "9223372036854775808", "9" * 40,
    "%20", "1%2F2", "%C3%A9", "1%27%20OR%201%3D1--", "..%2F..%2Fetc%2Fpasswd", "a" * 2000,
]
junk_bodies = [
    b"{", b"}", b"{]", b'{"a":', b'"a"', b"[]", b"5", b"null", b"true", b"\x00", b"{}{}", b"{} x", b"\xff\xfe{}",
    b'{"a":1,}', b"{'a':1}", b'{"a":NaN}', b'{"a":1e99999}', b'{"a":"\xc3\x28"}', b'{"a":"\\ud800"}', b'{"a":"\t"}',
    b'{"a":1,"a":2}', b"[" * 100_000, b'{"a":' * 50_000, b'{"a":"' + b"x" * 100_000, b"\xef\xbb\xbf{}",
    b'{"surplus":1}', b'{"":1}',
]
wrong_types = ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data; boundary=x",
               "application", "/", "application/xml", "text/json"]


def wrong_values(schema):
    """Values that a member of this schema must not have."""
    others = {
        "string": [5, 1.5, True, [], {}, ["x"], "", "x\u0000y", "x" * (schema.get("maxLength", 100_000) + 1)],
        "integer": ["1", 1.5, True, [], {}, -1, 2**70, -(2**70), 1e300],
        "boolean": ["true", 0, 1, [], {}],
        "array": ["x", 5, {}, [[]], [{}], [5.5], [None], ["x" * 100_000]],
        "object": ["x", 5, [], True],
    }
    if "enum" in schema:
        return [5, [], {}, True, "", "nonsense", "x" * 100_000]
    return others[schema["type"]]


def path_of(pattern, there):
    kind = pattern.split("/")[2] if pattern.count("/") > 1 else ""
    number = str(present[kind]) if there and kind in present else "999999999"
    return re.sub(r"\{[^}]*\}", number if "{id}" in pattern else "nobody", pattern)


def walk_methods(pattern):
    # A fixed word is a row's path too.
    path = path_of(pattern, True)
    served = {m.upper().replace("DEL", "DELETE") for m, p, _, _ in manager.routes
              if "..." not in p and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", p), path)}
    if "GET" in served:
        served.add("HEAD")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} - served:
        answer = call(method, path)
        check(f"{method} {pattern}", answer, "method-not-allowed")
        if not answer.headers.get("Allow"):
            wrong.append(f"{method} {pattern}: the answer does not say what is allowed")


def walk_ids(method, pattern, access):
    body = {} if method in ("POST", "PUT", "PATCH") else None
    for text in unknown_ids if "{id}" in pattern else []:
        allowed = ["not-found", "invalid-content"]
        if access == "agent":
            allowed.append("not-authenticated")
        check(f"{method} {pattern} with {text[:40]}", call(method, pattern.replace("{id}", text), body), *allowed)
    for text in ["%00", "%", "%4", "%zz", "%ff", "%c3%28"] if "{" in pattern and "..." not in pattern else []:
        check(f"{method} {pattern} with {text}", call(method, re.sub(r"\{[^}]*\}", text, pattern), body),
              "malformed-request")


def walk_bodies(method, pattern, operation, access):
    described = manager.operations[operation]
    if described.get("body_type"):
        return
    path = path_of(pattern, True)
    allowed = ["invalid-content"]
    # A device shows its secret before its body is looked at, and a job that is not there has none to look at.
    if access == "agent" and "{id}" in pattern:
        allowed = ["not-found", "not-authenticated"]
    for body in junk_bodies:
        too_large = ["body-too-large"] if len(body) > 4096 else []
        check(f"{method} {pattern} with {body[:30]!r}", call(method, path, body), *allowed, *too_large)
    for kind in wrong_types:
        check(f"{method} {pattern} as {kind}", call(method, path, b"{}", {"Content-Type": kind}), "wrong-content-type")
    for member, schema in manager.schemas[described["body"]]["properties"].items():
        for value in wrong_values(schema):
            answer = call(method, path, {member: value})
            check(f"{method} {pattern} with {member}={str(value)[:40]!r}", answer, *allowed)
            named = [e["pointer"] for e in answer.json().get("errors", [])]
            if answer.status == 422 and not any(p.startswith("/" + member) for p in named):
                wrong.append(f"{method} {pattern} with {member}={str(value)[:40]!r}: not named, but {named}")


def walk_sizes(method, pattern, operation):
    path = path_of(pattern, True)
    kind = manager.operations[operation].get("body_type", "application/json")
    for length in (2**22, 2**40, 2**63 - 1):
        connection = manager.connect(True)
        connection.putrequest(method, path)
        connection.putheader("Content-Type", kind)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()  # and nothing more: the answer comes without the body
        answer = connection.getresponse()
        check(f"{method} {pattern} with {length} bytes", Answer(answer.status, answer.headers, answer.read()),
              "body-too-large")
        connection.close()


def walk_queries(pattern):
    path = path_of(pattern, True)
    for query in ("colour=red", "limit=0", "limit=-1", "limit=1001", "limit=abc", "limit=" + "9" * 30, "person=x",
                  "from=yesterday", "to=2026-13-45T99:99:99Z", "cursor=junk", "cursor=" + "A" * 1000, "q=" + "x" * 5000,
                  "state=nonsense&limit=x", "x" + "%C3%A4" * 40 + "=1"):
        check(f"GET {pattern}?{query[:40]}", call("GET", f"{path}?{query}"), "invalid-content")
    for query in ("q=%", "q=%ff", "%zz=1", "q=%00"):
        check(f"GET {pattern}?{query}", call("GET", f"{path}?{query}"), "malformed-request")


def walk_without_rights():
    nobody = manager.connect()
    strangers = {"Authorization": "Bearer nobody"}, {"Authorization": "Basic YTpi"}, {"Authorization": ""}, {}
    for method, pattern, _, access in manager.routes:
        verb = method.upper().replace("DEL", "DELETE")
        body = {} if verb in ("POST", "PUT", "PATCH") else None
        if access in ("open", "published", "agent"):
            continue
        for headers in strangers:
            answer = call(verb, path_of(pattern, True), body, headers, nobody)
            check(f"{verb} {pattern} by nobody", answer, "not-authenticated")
            if "WWW-Authenticate" not in answer.headers:
                wrong.append(f"{verb} {pattern} by nobody: the answer does not say how to log on")
        # An operator without any role.
        if access != "anyone":
            holder = {"Authorization": f"Bearer {access_token['access_token']}"}
            check(f"{verb} {pattern} without rights", call(verb, path_of(pattern, True), body, holder, nobody),
                  "not-permitted")


def walk_paths():
    for path in ("/", "/v1", "/v1/", "/v2/persons", "//v1/persons", "/v1//persons", "/v1/persons/1/x",
                 "/v1/../v1/persons", "/v1/persons;x=1", "/V1/persons", "/" + "a/" * 3000, "/index.html", "/.git/config"):
        check(f"GET {path[:40]}", call("GET", path), "not-found")


def walk_ocsp():
    for body in (b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x00" * 60_000, b"{}"):
        answer = call("POST", "/ocsp/issuing", body, {"Content-Type": "application/ocsp-request"})
        # RFC 6960, 4.2.1: an OCSPResponse of nothing but the status malformedRequest (1).
        if answer.status != 200 or answer.body != b"\x30\x03\x0a\x01\x01":
            wrong.append(f"OCSP {body[:10]!r}: {answer.status} {answer.body[:60]!r}")
        encoded = base64.b64encode(body[:2000]).decode().replace("/", "%2F").replace("+", "%2B")
        if encoded and call("GET", f"/ocsp/issuing/{encoded}").body != b"\x30\x03\x0a\x01\x01":
            wrong.append(f"OCSP by GET with {body[:10]!r}")
    check("OCSP as JSON", call("POST", "/ocsp/issuing", b"{}"), "wrong-content-type")
    check("OCSP of nobody", call("POST", "/ocsp/nobody", b"0", {"Content-Type": "application/ocsp-request"}), "not-found")
    for path in ("/crl/nobody.crl", "/certificates/nobody.cer", "/crl/..", "/crl/%2e%2e%2fmanager.db"):
        check(f"GET {path}", call("GET", path), "not-found")


def walk_everything():
    for pattern in dict.fromkeys(route[1] for route in manager.routes):
        if "..." not in pattern:
            walk_methods(pattern)
    for method, pattern, operation, access in manager.routes:
        verb = method.upper().replace("DEL", "DELETE")
        walk_ids(verb, pattern, access)
        if verb in ("POST", "PUT", "PATCH"):
            walk_bodies(verb, pattern, operation, access)
            walk_sizes(verb, pattern, operation)
        if operation.startswith("list_") and "list" in manager.operations[operation]:
            walk_queries(pattern)
    walk_without_rights()
    walk_paths()
    walk_ocsp()


def changed(before):
    """Tables whose rows became more or fewer. What was refused for want of rights may be audited."""
    return {name: (before[name], count) for name, count in manager.rows().items() if before[name] != count}


def shown(answer):
    """What an answer says, and what its repetition must say as well."""
    return answer.status, answer.body, answer.headers.get("Location"), answer.headers.get("ETag")


def walk_repetitions():
    """The same key is the same request, whatever happens to it."""
    bodies = {
        "/v1/persons": ({"name": "bob"}, {"name": "carol"}),
        "/v1/tokens": ({"kind": "piv", "serial": "2"}, {"kind": "piv", "serial": "3"}),
        "/v1/operators": ({"name": "second"}, {"name": "third"}),
        "/v1/requests": ({"kind": "issue", "person": person, "profile": profile["name"]},
                         {"kind": "issue", "person": person, "profile": profile["name"], "reason": "lost"}),
        f"/v1/operators/{clerk}/access-tokens": ({"name": "a", "valid_days": 1}, {"name": "b", "valid_days": 1}),
        f"/v1/requests/{request}/cancel": ({}, None),
    }
    for path, (good, other) in bodies.items():
        key = {"Idempotency-Key": f"key of {path}"}
        first = call("POST", path, good, key)
        before = manager.rows()
        again = call("POST", path, good, key)
        if first.status >= 300:
            wrong.append(f"{path}: {first.status} {first.body[:200]!r}")
        elif path.endswith("access-tokens"):  # what it showed is shown once
            check(f"{path} again", again, "conflict")
        elif shown(again) != shown(first) or "Idempotent-Replayed" not in again.headers:
            wrong.append(f"{path} again: {again.status} {again.body[:200]!r}")
        if other is not None:
            check(f"{path} with another body", call("POST", path, other, key), "idempotency-key-reused")
        check("its key elsewhere", call("POST", "/v1/persons", {"name": "elsewhere"}, key), "idempotency-key-reused")
        if changed(before):
            wrong.append(f"{path}: repeating stored something: {changed(before)}")
    # A refusal is repeated as well, and so is a body that cannot be read.
    for body in ({"name": 5}, b"{"):
        key = {"Idempotency-Key": f"bad {body!r}"[:40]}
        check("a bad body with a key", call("POST", "/v1/persons", body, key), "invalid-content")
        check("and again", call("POST", "/v1/persons", body, key), "invalid-content")
    for key in ("", "x" * 129):
        check("a bad key", call("POST", "/v1/persons", {"name": "x"}, {"Idempotency-Key": key}), "malformed-request")


def race_of_one_key():
    """Ten clients send one request with one key at once: it is carried out once."""
    results = []

    def send():
        connection = manager.connect(True)
        results.append(call("POST", "/v1/persons", {"name": "dora"}, {"Idempotency-Key": "race"}, connection))
        connection.close()

    before = manager.rows()
    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if manager.rows()["people"] != before["people"] + 1:
        wrong.append("a race of one key did not add one person")
    for answer in results:
        if answer.status != 201:
            check("the race of one key", answer, "conflict")
    if not any(answer.status == 201 for answer in results):
        wrong.append("nobody won the race of one key")


before = manager.rows()
walk_everything()
if changed(before):
    wrong.append(f"bad input stored something: {changed(before)}")
walked = asked
walk_repetitions()
race_of_one_key()
for line in wrong[:100]:
    print(line)
print(f"{walked} bad requests on {len(manager.routes)} routes and {asked - walked} repeated ones, {len(wrong)} wrong")
sys.exit(1 if wrong else 0)
