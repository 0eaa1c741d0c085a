"""A monitor that speaks only the fixed part of the contract, as those in the field do.

Run on a host, by any Python, with nothing installed.
"""

import datetime
import http.server
import json
import sys

latest = {"status": "idle", "timestamp": "", "current_task": None}
counts = {"total_processed": 7, "low_confidence_count": 2, "sent_to_server": 1}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        now = datetime.datetime.now().isoformat()
        bodies = {
            "/api/status": {**latest, "timestamp": now, "latest_state": latest, "stats": counts},
            "/api/health": {"status": "healthy", "service": "CM-ZSB监控"},
        }
        self.answer(bodies.get(self.path))

    def do_POST(self) -> None:
        update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        latest.update(status=update["status"], current_task=update.get("message"))
        latest.update(timestamp=datetime.datetime.now().isoformat())
        self.answer({"success": True})

    def answer(self, body: object) -> None:
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


latest["timestamp"] = datetime.datetime.now().isoformat()
sys.stdout.write("listening\n")
sys.stdout.flush()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
