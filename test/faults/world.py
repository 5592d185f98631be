"""A whole drover of real processes for the tests of faults: manager, worker, and a Docker that is the fake one
(test/fakedocker) or a private real one. Everything lies in one folder, which says whose it is: what a run that was
killed leaves behind, the next run removes (sweep()).

FAULTS_SCALE multiplies how much is done (1: what CI does), FAULTS_SEED chooses what is done.
"""
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
import time
import uuid
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "e2e"))
from harness import PrivateDocker  # noqa: E402
BUILD = Path(os.environ.get("BUILD", TOP / "build")).resolve()
PROGRAM = BUILD / "src" / "drover"
FAKEDOCKER = BUILD / "test" / "fakedocker" / "fakedocker"
TOOLS = BUILD / "test" / "faults"
SHIM = TOOLS / "faults_shim.so"
SCALE = float(os.environ.get("FAULTS_SCALE", "1"))
SEED = int(os.environ.get("FAULTS_SEED", "1"))
PATIENCE_SECONDS = 60
PREFIX = "drover-faults-"
IMAGE = "image:1"


def scaled(count):
    return max(1, round(count * SCALE))


def say(text):
    """The line that docs/RELIABILITY.md quotes; tools/run-faults shows it."""
    print(f"\nfaults: {text} (seed {SEED})", flush=True)


def eventually(what, condition, seconds=PATIENCE_SECONDS, pause=0.02):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


# ---- folders, and what killed runs left in them


def make_folder(where="/tmp"):
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))
    (folder / "owner").write_text(str(os.getpid()))
    return folder


