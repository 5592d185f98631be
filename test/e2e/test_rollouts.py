"""Roll-outs under load: who asks drover which tasks are ready, and requests those, meets no failure."""
import http.client
import json
import re
import subprocess
import threading

import pytest

from harness import PATIENCE_SECONDS, PROGRAM, WEB, eventually, on_terminal

REPLICAS = 3
SERVES = "exec serve"
# Answers its health check for a while, and not any more then.
TURNS_UNHEALTHY = "(sleep 2; rm /tmp/www/healthz) & exec serve"


def compose(version, order, monitor, command=SERVES):
    return f"""
services:
  web:
    image: {WEB}
    command: [sh, -c, "{command}"]
    environment: {{GREETING: "version {version}"}}
    ports: ["20700-20719:80"]
    stop_grace_period: 5s
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1/healthz"]
      interval: 500ms
      retries: 1
    deploy:
      replicas: {REPLICAS}
      update_config: {{order: {order}, monitor: {monitor}, failure_action: rollback}}
      rollback_config: {{order: {order}, monitor: 1s}}
"""


class Load(threading.Thread):
    """Requests every ready task at its published port, over and over."""

    def __init__(self, drover):
        super().__init__(daemon=True)
        self.drover = drover
        self.answers = {}   # how many, by task
        self.failures = []  # of tasks that were ready before and after
        self.fewest = REPLICAS
        self.over = threading.Event()

    def look(self):
        """{id: task} of those that are ready and are to stay; None while the manager is away."""
        try:
            status, page = self.drover.request("GET", "/v1/tasks?project=t&job=web")
        except (OSError, http.client.HTTPException):
            return None
        assert status == 200, page
        return {task["id"]: task for task in page["tasks"] if task["ready"] and task["wanted"] == "run"}

    def problem_of(self, task):
        connection = http.client.HTTPConnection("127.0.0.1", task["ports"][0]["host_port"], timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            return repr(problem)
        finally:
            connection.close()
        # The versions of a test are its revisions.
        wanted = f"hello from {task['container_id'][:12]}\nversion {task['revision']}\n"
        served = answer.status == 200 and text == wanted
        return None if served else f"{answer.status}: {text}"

    def run(self):
        listed = {}
        while not self.over.is_set():
            now = self.look()
            if now is not None:
                listed = now
                self.fewest = min(self.fewest, len(now))
            for task in listed.values():
                problem = self.problem_of(task)
                if not problem:
                    self.answers[task["id"]] = self.answers.get(task["id"], 0) + 1
                elif task["id"] in eventually("the manager lists tasks", lambda: self.look() or {None: None}):
                    self.failures.append((task["name"], task["revision"], problem))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        self.join(PATIENCE_SECONDS)
        if not problem[0]:
            assert not self.is_alive() and self.failures == []


class Machine:
    """A manager and a worker as two processes, each of which may be killed and started again."""

    def __init__(self, drover):
        self.drover = drover
        self.start("manager")
        self.start("worker")
        drover.wait_ready()

    def start(self, command):
        self.drover.spawn(command, data=self.drover.folder / command)

    def kill(self, command):
        self.drover.kill(command)
        self.start(command)
        if command == "manager":
            eventually("the manager answers", self.drover.answers)


@pytest.fixture
def machine(stopped_drover):
    return Machine(stopped_drover)


@pytest.fixture
def web(machine):
    """The first version runs."""
    machine.drover.up(compose(1, "start-first", "1s"))
    return machine.drover


def up(drover, text):
    """`drover up` while something else happens."""
    path = drover.folder / "compose.yaml"
    path.write_text(text)
    return subprocess.Popen([PROGRAM, "up", "-f", path, "-p", "t"], env=drover.environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, out, err


def revisions(drover):
    """Of the tasks that are ready and are to stay."""
    return sorted(task["revision"] for task in drover.tasks("t/web") if task["ready"] and task["wanted"] == "run")


def one_runs(drover, revision):
    eventually(f"a task of revision {revision} runs", lambda: any(
        task["revision"] == revision and task["state"] == "running" for task in drover.tasks("t/web")))


def test_a_healthy_update_fails_no_request_and_is_seen_live(web):
    watches = [subprocess.Popen([PROGRAM, *words], env=web.environment, text=True, stdout=subprocess.PIPE)
               for words in (["jobs", "--watch"], ["ps", "--watch", "-o", "json"])]
    with Load(web) as load:
        (web.folder / "compose.yaml").write_text(compose(2, "start-first", "1s"))
        web.run("up", "-d", "-f", web.folder / "compose.yaml", "-p", "t")
        screen = on_terminal(web, "jobs", "--watch", "web", rows=10, columns=60)
    assert revisions(web) == [2] * REPLICAS
    assert load.fewest == REPLICAS
    assert len(load.answers) == 2 * REPLICAS and all(load.answers.values())
    # The screen is drawn over and over, and shows the end last.
    assert "t/web  updating" in screen and all(len(line) <= 60 + 8 for line in screen.splitlines())
    assert screen.rstrip().splitlines()[-1].split()[:4] == ["t/web", "running", "3/3", "3/3"]
    for process in watches:
        process.terminate()
    jobs, tasks = (process.communicate(timeout=PATIENCE_SECONDS)[0].splitlines() for process in watches)
    assert jobs[0].split() == ["JOB", "STATE", "READY", "UPDATED", "REVISION", "MESSAGE"]
    # One by one, and never with less than what is wanted.
    rows = [re.split(r"  +", line) for line in jobs[1:]]
    updated = [row[3] for row in rows if row[1] == "updating"]
    assert updated and updated == sorted(updated)
    assert {row[2] for row in rows} == {f"{REPLICAS}/{REPLICAS}"}
    ends = [task for task in map(json.loads, tasks) if task["state"] == "completed"]
    assert {task["slot"] for task in ends} == {1, 2, 3} and {task["reason"] for task in ends} == {"updated"}
    # For contrast: stop-first takes its part away, and no more.
    with Load(web) as load:
        status, out, err = finish(up(web, compose(3, "stop-first", "1s")))
    assert status == 0, out + err
    assert load.fewest == REPLICAS - 1
    assert revisions(web) == [3] * REPLICAS


def test_kills_of_manager_and_worker_change_nothing_of_it(machine, web):
    with Load(web) as load:
        process = up(web, compose(2, "start-first", "1s"))
        for victim in ("manager", "worker", "manager"):
            one_runs(web, 2)
            machine.kill(victim)
        status, out, err = finish(process)
    assert status == 0, out + err
    assert revisions(web) == [2] * REPLICAS
    assert load.fewest == REPLICAS and len(load.answers) == 2 * REPLICAS
    # One that turns unhealthy is gone back on. The monitor is far longer than that takes, and ends then.
    process = up(web, compose(3, "start-first", "120s", TURNS_UNHEALTHY))
    with Load(web):
        one_runs(web, 3)
        machine.kill("manager")
        machine.kill("worker")
        status, out, err = finish(process)
    assert status == 1, out + err
    assert re.search(r"t/web was rolled back from revision 3 to 2: \d of 3 failed: web.\d was restarted 1 time", err)
    assert revisions(web) == [2] * REPLICAS
    history = json.loads(web.out("history", "t/web", "-o", "json"))["revisions"]
    assert [(one["number"], one["current"], one["outcome"]) for one in history] == [
        (3, False, "rolled_back"), (2, True, "done"), (1, False, "done")]
    # Whoever looks now is told the same.
    assert web.run("jobs", "--watch", "web").stdout.splitlines()[-1].split()[1:3] == ["running", "(rolled_back)"]
