"""The examples do what the top of each file says."""
import re

import pytest

from harness import BUSYBOX, TOP, WEB, eventually
from test_tour import get

IMAGES = {"WEB_IMAGE": WEB, "SHELL_IMAGE": BUSYBOX}
# The tour of the README runs that one.
EXAMPLES = sorted(path.parent.name for path in TOP.glob("examples/*/compose.yaml") if path.parent.name != "shop")


@pytest.fixture
def example(shared):
    """Run a command in an example's folder; what is up at the end of the test goes down."""
    names = []

    def run(name, *words, environment=None, **options):
        names.append(name)
        return shared.run(*words, cwd=TOP / "examples" / name, environment={**IMAGES, **(environment or {})}, **options)
    yield run
    for name in set(names):
        shared.run("down", "-p", name, "-v")


def test_every_example_stands_in_the_list_and_needs_nothing(stopped_drover):
    page = (TOP / "examples/README.md").read_text()
    assert sorted(re.findall(r"^\| \[(\w+)\]\(\1/compose.yaml\)", page, re.M)) == sorted([*EXAMPLES, "shop"])
    for name in EXAMPLES:
        done = stopped_drover.run("config", "-q", "--profile", "*", cwd=TOP / "examples" / name)
        assert (done.stdout, done.stderr) == ("", "")


def says(drover, job, *parts):
    """`up` waits until a task runs; what it then does may take its time."""
    eventually(f"{job} says {parts}", lambda: all(part in drover.out("logs", job) for part in parts))


def completes(drover, *jobs):
    eventually("they have completed", lambda: {drover.jobs()[job]["standing"] for job in jobs} == {"completed"})


def ready(drover, job):
    return [task for task in drover.tasks(job) if task["ready"]]


def test_rollout(shared, example):
    example("rollout", "up")
    before = {task["id"] for task in ready(shared, "rollout/web")}
    example("rollout", "up", environment={"GREETING": "Hello again"})
    now = ready(shared, "rollout/web")
    assert len(now) == 3 and not before & {task["id"] for task in now}
    for task in now:
        assert "Hello again" in get(task["ports"][0]["host_port"])


def test_batch(shared, example):
    example("batch", "up")
    completes(shared, "batch/split", "batch/count", "batch/report")
    assert "600 lines in 3 parts" in shared.out("logs", "batch/report")


def test_agent(shared, example):
    example("agent", "up")
    node = shared.json("nodes")["nodes"][0]["hostname"]
    assert [task["node_name"] for task in ready(shared, "agent/agent")] == [node]
    eventually("it tells the load", lambda: re.search(r"load: \d", shared.out("logs", "agent/agent")))
    shared.run("node", "label", node, "agents=off")
    eventually("it leaves", lambda: not shared.tasks("agent/agent"))
    shared.run("node", "label", node, "agents-")


def test_journal(shared, example):
    example("journal", "up")
    assert "journal/backup" not in shared.jobs()
    example("journal", "up", "--profile", "backup", "backup")
    completes(shared, "journal/backup")
    assert re.search(r"/backups/\S+.tar.gz has 2 entries", shared.out("logs", "journal/backup"))
    first = shared.task("journal/backup")["id"]
    example("journal", "run", "--again", "backup")
    eventually("another copy", lambda: shared.task("journal/backup", "completed")
               and shared.task("journal/backup")["id"] != first)


def test_settings(shared, example):
    example("settings", "up")
    says(shared, "settings/app", "level info, password of 9 letters")
    other = ready(shared, "settings/other")[0]["id"]
    assert "change-me" not in shared.out("inspect", "settings/app")
    example("settings", "up", environment={"LEVEL": "debug"})
    says(shared, "settings/app", "level debug, password of 9 letters")
    assert ready(shared, "settings/other")[0]["id"] == other


def test_array(shared, example):
    example("array", "up")
    completes(shared, "array/squares")
    says(shared, "array/squares", "6 times 6 is 36")


def test_pool(shared, example):
    example("pool", "up")
    ports = {task["ports"][0]["host_port"] for task in ready(shared, "pool/web")}
    assert len(ports) == 4 and ports <= set(range(8110, 8130))
    for port in ports:
        assert "hello from" in get(port)
    example("pool", "scale", "web=6")
    assert len(ready(shared, "pool/web")) == 6
