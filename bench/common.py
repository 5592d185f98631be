"""What the benches share: HTTP over a unix socket, a drover of their own, and a median with its spread."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("DROVER", TOP / "build" / "src" / "drover")).resolve()
IMAGE = "drover-demo/busybox:1"
DOCKER_SOCKET = "/var/run/docker.sock"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)

    def call(self, method, target, body=None):
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if text else {}
        self.request(method, target, text, headers)
        answer = self.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {target}: {answer.status} {data[:300]}")
        return json.loads(data) if data else None


class Drover:
    """Manager and worker as two processes, in a folder that goes with them."""

    def __init__(self, *worker_options):
        self.folder = Path(tempfile.mkdtemp(prefix="drover-bench-"))
        self.socket = self.folder / "drover.sock"
        self.log = open(self.folder / "log", "ab")
        environment = {**os.environ, "DROVER_HOST": str(self.socket)}
        self.processes = {}
        for name, options in (("manager", ()), ("worker", worker_options)):
            self.processes[name] = subprocess.Popen(
                [PROGRAM, name, "--data-dir", self.folder / "data", *options], stdout=self.log, stderr=self.log,
                env=environment)
        end = time.monotonic() + 30
        while not self.ready():
            if time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def ready(self):
        try:
            nodes = UnixConnection(self.socket).call("GET", "/v1/nodes")["nodes"]
        except OSError:
            return False
        return any(node["state"] == "ready" for node in nodes)

    def close(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    version = UnixConnection(DOCKER_SOCKET).call("GET", "/version")["Version"]
    return f"{os.cpu_count()} x {model}, Linux {os.uname().release}, Docker {version}"