def processes():
    """pid -> (parent, command line) of every process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        found[int(entry.name)] = parent, words
    return found


def end_processes_of(folder):
    """Kill what names the folder in its command line, and what came from it."""
    table = processes()
    doomed = {pid for pid, (_, words) in table.items() if f"{folder}/" in words and pid != os.getpid()}
    while True:
        more = {pid for pid, (parent, _) in table.items() if parent in doomed} - doomed - {os.getpid()}
        if not more:
            break
        doomed |= more
    for pid in doomed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def remove_folder(folder):
    end_processes_of(folder)
    for _ in range(20):
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        mine = [mount for mount in mounts if mount.startswith(f"{folder}/")]
        if not mine:
            break
        for mount in reversed(mine):
            subprocess.run(["umount", "-l", mount], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def sweep():
    for folder in [*Path("/tmp").glob(PREFIX + "*"), *Path("/dev/shm").glob(PREFIX + "*")]:
        try:
            owner = (folder / "owner").read_text()
        except OSError:
            continue
        if owner and not Path(f"/proc/{owner}").exists():
            remove_folder(folder)


# ---- HTTP over a unix socket


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, seconds):
        super().__init__("drover", timeout=seconds)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, method, target, body=None, headers=None, seconds=PATIENCE_SECONDS):
    """(status, answer); OSError or HTTPException when there is none."""
    connection = UnixConnection(path, seconds)
    try:
        connection.request(method, target, json.dumps(body) if body is not None else None, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


NO_ANSWER = (OSError, http.client.HTTPException, ValueError)


# ---- the processes


class Cluster:
    """One manager, one worker, one Docker."""

    def __init__(self, folder=None):
        self.folder = folder or make_folder()
        self.mine = folder is None
        self.socket = self.folder / "s"
        self.docker_socket = self.folder / "d"
        self.manager_data = self.folder / "m"
        self.worker_data = self.folder / "w"
        self.log_path = self.folder / "log"
        self.processes = {}

    def spawn(self, name, words, environment=None):
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       env={**os.environ, "DROVER_HOST": str(self.socket), **(environment or {})})
        self.processes[name] = process
        return process

    def start_docker(self, script=""):
        words = [FAKEDOCKER, "--socket", self.docker_socket]
        self.spawn("docker", words + (["--script", script] if script else []))
        eventually(lambda: f"the fake Docker answers: {script}\n{self.tail()}",
                   lambda: self.alive("docker") and self.containers_or_none())

    def spawn_manager(self, environment=None):
        return self.spawn("manager", [PROGRAM, "manager", "--data-dir", self.manager_data], environment)

    def spawn_worker(self, environment=None):
        return self.spawn("worker", [PROGRAM, "worker", "--data-dir", self.worker_data, "--docker", self.docker_socket],
                          environment)

    def start(self, script=""):
        self.start_docker(script)
        self.spawn_manager()
        self.wait_manager()
        self.spawn_worker()
        self.wait_ready()
        return self

    def kill(self, name, number=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(PATIENCE_SECONDS)

    def alive(self, *names):
        for name in names or list(self.processes):
            assert self.processes[name].poll() is None, f"{name} ended with {self.processes[name].returncode}:\n{self.tail()}"
        return True

    def tail(self, size=4000):
        return self.log_path.read_text(errors="replace")[-size:]

    # -- the manager's API

    def request(self, method, target, body=None, headers=None, seconds=PATIENCE_SECONDS):
        return ask(self.socket, method, target, body, headers, seconds)

    def insist(self, method, target, body=None, seconds=PATIENCE_SECONDS):
        """Ask until there is an answer, with one idempotency key: the answer of what happened once."""
        key, end = str(uuid.uuid4()), time.monotonic() + seconds
        while True:
            try:
                status, answer = self.request(method, target, body, {"Idempotency-Key": key})
                if status != 503:
                    return status, answer
            except NO_ANSWER:
                pass
            if time.monotonic() > end:
                raise AssertionError(f"no answer to {method} {target}:\n{self.tail()}")
            time.sleep(0.005)

    def get(self, target):
        status, answer = self.request("GET", target)
        assert status == 200, (target, status, answer)
        return answer

    def get_or_none(self, target):
        try:
            status, answer = self.request("GET", target)
        except NO_ANSWER:
            return None
        return answer if status == 200 else None

    def pages(self, kind, query=""):
        items, after = [], ""
        while True:
            page = self.get(f"/v1/{kind}?limit=500&after={after}{query}")
            items += page[kind]
            after = page.get("next")
            if not after:
                return items

    def jobs(self):
        return {job["name"]: job for job in self.pages("jobs")}

    def tasks(self):
        return self.pages("tasks")

    def node_state(self):
        page = self.get_or_none("/v1/nodes")
        states = [node["state"] for node in page["nodes"] if node["state"]] if page else []
        return states[0] if states else None

    def wait_manager(self):
        eventually(lambda: f"the manager answers\n{self.tail()}", lambda: self.alive("manager") and self.get_or_none("/healthz"))

    def wait_ready(self):
        eventually(lambda: f"a ready node\n{self.tail()}", lambda: self.alive() and self.node_state() == "ready")

    def submit(self, name, replicas=1, **spec):
        body = {"project": "p", "job": {"name": name, "spec": {"image": IMAGE, "stop_grace_ms": 1000, "replicas": replicas,
                                                               **spec}}}
        return self.insist("POST", "/v1/jobs", body)

    # -- Docker

    def containers(self):
        """(task, state, id) of every container of ours."""
        status, found = ask(self.docker_socket, "GET", "/watch/containers?all=1", seconds=10)
        assert status == 200
        return [(each["Labels"].get("drover.task"), each["State"], each["Id"]) for each in found]

    def containers_or_none(self):
        try:
            self.containers()
            return True
        except NO_ANSWER:
            return False

    def running(self):
        return {identifier: task for task, state, identifier in self.containers() if state == "running"}

    def assert_none_doubled(self):
        tasks = list(self.running().values())
        assert len(tasks) == len(set(tasks)), f"a task has two containers: {tasks}\n{self.tail()}"

    def wait_settled(self, wanted, seconds=PATIENCE_SECONDS):
        """Until exactly the wanted tasks (job -> how many) run, each in exactly one container."""
        def settled():
            self.assert_none_doubled()
            live = [task for task in self.tasks() if task["state"] == "running" and task["ready"]]
            counts = {name: 0 for name in wanted}
            for task in live:
                counts[task["job"]] = counts.get(task["job"], 0) + 1
            return counts == wanted and sorted(self.running()) == sorted(task["container_id"] for task in live)

        def picture():
            tasks = [(task["name"], task["state"], task["reason"], task["message"]) for task in self.tasks()]
            return f"{wanted} run\n{tasks}\n{self.containers()}\n{self.tail()}"
        eventually(picture, settled, seconds, pause=0.05)

    # -- the end

    def close(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        self.processes.clear()
        if self.mine:
            remove_folder(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- a real Docker


def make_private_docker(folder):
    """A dockerd of our own below `folder`, with an image that sleeps until SIGTERM."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        daemon = PrivateDocker(images=())
    finally:
        tempfile.tempdir = before
    root = folder / "image"
    (root / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin" / "busybox")
    for name in ("sh", "sleep"):
        (root / "bin" / name).symlink_to("busybox")
    archive = subprocess.run(["tar", "-C", root, "-c", "."], check=True, capture_output=True)
    script = "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"
    subprocess.run(["docker", "-H", daemon.host, "import", "--change", f"CMD {json.dumps(['/bin/sh', '-c', script])}", "-",
                    IMAGE], input=archive.stdout, check=True, capture_output=True)
    return daemon


def generator(name):
    """Random numbers of a test's own, from the seed."""
    return random.Random(f"{SEED} {name}")
