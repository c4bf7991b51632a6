"""Walks every route with every role: whoever has the right a route names is let in, everybody else is told not-permitted.

Rights come from the sources (roles.def, routes.def), not from the manager under test.
usage: manager_roles.py SOURCE PORT CA.pem ADMINISTRATOR.pem ADMINISTRATOR.key
"""

import http.client
import json
import re
import ssl
import sys

source, port, authority, certificate, key = sys.argv[1:]


def text(path):
    with open(f"{source}/manager/{path}", encoding="utf-8") as file:
        return re.sub(r'"\s*\n\s*"', "", re.sub(r"//.*", "", file.read()))


all_rights = re.findall(r"CARDEA_RIGHT\((\w+)", text("domain/rights.def"))
roles = {}
for name, scope, rights in re.findall(r'CARDEA_ROLE\((\w+), (\w+),\s*"([^"]*)"\)', text("domain/roles.def")):
    roles[name] = set(all_rights if rights == "*" else rights.split()), scope
routes = re.findall(r'ROUTE\((\w+), "([^"]+)", \w+, (\w+),', text("http/routes.def"))
assert len(all_rights) > 20 and len(roles) > 10 and len(routes) > 50, "the tables are not understood"


def connection(with_certificate):
    context = ssl.create_default_context(cafile=authority)
    if with_certificate:
        context.load_cert_chain(certificate, key)
    return http.client.HTTPSConnection("localhost", int(port), context=context, timeout=60)


def call(connected, method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connected.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connected.getresponse()
    content = answer.read()
    problem = json.loads(content) if answer.headers.get("Content-Type", "").startswith("application/problem+json") else {}
    return answer.status, problem.get("type", "").rsplit(":", 1)[-1], content


administrator = connection(True)
scripts = connection(False)
wrong = []
walked = 0
for role, (rights, _) in roles.items():
    status, _, content = call(administrator, "POST", "/v1/operators", {"name": f"r-{role}", "roles": [role], "scope": "all"})
    assert status == 201, content
    number = json.loads(content)["id"]
    status, _, content = call(administrator, "POST", f"/v1/operators/{number}/access-tokens",
                              {"name": "walk", "valid_days": 1})
    assert status == 201, content
    token = json.loads(content)["access_token"]
    for method, pattern, access in routes:
        verb = {"del": "DELETE"}.get(method, method.upper())
        path = re.sub(r"\{[^}]*\}", "999999999", pattern)
        body = {} if verb in ("POST", "PATCH", "PUT") else None
        status, problem, _ = call(scripts, verb, path, body, token)
        walked += 1
        refused = problem == "not-permitted"
        if access in all_rights and refused == (access in rights):
            wrong.append(f"{role}: {verb} {pattern} needs {access}: {status} {problem}")
        if status >= 500 or problem == "not-authenticated":
            wrong.append(f"{role}: {verb} {pattern}: {status} {problem}")
for line in wrong:
    print(line)
print(f"{walked} calls by {len(roles)} roles, {len(wrong)} wrong")
sys.exit(1 if wrong else 0)
