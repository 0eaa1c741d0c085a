"""A Ray dashboard of a cluster of one node, until it is told to misbehave.

Run on a host, by any Python, with nothing installed: its arguments are the address to listen on
and the port. What is posted to it is the fault that it has from then on; nothing ends it.
"""

import http.server
import json
import sys
import time

HUGE_BYTES = 2**30

faults = [""]
version = {"version": "4", "ray_version": "2.60.0", "session_name": "session_faulty"}
row = {
    "node_id": "f" * 56,
    "node_ip": sys.argv[1],
    "state": "ALIVE",
    "is_head_node": True,
    "resources_total": {"CPU": 1.0, "faulty": 1.0},
    "start_time_ms": 1,
}
nodes = {"result": True, "data": {"result": {"result": [row]}}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        faults[0] = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer("{}")

    def do_GET(self) -> None:
        fault = faults[0]
        if fault == "redirects":
            self.answer("", 302, Location="http://169.254.169.254/latest")
        elif fault == "broken JSON":
            self.answer('{"version": "4", "ray_ver')
        elif fault == "huge":
            self.pour(b" " * 2**20, 0)
        elif fault == "slow":
            self.pour(b" ", 1)
        elif self.path == "/api/version":
            self.answer(json.dumps(version))
        elif self.path.startswith("/api/v0/nodes"):
            self.answer(json.dumps(nodes))
        else:
            self.answer("{}", 404)

    def answer(self, text: str, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def pour(self, piece: bytes, gap_s: float) -> None:
        self.answer("{")
        for _ in range(0, HUGE_BYTES, len(piece)):
            self.wfile.write(piece)
            time.sleep(gap_s)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up on us is right."""


sys.stdout.write("listening\n")
sys.stdout.flush()
Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
