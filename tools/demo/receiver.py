#!/usr/bin/env python3
"""A tiny webhook receiver for the demo: prints its port on the first line, answers 204, and 410 to type demo.refused.

Stops when its standard input closes, so it never outlives the script that started it."""
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(410 if self.headers.get("ce-type") == "demo.refused" else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def stop_with_parent():
    sys.stdin.read()
    os._exit(0)


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.daemon_threads = True
threading.Thread(target=stop_with_parent, daemon=True).start()
print(server.server_port, flush=True)
server.serve_forever()
