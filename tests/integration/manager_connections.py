"""Clients that are slow, silent, half gone or many: each is let go in time, others are served meanwhile, nothing is
half-done and the memory stays bounded.

usage: manager_connections.py SOURCE PORT PLAIN_PORT DATA PROCESS HEADER_SECONDS
"""

import json
import os
import socket
import ssl
import struct
import sys
import threading

from manager_http import Answer, Manager

manager = Manager(*sys.argv[1:6])
header_seconds = int(sys.argv[6])
wrong = []
many = 200
# Nothing waits longer; far above every limit that the manager has here.
bound = 60


def tcp(port):
    return socket.create_connection(("127.0.0.1", port), timeout=bound)


def tls(with_certificate=False):
    return manager.tls(with_certificate).wrap_socket(tcp(manager.port), server_hostname="localhost")


def all_of(connection):
    """What arrives until the manager closes the connection."""
    text = b""
    try:
        while piece := connection.recv(65536):
            text += piece
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        connection.close()
    return text


def check_problem(what, text, *allowed):
    head, _, body = text.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/1.1 "):
        wrong.append(f"{what}: no answer, but {text[:80]!r}")
        return
    headers = {name.title(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    mistake = manager.judge(Answer(int(lines[0].split()[1]), headers, body), *allowed)
    if mistake:
        wrong.append(f"{what}: {mistake}")


def together(count, work):
    """Runs work(i) in that many threads; what they return, and what they throw is wrong."""
    results = [None] * count

    def run(i):
        try:
            results[i] = work(i)
        except Exception as problem:  # pylint: disable=broad-except
            wrong.append(f"{work.__name__} {i}: {type(problem).__name__} {problem}")

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def others_are_served(what):
    """A new client and one with a change, while the slow ones hold their connections."""
    fresh = manager.connect(True)
    if manager.call("GET", "/v1/ready", connection=fresh).status != 200:
        wrong.append(f"not ready beside {what}")
    answer = manager.call("POST", "/v1/persons", {"name": f"beside {what}"}, connection=fresh)
    if answer.status != 201:
        wrong.append(f"nothing can be changed beside {what}: {answer.body[:200]!r}")
    fresh.close()


def slow_headers():
    slow = []
    for _ in range(many):
        slow.append(tls())
        slow[-1].sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    others_are_served("slow headers")
    for connection in slow:
        check_problem("a slow header", all_of(connection), "request-timeout")


def dripping_headers():
    """A byte now and then does not put the end off."""
    dripping = [tls() for _ in range(5)]
    for connection in dripping:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    for _ in range(bound * 4):
        for connection in list(dripping):
            try:
                connection.sendall(b"x")
            except (ConnectionError, ssl.SSLError):
                connection.close()
                dripping.remove(connection)
        if not dripping:
            return
        threading.Event().wait(0.25)
    wrong.append(f"{len(dripping)} clients hold their connections with a byte now and then")


def slow_bodies():
    slow = []
    for i in range(many):
        slow.append(tls(True))
        slow[-1].sendall(b"POST /v1/persons HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         b'Content-Length: 60000\r\n\r\n{"name":"slow %d"' % i)
    others_are_served("slow bodies")
    for connection in slow:
        check_problem("a slow body", all_of(connection), "request-timeout")


def silent_clients():
    silent = [tcp(port) for port in (manager.port, manager.plain_port) for _ in range(many)]
    others_are_served("silent clients")
    for connection in silent:
        if text := all_of(connection):
            wrong.append(f"a silent client is told {text[:80]!r}")


def clients_that_vanish():
    """Cut off in the middle of a handshake, a header, a body, and before the answer."""
    reset = struct.pack("ii", 1, 0)
    parts = [b"POST /v1/pers", b"POST /v1/persons HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
             b"GET /v1/persons HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    for i in range(many):
        connection = tls(True) if i % 4 else tcp(manager.port)
        connection.sendall(parts[i % 3] if i % 4 else b"\x16\x03\x01")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        connection.close()


def half_closed():
    """Who has sent everything and closed that half still gets the answer; who has not gets none."""
    whole = tcp(manager.plain_port)
    whole.sendall(b"GET /certificates/issuing.cer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    whole.shutdown(socket.SHUT_WR)
    if not all_of(whole).startswith(b"HTTP/1.1 200"):
        wrong.append("a client that closed its half is not answered")
    for part in (b"", b"GET /cert", b"POST /ocsp/issuing HTTP/1.1\r\nHost: localhost\r\n"
                 b"Content-Type: application/ocsp-request\r\nContent-Length: 100\r\n\r\n0"):
        half = tcp(manager.plain_port)
        half.sendall(part)
        half.shutdown(socket.SHUT_WR)
        text = all_of(half)
        if text and b" 400 " not in text[:20]:
            wrong.append(f"half a request is answered with {text[:80]!r}")


def wrong_protocols():
    for text in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5000, os.urandom(5000), b"\x16\x03\x01\xff\xff" + b"\x00" * 5000):
        connection = tcp(manager.port)
        connection.sendall(text)
        if all_of(connection).startswith(b"HTTP/1.1 200"):
            wrong.append("the TLS port answers in clear")
    for text in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"HELO there\r\n\r\n", b"GET /x\r\n\r\n"):
        connection = tcp(manager.plain_port)
        connection.sendall(text)
        check_problem(f"{text[:10]!r} in clear", all_of(connection), "malformed-request")
    connection = tcp(manager.plain_port)
    connection.sendall(b"GET /crl/issuing.crl HTTP/1.1\r\nX: " + b"x" * 100_000)
    check_problem("a huge header", all_of(connection), "headers-too-large")


def many_at_once():
    """Each adds a person on a connection of its own."""

    def add(i):
        connection = manager.connect(True)
        status = manager.call("POST", "/v1/persons", {"name": f"at once {i}"}, connection=connection).status
        connection.close()
        return status

    before = manager.rows()["people"]
    refused = [status for status in together(many, add) if status != 201]
    added = manager.rows()["people"] - before
    if refused or added != many:
        wrong.append(f"{many} people at once: {len(refused)} refused, {added} added")


def many_large_bodies():
    """Each sends as much as it may, and is refused only after all of it was read."""
    body = json.dumps({"name": "x" * (1024 * 1024 - 100)}).encode()

    def send(i):
        connection = manager.connect(True)
        answer = manager.call("POST", "/v1/persons", body, connection=connection)
        connection.close()
        return answer

    for answer in together(many, send):
        mistake = manager.judge(answer, "invalid-content", "unavailable") if answer else None
        if mistake:
            wrong.append(f"a large body: {mistake}")


def descriptors():
    return len(os.listdir(f"/proc/{manager.process}/fd"))


others_are_served("nobody")
memory = manager.memory()
opened = descriptors()
for test in (slow_headers, dripping_headers, slow_bodies, silent_clients, half_closed, wrong_protocols):
    rows = manager.rows()
    test()
    now = manager.rows()
    beside = 1 if test in (slow_headers, slow_bodies, silent_clients) else 0
    if now["people"] != rows["people"] + beside:
        wrong.append(f"{test.__name__}: {now['people'] - rows['people']} people more")
clients_that_vanish()
many_at_once()
many_large_bodies()
others_are_served("the rest")
# 200 bodies of a megabyte fit below what all large bodies may take together.
grown = manager.memory() - memory
if grown > 320 * 1024:
    wrong.append(f"the memory grew by {grown} KiB")
for _ in range(bound * 10):
    if descriptors() <= opened + 40:
        break
    threading.Event().wait(0.1)
else:
    wrong.append(f"{descriptors()} descriptors are open, {opened} were before")
for line in wrong[:60]:
    print(line)
print(f"{many} clients of each kind, header in {header_seconds} s; memory {memory} KiB and {grown} KiB more, "
      f"{len(wrong)} wrong")
sys.exit(1 if wrong else 0)
