"""What the benches share: HTTP over a unix socket, a drover of their own, Docker's events, medians with their spread."""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

TOP = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("DROVER", TOP / "build" / "src" / "drover")).resolve()
IMAGE = "drover-demo/busybox:1"
DOCKER_SOCKET = "/var/run/docker.sock"
COMMAND = ["sleep", "86400"]
PATIENCE_SECONDS = 120


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


def until(holds, pause_seconds=0.01):
    """Wait until it holds; what it says then."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (said := holds()):
        if time.monotonic() > end:
            raise RuntimeError(f"after {PATIENCE_SECONDS} s still not so")
        time.sleep(pause_seconds)
    return said


class Drover:
    """Manager and worker as two processes, in a folder that goes with them."""
    name = "drover"

    def __init__(self, manager=(), worker=()):
        """With these options of each."""
        self.folder = Path(tempfile.mkdtemp(prefix="drover-bench-"))
        self.socket = self.folder / "drover.sock"
        self.log = open(self.folder / "log", "ab")
        self.processes = {}
        for name, options in (("manager", manager), ("worker", ("--files-dir", self.folder / "files", *worker))):
            self.processes[name] = subprocess.Popen(
                [PROGRAM, name, "--data-dir", self.folder / "data", *options], stdout=self.log, stderr=self.log,
                env={**os.environ, "DROVER_HOST": str(self.socket)})
        try:
            until(self.ready, 0.05)
        except RuntimeError:
            print((self.folder / "log").read_text()[-2000:], file=sys.stderr)
            self.close()
            raise

    def call(self, method, target, body=None):
        return UnixConnection(self.socket).call(method, target, body)

    def ready(self):
        try:
            nodes = self.call("GET", "/v1/nodes")["nodes"]
        except OSError:
            return False
        return any(node["state"] == "ready" for node in nodes)

    def submit(self, name, replicas, **more):
        """A job of the bench's command; its id."""
        return self.call("POST", "/v1/jobs", {"project": "bench", "job": {"name": name, "spec": {
            "image": IMAGE, "has_command": True, "command": COMMAND, "replicas": replicas, "stop_grace_ms": 0,
            **more}}})["jobs"][0]["id"]

    def running(self, job):
        return self.call("GET", f"/v1/jobs/{job}")["running"]

    def remove(self, job):
        self.call("DELETE", f"/v1/jobs/{job}")
        until(lambda: all(each["id"] != job for each in self.call("GET", "/v1/jobs?project=bench")["jobs"]), 0.05)

    def close(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class DockerEvents(threading.Thread):
    """When containers start and die, as Docker says it to anybody who listens: one witness for every way to start one."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = []
        self.connection = UnixConnection(DOCKER_SOCKET)
        filters = quote(json.dumps({"type": ["container"], "event": ["start", "die"]}))
        self.connection.request("GET", f"/v1.41/events?filters={filters}")
        self.answer = self.connection.getresponse()
        self.start()

    def run(self):
        for line in self.answer:
            event = json.loads(line)
            self.seen.append((time.monotonic(), event["Action"], event["Actor"]["ID"]))

    def since(self, moment, action):
        return [(at, container) for at, what, container in list(self.seen) if at >= moment and what == action]

    def wait(self, moment, action, number):
        """Wait for so many since the moment; (when, container) of each."""
        return until(lambda: len(found := self.since(moment, action)) >= number and found, 0.002)


def docker(method, target, body=None):
    return UnixConnection(DOCKER_SOCKET).call(method, "/v1.41" + target, body)


def create_and_start(connection, name):
    """What a client of the Engine API has to do for the container that drover's job and Swarm's service ask for."""
    connection.call("POST", f"/v1.41/containers/create?name={name}", {
        "Image": IMAGE, "Cmd": COMMAND, "Labels": {f"bench.{i}": "x" for i in range(7)},
        "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}}})
    connection.call("POST", f"/v1.41/containers/{name}/start")


def container_settings(container):
    """What costs time at a start, besides the image: it must be the same for all that are compared."""
    host = docker("GET", f"/containers/{container}/json")["HostConfig"]
    network = "bridge" if host["NetworkMode"] == "default" else host["NetworkMode"]
    return {"network": network, "log": host["LogConfig"], "mounts": host.get("Mounts"), "binds": host["Binds"]}


def quantile(values, share):
    """Linear between the two nearest of the ordered values."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def median(values):
    return quantile(values, 0.5)


def median_interval(values, resamples=10000):
    """The 95 % interval of the median: percentiles of the medians of as many values drawn with replacement."""
    draw = random.Random(1)
    medians = [median(draw.choices(values, k=len(values))) for _ in range(resamples)]
    return quantile(medians, 0.025), quantile(medians, 0.975)


def spread(values, digits=3):
    """median (quartiles)"""
    return (f"{median(values):.{digits}f} ({quantile(values, .25):.{digits}f} to {quantile(values, .75):.{digits}f})")


def tell_ratio(values):
    low, high = median_interval(values)
    return (f"median {median(values):.3f}, 95 % interval {low:.3f} to {high:.3f}, "
            f"quartiles {quantile(values, .25):.3f} to {quantile(values, .75):.3f}")


def end_tidily_on_sigterm():
    """So that what was started and made is taken away when a bench is ended from outside, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def cpu_seconds(pid):
    """Processor time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def machine(with_docker=True):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    version = f", Docker {docker('GET', '/version')['Version']}" if with_docker else ""
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} x {model}, Linux {os.uname().release}{version}, "
            f"load {os.getloadavg()[0]:.1f}")
