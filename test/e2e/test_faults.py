"""What must survive: killed managers and workers, a Docker that goes away, a full disk, and other people's containers."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path

import pytest

from harness import BUSYBOX, PATIENCE_SECONDS, docker, eventually

SERVICE = f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s}}\n"
NEVER_STOPS = """["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]"""


def running(drover, job, count=1):
    """The tasks of the job once so many of them are ready."""
    def look():
        tasks = drover.tasks(job)
        return tasks if len(tasks) == count and all(task["ready"] for task in tasks) else None
    return eventually(f"{count} ready tasks of {job}", look)


def containers_by_task(drover):
    """Task id -> running containers that carry its label."""
    found = {}
    for container in drover.containers(running_only=True):
        task = docker("inspect", "-f", '{{index .Config.Labels "drover.task"}}', container, host=drover.docker_host)
        found.setdefault(task, []).append(container)
    return found


# -- the manager dies


class Load(threading.Thread):
    """Submits jobs and scales one, each request until it is answered, and remembers the answers."""

    def __init__(self, drover, number):
        super().__init__(daemon=True)
        self.drover, self.number = drover, number
        self.replicas = {}
        self.problems = []
        self.retried = 0

    def insist(self, method, target, body):
        key = str(uuid.uuid4())
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                status, answer = self.drover.request(method, target, body, {"Idempotency-Key": key})
            except OSError:
                self.retried += 1
                time.sleep(0.05)
                continue
            if status == 200:
                return answer
            if status != 503:
                self.problems.append((method, target, status, answer))
                return None
        self.problems.append((method, target, "no answer"))
        return None

    def run(self):
        project = f"load{self.number}"
        jobs = {}
        for i in range(4):
            jobs[f"j{i}"] = {"image": BUSYBOX, "stop_grace_ms": 1000, "replicas": 1, "networks": [{"network": "default"}]}
            answer = self.insist("POST", f"/v1/projects/{project}/apply", {
                "jobs": [{"name": name, "spec": spec} for name, spec in jobs.items()], "networks": [{"key": "default"}]})
            if not answer:
                return
            effects = [job["effect"] for job in answer["jobs"]]
            if effects != ["unchanged"] * i + ["created"]:
                self.problems.append((project, effects))
            self.replicas[f"{project}/j{i}"] = 1
            for replicas in (3, 2) if i % 2 else ():
                time.sleep(0.1)
                if self.insist("POST", f"/v1/jobs/{answer['jobs'][i]['id']}/scale", {"replicas": replicas}):
                    jobs[f"j{i}"]["replicas"] = self.replicas[f"{project}/j{i}"] = replicas
            time.sleep(0.1)


def test_a_manager_killed_under_load_loses_and_doubles_nothing(stopped_drover):
    drover = stopped_drover
    drover.spawn("manager")
    drover.spawn("worker", data=drover.folder / "worker")
    drover.wait_ready()
    assert drover.cluster_id
    load = [Load(drover, number) for number in range(3)]
    for each in load:
        each.start()
    kills = 0
    while kills < 2 or (kills < 8 and any(each.is_alive() for each in load)):
        time.sleep(0.3)
        drover.kill("manager")
        kills += 1
        time.sleep(0.2)
        drover.spawn("manager")
        eventually("the manager answers", drover.answers)
    for each in load:
        each.join(PATIENCE_SECONDS)
        assert not each.is_alive() and each.problems == []
    assert sum(each.retried for each in load) > 0, "no request met a manager that was away"
    wanted = {}
    for each in load:
        wanted.update(each.replicas)
    assert len(wanted) == 12
    assert {name: job["replicas"] for name, job in drover.all_jobs().items()} == wanted
    eventually("all tasks run", lambda: all(job["standing"] == "running" for job in drover.all_jobs().values()))
    tasks = drover.tasks()
    slots = [(f"{task['project']}/{task['job']}", task["slot"]) for task in tasks]
    assert sorted(slots) == sorted((name, slot + 1) for name, n in wanted.items() for slot in range(n))

    def settled():
        found = containers_by_task(drover)
        return set(found) == {task["id"] for task in tasks} and all(len(each) == 1 for each in found.values())
    eventually("one container for each task, and no other", settled)
    for each in load:
        drover.run("down", "-p", f"load{each.number}")
    assert drover.containers() == []


# -- the worker dies, or both


def test_a_killed_worker_adopts_its_containers(stopped_drover):
    drover = stopped_drover
    drover.spawn("manager")
    drover.spawn("worker", data=drover.folder / "worker")
    drover.wait_ready()
    drover.up(f"""
services:
  s: {{image: {BUSYBOX}, stop_grace_period: 1s, deploy: {{replicas: 2}}}}
  dies: {{image: {BUSYBOX}, stop_grace_period: 1s}}
""")
    before = {task["id"]: task for task in drover.tasks()}
    dies = drover.tasks("t/dies")[0]
    assert drover.cluster_id
    drover.kill("worker")
    docker("kill", dies["container_id"])
    drover.spawn("worker", data=drover.folder / "worker")
    eventually("the dead one runs again", lambda: drover.tasks("t/dies")[0]["attempt"] == 2
               and drover.tasks("t/dies")[0]["ready"])
    after = {task["id"]: task for task in drover.tasks()}
    assert set(after) == set(before)
    for task in drover.tasks("t/s"):
        assert task["container_id"] == before[task["id"]]["container_id"] and task["attempt"] == 1
    assert all(len(each) == 1 for each in containers_by_task(drover).values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_dev_leaves_containers_running_and_adopts_them(drover, number):
    drover.up(f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s, deploy: {{replicas: 2}}}}\n")
    before = {task["id"]: (task["container_id"], task["attempt"]) for task in drover.tasks("t/s")}
    status = drover.kill("dev", number)
    assert status == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert len(drover.containers(running_only=True)) == 2
    drover.start()
    running(drover, "t/s", 2)
    after = {task["id"]: (task["container_id"], task["attempt"]) for task in drover.tasks("t/s")}
    assert after == before
    assert sorted(drover.containers()) == sorted(container for container, _ in before.values())


# -- Docker goes away


@pytest.fixture
def drover_on_private_docker(stopped_drover, private_docker):
    stopped_drover.docker_host = private_docker.host
    stopped_drover.start("--docker", private_docker.socket)
    assert stopped_drover.cluster_id
    yield stopped_drover
    if private_docker.process.poll() is not None:
        private_docker.start()
    stopped_drover.run("down", "-v", "-p", "t", check=False)


def node_state(drover):
    return drover.json("nodes")["nodes"][0]["state"]


@pytest.mark.apart
@pytest.mark.parametrize("way", ["stop", "kill"])
def test_docker_restarted_interrupts_and_fails_nothing(drover_on_private_docker, private_docker, way):
    drover = drover_on_private_docker
    # Both end with status 0 when Docker asks them to: the service has not ended, and the job has not succeeded.
    drover.up(f"""
services:
  s: {{image: {BUSYBOX}, stop_grace_period: 1s, restart: "no", deploy: {{replicas: 2}}}}
  batch: {{image: {BUSYBOX}, stop_grace_period: 1s, deploy: {{mode: replicated-job, restart_policy: {{condition: none}}}}}}
""", "-d")
    before = {task["id"]: task for task in running(drover, "t/s", 2) + running(drover, "t/batch")}
    getattr(private_docker, way)()
    eventually("the node is degraded", lambda: node_state(drover) == "degraded")
    assert {task["id"]: task["state"] for task in drover.tasks()} == {each: "running" for each in before}
    private_docker.start()
    eventually("all run again", lambda: all(
        task["ready"] and task["attempt"] == 2 for task in drover.tasks() if task["id"] in before))
    tasks = drover.tasks(everything=True)
    assert {task["id"] for task in tasks} == set(before)
    assert drover.jobs()["t/batch"]["standing"] == "running" and drover.jobs()["t/batch"]["succeeded"] == 0
    assert "interrupted: Docker was restarted; restarting at once" in drover.log()
    assert all(len(each) == 1 for each in containers_by_task(drover).values())
    assert node_state(drover) == "ready"


@pytest.mark.apart
def test_docker_that_hangs_degrades_the_node_and_fails_nothing(drover_on_private_docker, private_docker):
    drover = drover_on_private_docker
    drover.up(SERVICE)
    before = drover.tasks("t/s")[0]
    private_docker.signal(signal.SIGSTOP)
    try:
        eventually("the node is degraded", lambda: node_state(drover) == "degraded", seconds=90)
        assert drover.tasks("t/s")[0]["state"] == "running"
        done = drover.up(SERVICE, "-d", project="more")
        assert "created" in done.stdout
        waits = drover.tasks("more/s")[0]
        assert waits["reason"] == "no_node_fits"
        assert waits["message"] == "no node is ready: 1 of 1 has a Docker that does not answer"
    finally:
        private_docker.signal(signal.SIGCONT)
    eventually("the node is ready", lambda: node_state(drover) == "ready")
    running(drover, "more/s")
    after = running(drover, "t/s")[0]
    assert (after["id"], after["container_id"], after["attempt"]) == (before["id"], before["container_id"], 1)
    drover.run("down", "-p", "more")


# -- starts and stops that go wrong


@pytest.mark.parametrize("service, words", [
    ('image: "127.0.0.1:1/nothing:1"', "s.1 could not start: cannot pull image 127.0.0.1:1/nothing:1: "),
    ('image: "drover-demo/nothing:1", pull_policy: never',
     "s.1 could not start: image drover-demo/nothing:1 not found: No such image: drover-demo/nothing:1"),
    (f'image: {BUSYBOX}, command: ["/no/such"], restart: "no"',
     f's.1 failed: command "/no/such" not found in image {BUSYBOX}: '),
])
def test_up_fails_with_the_reason(shared, service, words):
    done = shared.up(f"services:\n  s: {{{service}}}\n", project="fails", check=False)
    shared.run("down", "-p", "fails")
    assert done.returncode == 1 and words in done.stderr


def test_a_pool_s_port_that_another_program_holds_is_left_to_it(shared):
    service = f"services:\n  s: {{image: {BUSYBOX}, command: [sleep, '1000'], init: true, ports: ['%s:80']}}\n"
    with socket.create_server(("0.0.0.0", 20780)):
        shared.up(service % "20780-20781", project="held")
        assert [port["host_port"] for port in shared.task("held/s", "running")["ports"]] == [20781]
        shared.run("down", "-p", "held")
        # Of a pool that is held whole, `up` says so though it is tried on: no more than the last two failures are listed.
        with socket.create_server(("0.0.0.0", 20781)), socket.create_server(("0.0.0.0", 20782)):
            done = shared.up(service % "20780-20782", project="held", check=False)
        assert done.returncode == 1 and "could not start: host port 2078" in done.stderr
        shared.run("down", "-p", "held")
        done = shared.up(service % "20780", project="held", check=False)
        assert done.returncode == 1 and "could not start: host port 20780 is taken on this machine" in done.stderr
    # Who asks again has mended it: how the starts before failed says nothing of the next one.
    shared.up(service % "20780", project="held")
    shared.run("down", "-p", "held")


def test_a_stop_that_is_ignored_ends_in_sigkill_after_the_grace(shared):
    shared.up(f"services:\n  s: {{image: {BUSYBOX}, command: {NEVER_STOPS}, stop_grace_period: 2s}}\n", project="grace")
    container = shared.tasks("grace/s")[0]["container_id"]
    begun = time.monotonic()
    shared.run("stop", "grace/s")
    assert time.monotonic() - begun >= 2
    task = shared.task("grace/s")
    assert (task["state"], task["reason"]) == ("completed", "stopped")
    assert docker("inspect", "-f", "{{.State.ExitCode}} {{.State.Running}}", container) == "137 false"
    shared.run("down", "-p", "grace")


def test_only_what_is_ours_is_removed(drover):
    stranger = str(uuid.uuid4())
    name = f"drover-{uuid.uuid4()}-1"

    def create(*options):
        return docker("run", "-d", *options, BUSYBOX)
    foreign = [create(), create("--label", f"drover.cluster={stranger}", "--label", f"drover.task={stranger}"),
               create("--name", name)]
    orphan = create("--label", f"drover.cluster={drover.cluster_id}", "--label", f"drover.task={stranger}",
                    "--label", "drover.attempt=1", "--name", f"drover-{stranger}-1")
    try:
        eventually("the orphan is gone", lambda: orphan not in docker("ps", "-aq", "--no-trunc"))
        left = docker("ps", "-q", "--no-trunc").split()
        assert all(each in left for each in foreign)
    finally:
        docker("rm", "-f", *foreign, orphan, check=False)


# -- the disk is full


@pytest.fixture
def small_disk():
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    folder = Path(tempfile.mkdtemp(prefix="drover-e2e-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


def fill(folder):
    """Until not one byte more fits."""
    filler = folder / "filler"
    with open(filler, "ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filler


def test_a_full_disk_stops_changes_not_reads_and_loses_nothing(stopped_drover, small_disk):
    drover = stopped_drover
    drover.data = small_disk / "data"
    drover.start()
    assert drover.cluster_id
    drover.up(SERVICE)
    before = drover.tasks("t/s")[0]
    filler = fill(small_disk)
    spec = {"image": BUSYBOX, "command": ["v" * 50000], "has_command": True, "replicas": 0}
    known = {"t/s"}
    refused = None
    for number in range(1000):
        name = f"j{number}"
        status, answer = drover.request("POST", "/v1/jobs", {"project": "fill", "job": {"name": name, "spec": spec}})
        if status != 200:
            refused = status, answer
            break
        known.add(f"fill/{name}")
    assert refused, "a thousand jobs fitted on a full disk"
    assert refused[0] in (503, 507) and refused[1]["error"]["code"] in ("store_full", "store", "unavailable"), refused
    # Reads go on, and tell no more than was acknowledged.
    assert drover.get("/healthz") == {"ok": True}
    assert set(drover.all_jobs()) == known
    assert drover.get("/v1/cluster")["read_only"] is True
    status, answer = drover.request("POST", "/v1/projects/t/stop")
    assert status in (503, 507) and answer["error"]["message"]
    assert docker("inspect", "-f", "{{.State.Running}}", before["container_id"]) == "true"
    # Freed room is noticed without a restart.
    process = drover.processes["dev"]
    filler.unlink()
    eventually("changes are taken again", lambda: drover.request("POST", "/v1/projects/t/restart")[0] == 200)
    assert process.poll() is None
    eventually("a fresh task", lambda: (drover.task("t/s") or before)["id"] != before["id"] and drover.task("t/s")["ready"])
    assert set(drover.all_jobs()) == known
    drover.kill("dev", signal.SIGKILL)
    drover.start()
    assert set(drover.all_jobs()) == known
    running(drover, "t/s")
    assert len(drover.containers(running_only=True)) == 1
    drover.run("down", "-p", "t")
