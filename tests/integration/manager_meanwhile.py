"""Stands between the command line and a manager, and changes each thing that was read before the answer to its reader
is on its way: whoever changes what they read comes too late.

manager_meanwhile.py DATA PORT: serves with the manager's own certificate, as whoever the caller logs on as; prints the
port it has."""

import http.client
import http.server
import json
import random
import re
import ssl
import sys

data, manager_port = sys.argv[1], int(sys.argv[2])
CHANGES = {
    "persons": {"department": "meanwhile"},
    "profiles": {"enabled": False},
    "tokens": {"label": "meanwhile"},
    "operators": {"department": "meanwhile"},
    "cas": {"retry_schedule": "7;0"},
    "policies": {"enabled": False},
}


def ask(method, path, headers, body=None):
    tls = ssl.create_default_context(cafile=f"{data}/ca.pem")
    connection = http.client.HTTPSConnection("localhost", manager_port, context=tls, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer, answer.read()


class Between(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        kept = ("Authorization", "Content-Type", "If-Match", "Accept")
        headers = {name: self.headers[name] for name in kept if self.headers[name]}
        answer, content = ask(self.command, self.path, headers, body)
        read = re.fullmatch(r"/v1/([a-z]+)/\d+", self.path)
        if self.command == "GET" and read and answer.status == 200:
            headers["Content-Type"] = "application/json"
            changed, why = ask("PATCH", self.path, headers, json.dumps(CHANGES[read.group(1)]))
            assert changed.status == 200, why
        self.send_response(answer.status)
        for name in ("Content-Type", "ETag"):
            if answer.headers[name]:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PATCH = do_POST = pass_on

    def log_message(self, *_):
        pass


def listen():
    for _ in range(200):
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", random.randrange(20000, 30000)), Between)
        except OSError:
            pass
    sys.exit("no port is free")


server = listen()
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{data}/server.pem", f"{data}/server.key")
server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
