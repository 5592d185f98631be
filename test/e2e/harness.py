"""What end-to-end tests, on one machine and on several, drive: the program, its command line and API, and Docker."""
import fcntl
import http.client
import json
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("DROVER", TOP / "build" / "src" / "drover")).resolve()
BUSYBOX = "drover-demo/busybox:1"
WEB = "drover-demo/web:1"
# How long anything may take before a test calls it stuck; no test asserts that something is fast.
PATIENCE_SECONDS = 60


def docker(*words, check=True, host=None):
    command = ["docker", *(["-H", host] if host else []), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


def eventually(what, condition, seconds=PATIENCE_SECONDS):
    """Wait until condition() is true and return its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("drover", timeout=PATIENCE_SECONDS)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class PrivateDocker:
    """A Docker daemon of a test's own, to be stopped, paused and started at will."""

    def __init__(self, images=(BUSYBOX,)):
        self.folder = Path(tempfile.mkdtemp(prefix="drover-e2e-docker-"))
        self.socket = self.folder / "docker.sock"
        self.host = f"unix://{self.socket}"
        self.process = None
        self.start()
        for image in images:
            archive = self.folder / "image.tar"
            docker("save", "-o", archive, image)
            docker("load", "-i", archive, host=self.host)

    def start(self):
        # A daemon that was killed leaves its file behind, and the number may be another process's by now.
        (self.folder / "pid").unlink(missing_ok=True)
        log = open(self.folder / "log", "ab")
        # In a network namespace of its own: `--bridge none` deletes the docker0 of the namespace it runs in.
        self.process = subprocess.Popen(
            ["unshare", "--net", "dockerd", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec",
             "--pidfile", self.folder / "pid", "-H", self.host, "--bridge", "none", "--iptables=false",
             "--ip-masq=false", "--default-address-pool", "base=10.201.0.0/16,size=24"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.wait_ready()

    def wait_ready(self):
        def answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
            return self.run("version", "-f", "{{.Server.Version}}", check=False)
        eventually("the private dockerd answers", answers)

    def run(self, *words, **options):
        return docker(*words, host=self.host, **options)

    def stop(self):
        """As `systemctl stop docker`: the daemon stops its containers and ends."""
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)

    def kill(self):
        """As a crash: nothing is told to the containers, which outlive it until the next daemon finds them."""
        self.process.kill()
        self.process.wait()
        helper = self.folder / "exec/containerd/containerd.pid"
        os.kill(int(helper.read_text()), signal.SIGKILL)
        # The next daemon would wait for it where nobody takes the dead away.
        helper.unlink()

    def signal(self, number):
        self.process.send_signal(number)

    def clean(self):
        self.process.send_signal(signal.SIGCONT)
        if self.process.poll() is not None:
            self.start()
        containers = self.run("ps", "-aq", check=False).split()
        if containers:
            self.run("rm", "-f", "-v", *containers, check=False)
        networks = self.run("network", "ls", "-q", "--filter", "type=custom", check=False).split()
        if networks:
            self.run("network", "rm", *networks, check=False)
        self.stop()
        subprocess.run(["umount", "-l", self.folder / "data"], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Drover:
    """One drover on this machine: the daemon's process(es) and the command line."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.socket = self.folder / "drover.sock"
        self.data = self.folder / "data"
        self.log_path = self.folder / "log"
        self.processes = {}
        self.docker_host = None
        self.environment = {**os.environ, "DROVER_HOST": str(self.socket)}

    # -- daemons

    def spawn(self, command, *options, name=None, data=None):
        log = open(self.log_path, "ab")
        process = subprocess.Popen([PROGRAM, command, "--data-dir", data or self.data, *map(str, options)],
                                   stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        self.processes[name or command] = process
        return process

    def start(self, *options):
        self.spawn("dev", *options)
        self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            for name, process in self.processes.items():
                assert process.poll() is None, f"drover {name} ended:\n{self.log()[-3000:]}"
            nodes = self.json("nodes", check=False)
            return nodes and any(
                node["state"] == "ready" and node["role"] != "manager" for node in nodes["nodes"])
        eventually("a ready node", ready)
        assert self.cluster_id

    def kill(self, command="dev", number=signal.SIGKILL):
        process = self.processes.pop(command)
        process.send_signal(number)
        return process.wait(PATIENCE_SECONDS)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # -- API

    def request(self, method, target, body=None, headers=None):
        """(status, answer) of one request; a body that is no text becomes JSON."""
        connection = UnixConnection(self.socket)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def get(self, target):
        status, answer = self.request("GET", target)
        assert status == 200, (target, status, answer)
        return answer

    def answers(self):
        try:
            return self.request("GET", "/healthz") == (200, {"ok": True})
        except OSError:
            return False

    def picture(self):
        """All that the API lists of what was asked for, to compare before and after."""
        return [self.get(f"/v1/{kind}")[kind] for kind in ("projects", "jobs", "tasks", "volumes")]

    # -- command line

    def run(self, *words, check=True, stdin=None, cwd=None, seconds=PATIENCE_SECONDS, environment=None):
        done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, input=stdin, cwd=cwd,
                              timeout=seconds, env={**self.environment, **(environment or {})})
        if check and done.returncode:
            raise AssertionError(f"drover {' '.join(map(str, words))} -> {done.returncode}\n{done.stdout}"
                                 f"{done.stderr}\n--- log\n{self.log()[-3000:]}")
        return done

    def out(self, *words, **options):
        return self.run(*words, **options).stdout

    def json(self, *words, check=True):
        done = self.run(*words, "-o", "json", check=check)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def up(self, compose, *options, project="t", settle="0s", check=True, seconds=PATIENCE_SECONDS):
        path = self.folder / "compose.yaml"
        path.write_text(compose)
        return self.run("up", "-f", path, "-p", project, "--settle", settle, *options, check=check, seconds=seconds)

    def tasks(self, job=None, everything=False):
        page = self.json("ps", *(["-a"] if everything else []))
        return [task for task in page["tasks"] if job is None or f"{task['project']}/{task['job']}" == job]

    def task(self, job, state=None):
        """The newest task of a one-task job."""
        tasks = self.tasks(job, everything=True)
        newest = max(tasks, key=lambda task: task["id"]) if tasks else None
        return newest if newest and (state is None or newest["state"] == state) else None

    def jobs(self):
        return {f"{job['project']}/{job['name']}": job for job in self.json("jobs")["jobs"]}

    def all_jobs(self):
        """Every job by its full name, page by page."""
        jobs, after = {}, ""
        while True:
            page = self.get(f"/v1/jobs?limit=100&after={after}")
            jobs.update({f"{job['project']}/{job['name']}": job for job in page["jobs"]})
            after = page.get("next")
            if not after:
                return jobs

    def cluster(self):
        for line in self.out("version").splitlines():
            if line.startswith("manager "):
                return line.split("cluster ")[1].split(",")[0]
        raise AssertionError("no cluster id")

    def containers(self, *filters, running_only=False):
        words = ["ps", "-q", "--no-trunc", "--filter", f"label=drover.cluster={self.cluster_id}"]
        if not running_only:
            words.append("-a")
        for each in filters:
            words += ["--filter", each]
        return docker(*words, host=self.docker_host).split()

    @property
    def cluster_id(self):
        if not hasattr(self, "_cluster_id"):
            self._cluster_id = self.cluster()
            if not self.docker_host:
                remember_cluster(self._cluster_id)
        return self._cluster_id

    # -- the end

    def clean(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if hasattr(self, "_cluster_id"):
            remove_cluster(self._cluster_id, self.docker_host)


# Clusters whose containers, networks and volumes are on this machine's Docker, by the process that tests them: a run that
# was killed cannot clean up, so the next one does.
RUNS = Path(tempfile.gettempdir()) / "drover-e2e-runs"


def remove_cluster(cluster, host=None):
    label = f"label=drover.cluster={cluster}"
    containers = docker("ps", "-aq", "--filter", label, host=host).split()
    if containers:
        docker("rm", "-f", "-v", *containers, check=False, host=host)
    for kind in ("network", "volume"):
        names = docker(kind, "ls", "-q", "--filter", label, host=host).split()
        if names:
            docker(kind, "rm", *names, check=False, host=host)
    (RUNS / cluster).unlink(missing_ok=True)


def remember_cluster(cluster):
    RUNS.mkdir(exist_ok=True)
    (RUNS / cluster).write_text(str(os.getpid()))


def make_drover():
    folder = tempfile.mkdtemp(prefix="drover-e2e-")
    return Drover(folder)


def on_terminal(drover, *words, rows=24, columns=80):
    """All that the command writes to a terminal of this size."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([PROGRAM, *map(str, words)], stdin=follower, stdout=follower, stderr=follower,
                               env=drover.environment)
    os.close(follower)
    written = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        written += part
    os.close(leader)
    assert process.wait(PATIENCE_SECONDS) == 0, written.decode()
    return written.decode().replace("\r\n", "\n")
