"""Machines and people join by a token, leave, and are let in no more."""
import shutil
import time

import pytest

from cluster import Host, service
from harness import BUSYBOX, PROGRAM, eventually
from machines import Machine, Process

# The status of a worker whose node was removed.
REMOVED = 9


@pytest.fixture
def stranger(machines):
    """A machine on the network that is no part of the cluster, without Docker."""
    machine = Machine(machines.network, "stranger", 40)
    yield machine
    machine.off()
    shutil.rmtree(machine.folder)


class Worker:
    """A worker on a machine without Docker, and what it says."""

    def __init__(self, machine, folder, *words):
        self.path = machine.folder / f"{folder}.log"
        self.path.unlink(missing_ok=True)
        self.process = Process(machine, [PROGRAM, "worker", "--data-dir", machine.folder / folder, "--docker",
                                         machine.folder / "none.sock", *words], self.path)

    def said(self):
        return self.path.read_text()

    def refused(self, status, *words):
        """It ends with this status and these words."""
        assert self.process.wait() == status, self.said()
        assert all(each in self.said() for each in words), self.said()

    def says(self, words):
        eventually(f"it says {words}", lambda: words in self.said())


def flip(text, place):
    other = "b" if text[place] != "b" else "c"
    return text[:place] + other + text[place + 1:]


def test_only_a_good_token_lets_a_machine_in(cluster, stranger):
    short, token = cluster.token("worker", "--ttl", "1s"), cluster.token()
    join = ["--join", cluster.address]
    before = set(cluster.nodes())
    Worker(stranger, "try", *join).refused(2, "--join needs a token")
    Worker(stranger, "try", *join, "--token", "hello").refused(2, "a token begins with drover1-")
    for place in (20, 50, 80):
        Worker(stranger, "try", *join, "--token", flip(token, place)).refused(2, "the token has a typing mistake")
    time.sleep(1)
    Worker(stranger, "try", *join, "--token", short).refused(7, "it has expired or was removed")
    assert set(cluster.nodes()) == before
    member = Worker(stranger, "try", *join, "--token", token)
    member.says("connected to the manager")
    eventually("it is a node", lambda: set(cluster.nodes()) == before | {"stranger"})
    Worker(stranger, "second", *join, "--token", token).refused(7, "the token is used up: it was for 1 join")
    member.process.end()
    # It is a member now and needs no token.
    member = Worker(stranger, "try")
    member.says("connected to the manager")
    cluster.drop("stranger", member.process)


def test_two_workers_with_one_identity_are_told_so(cluster, stranger):
    first = Worker(stranger, "first", "--join", cluster.address, "--token", cluster.token())
    first.says("connected to the manager")
    shutil.copytree(stranger.folder / "first", stranger.folder / "second")
    second = Worker(stranger, "second")
    first.says("two workers take themselves for this node: stop one of them and give it an empty data folder")
    assert "another worker with this identity has connected" in first.said()
    assert "not connected" not in second.said()
    first.process.end()
    cluster.drop("stranger", second.process)


def test_a_manager_of_another_cluster_is_not_believed(cluster, stranger):
    """Somebody else answers at the manager's address: the token names the CA that must have signed for it."""
    data, address = stranger.folder / "impostor", f"{stranger.address}:7700"
    log = stranger.folder / "impostor.log"
    impostor = Process(stranger, [PROGRAM, "manager", "--data-dir", data, "--host", data.with_suffix(".sock"),
                                  "--listen", address], log)
    eventually("it listens", lambda: "listening for other machines" in log.read_text())
    Worker(stranger, "victim", "--join", address, "--token", cluster.token()).refused(
        7, "the manager is not of the cluster that the token is for")
    assert "joined" not in log.read_text()
    impostor.end()


def test_users_work_from_other_machines_within_their_roles(cluster, stranger):
    def user(role, *words, check=True):
        home = stranger.folder / role
        home.mkdir(exist_ok=True)
        return stranger.run("env", "-u", "DROVER_HOST", "-u", "XDG_CONFIG_HOME", f"HOME={home}", PROGRAM, *words,
                            check=check)

    def refused(*words):
        with pytest.raises(AssertionError) as error:
            user(*words)
        return str(error.value)

    for role in ("client", "viewer"):
        command = cluster.out("token", "create", "--role", role).split()
        assert command[:3] == ["drover", "context", "join"]
        assert f"as {role}" in user(role, *command[1:])
    file = stranger.folder / "compose.yaml"
    file.write_text(service(replicas=2))
    user("client", "up", "-f", file, "-p", "remote")
    cluster.ready("remote/s", 2)
    assert "remote/s.1" in user("viewer", "ps")
    assert "the role viewer may not do this" in refused("viewer", "scale", "remote/s=3")
    assert "the role client may not do this" in refused("client", "node", "drain", "alpha")
    assert "the role client may not do this" in refused("client", "token", "create", "--role", "admin")
    user("client", "down", "-p", "remote")
    assert cluster.containers() == []


