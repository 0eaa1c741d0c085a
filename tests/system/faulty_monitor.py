"""Something on a monitor's port that no monitor would be; its one argument says what.

Run on a host, by any Python, with nothing installed.
"""

import http.server
import json
import sys
import time

PORT = 8000
HUGE_BYTES = 2**30

fault = sys.argv[1]
health = {"status": "healthy", "service": "CM-ZSB监控"}
other_service = {"status": "UP", "groups": ["liveness", "readiness"]}
unknown_status = {"status": "dreaming", "latest_state": {"status": "dreaming"}, "stats": {}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if fault == "another service":
            self.answer(json.dumps(other_service))
        elif self.path == "/api/health":
            self.answer(json.dumps(health))
        elif fault == "garbage":
            self.answer("<html>\x00 \\u12 {]")
        elif fault == "HTTP 500":
            self.answer("{}", 500)
        elif fault == "an unknown status":
            self.answer(json.dumps(unknown_status))
        elif fault == "a huge body":
            self.pour(b" " * 2**20, HUGE_BYTES, 0)
        elif fault == "a byte a second":
            self.pour(b" ", HUGE_BYTES, 1)

    def answer(self, text: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def pour(self, piece: bytes, total_bytes: int, gap_s: float) -> None:
        self.answer("{")
        for _ in range(0, total_bytes, len(piece)):
            self.wfile.write(piece)
            time.sleep(gap_s)


sys.stdout.write("listening\n")
sys.stdout.flush()
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