def test_a_machine_that_joins_later_gets_its_global_task_and_one_that_leaves_is_let_in_no_more(cluster):
    cluster.up(service().replace("replicas: 1", "mode: global"), project="agents")
    cluster.ready("agents/s", 3)
    late = Host(cluster.network, "late", 30)
    late.prepare()
    cluster.join(late)
    cluster.ready("agents/s", 4, where=[*cluster.hosts, "late"])
    refused = cluster.run("node", "rm", "late", check=False)
    assert refused.returncode != 0 and "node late holds 1 task" in refused.stderr
    cluster.run("node", "drain", "late")
    assert late.containers() == {}
    cluster.run("node", "rm", "late")
    cluster.ready("agents/s", 3, where=list(cluster.hosts))
    # It is told, and ends; it comes back as another one, from the same folder.
    assert late.worker.wait() == REMOVED
    assert late.containers(dead_too=True) == {}
    cluster.join(late)
    cluster.ready("agents/s", 4, where=[*cluster.hosts, "late"])
    late.off()
    cluster.wait_state("down", late)
    refused = cluster.run("node", "rm", "late", check=False)
    assert refused.returncode != 0 and "1 of its tasks is not confirmed gone" in refused.stderr
    assert "1 task was lost: agents/s" in cluster.out("node", "rm", "--fenced", "late")
    cluster.ready("agents/s", 3, where=list(cluster.hosts))
    # The operator's word was wrong: the machine returns. What Docker or the worker may have started there ends.
    late.log.unlink()
    late.on()
    late.start_docker()
    cluster.start_worker(late)
    assert late.worker.wait() == REMOVED
    assert "was removed from the cluster" in late.log.read_text()
    assert late.containers(dead_too=True) == {}
    late.off()


def test_a_machine_given_up_too_early_ends_what_it_runs_and_joins_again(cluster):
    hasty = Host(cluster.network, "hasty", 31)
    hasty.prepare()
    cluster.join(hasty)
    cluster.up(f"""
services:
  s:
    image: {BUSYBOX}
    stop_grace_period: 1s
    command: ["sh", "-c", "echo started >> /data/log; trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    restart: always
    volumes: ["data:/data"]
    networks: [inner]
    deploy: {{mode: global}}
volumes: {{data: {{}}}}
networks: {{inner: {{}}}}
""", project="early")
    cluster.ready("early/s", 4, where=[*cluster.hosts, "hasty"])
    first = cluster.nodes()["hasty"]["id"]
    running = hasty.containers()
    assert len(running) == 1
    hasty.cut()
    cluster.wait_state("down", hasty)
    assert "1 task was lost: early/s" in cluster.out("node", "rm", "--fenced", "hasty")
    # Nobody can tell it. When it hears of it, it ends all but the data, and itself.
    assert hasty.containers() == running
    hasty.heal()
    assert hasty.worker.wait() == REMOVED
    assert hasty.containers(dead_too=True) == {}
    assert "early_inner" not in hasty.docker("network", "ls", "--format", "{{.Name}}").split()
    assert "early_data" in hasty.docker("volume", "ls", "--format", "{{.Name}}").split()
    # Started again it knows, whoever answers, and starts nothing.
    cluster.start_worker(hasty)
    assert hasty.worker.wait() == REMOVED
    cluster.ready("early/s", 3, where=list(cluster.hosts))
    # With a token it is a new node, from the same folder, and finds its data.
    cluster.join(hasty)
    tasks = cluster.ready("early/s", 4, where=[*cluster.hosts, "hasty"])
    assert cluster.nodes()["hasty"]["id"] != first
    container = next(task["container_id"] for task in tasks if task["node_name"] == "hasty")
    assert hasty.docker("exec", container, "cat", "/data/log") == "started\nstarted"
    cluster.drop("hasty", hasty.worker)
    hasty.off()
