"""Machines and people join over TLS with the commands that are printed, lose their access, and outlive their certificates.

Docker plays no part: the workers' Docker is not there, and their nodes stay degraded."""
import glob
import os
import re
import shlex
import shutil
import signal
import subprocess

import pytest
from harness import PATIENCE_SECONDS, PROGRAM, eventually, make_drover

NOT_ALLOWED = 7
DAMAGED = 8

pytestmark = pytest.mark.apart


class Cluster:
    """A manager that listens, and those who join it; `days` is how far all clocks are ahead."""

    def __init__(self, drover):
        self.drover = drover
        self.days = 0
        self.address = "127.0.0.1:0"
        self.home = drover.folder / "home"
        self.processes = []

    def environment(self, days=None, home=None, **more):
        environment = {**os.environ, "HOME": str(home or self.home), **more}
        environment.pop("XDG_CONFIG_HOME", None)
        environment.pop("DROVER_HOST", None)
        days = self.days if days is None else days
        if days:
            # It starts before jemalloc only where libc's allocator is the one in use.
            environment["LD_PRELOAD"] = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0] + " libc.so.6"
            environment["FAKETIME"] = f"{days:+d}d"
            environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
            environment["DONT_FAKE_MONOTONIC"] = "1"
        return environment

    def start(self, name, *words, days=None):
        path = self.drover.folder / f"{name}.log"
        with open(path, "ab") as log:
            process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       env=self.environment(days))
        process.name = name
        self.processes.append(process)
        return process

    def log(self, name):
        return (self.drover.folder / f"{name}.log").read_text()

    def start_manager(self):
        self.start("manager", "-H", self.drover.socket, "manager", "--data-dir", self.drover.data,
                   "--listen", self.address)
        eventually("the manager answers", self.drover.answers)
        self.address = re.findall(r"they find it at (\S+)", self.log("manager"))[-1]

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)
        self.processes.clear()

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
        self.processes.remove(process)

    def run(self, *words, check=True, days=None, home=None, **environment):
        done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                              env=self.environment(days, home, **environment))
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done

    def here(self, *words, **options):
        """A command on the manager's own socket."""
        return self.run("-H", self.drover.socket, *words, **options)

    def token(self, role, *options):
        """The words of the printed command, without the program's name."""
        command = shlex.split(self.here("token", "create", "--role", role, *options).stdout)
        assert command[0] == "drover"
        return command[1:]

    def worker(self, name, *words, days=None):
        return self.start(name, *(words or ["worker"]), "--data-dir", self.drover.folder / name,
                          "--docker", self.drover.folder / "no-docker", days=days)

    def nodes(self):
        return [node for node in self.drover.get("/v1/nodes")["nodes"] if node["role"] != "manager"]

    def wait_node(self, state="degraded"):
        return eventually(f"a node that is {state}",
                          lambda: next((node for node in self.nodes() if node["state"] == state), None))


@pytest.fixture
def cluster():
    drover = make_drover()
    cluster = Cluster(drover)
    cluster.start_manager()
    yield cluster
    cluster.stop()
    shutil.rmtree(drover.folder, ignore_errors=True)


def test_a_worker_joins_with_the_printed_command_and_needs_it_once(cluster):
    command = cluster.token("worker")
    assert command[:2] == ["worker", "--join"]
    worker = cluster.worker("alpha", *command)
    node = cluster.wait_node()
    folder = cluster.drover.folder / "alpha/worker/trust"
    assert {path.name for path in folder.iterdir()} == {"ca.pem", "certificate.pem", "key.pem", "manager"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    assert (cluster.drover.data / "manager/trust/authority.pem").stat().st_mode & 0o777 == 0o600
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_SECONDS) == 0
    cluster.processes.remove(worker)
    cluster.wait_node("down")
    again = cluster.worker("alpha")
    assert cluster.wait_node()["id"] == node["id"]
    # The unit file may name the used token for ever.
    again.send_signal(signal.SIGTERM)
    again.wait(PATIENCE_SECONDS)
    cluster.processes.remove(again)
    cluster.wait_node("down")
    cluster.worker("alpha", *command)
    assert cluster.wait_node()["id"] == node["id"]


def test_a_refused_token_ends_the_worker_with_a_message(cluster):
    command = cluster.token("worker")
    cluster.worker("alpha", *command)
    cluster.wait_node()
    late = cluster.worker("beta", *command)
    assert late.wait(PATIENCE_SECONDS) == NOT_ALLOWED
    cluster.processes.remove(late)
    assert "the token is used up: it was for 1 join" in cluster.log("beta")
    mistyped = [*command[:-1], command[-1][:40] + ("a" if command[-1][40] != "a" else "b") + command[-1][41:]]
    done = cluster.run(*mistyped, "--data-dir", cluster.drover.folder / "gamma", check=False)
    assert done.returncode == 2
    assert "the token has a typing mistake" in done.stderr


def test_a_token_of_another_role_is_not_used_up_by_mistake(cluster):
    client = cluster.token("client")
    folder = cluster.drover.folder / "alpha"
    done = cluster.run("worker", "--join", *client[2:], "--data-dir", folder, check=False)
    assert done.returncode == NOT_ALLOWED
    assert "the token is for the role client, and a worker joins as worker" in done.stderr
    worker = cluster.token("worker")
    done = cluster.run("context", "join", *worker[2:], check=False)
    assert done.returncode == NOT_ALLOWED
    assert not list((cluster.home / ".config/drover/contexts").glob("*/key.pem"))
    assert "the token is for the role worker, and users join as client, viewer or admin" in done.stderr
    cluster.run(*client, "--name", "shop")
    cluster.worker("alpha", *worker)
    cluster.wait_node()
    # What has joined as a user, by an older manager's leave, is no worker.
    shutil.copytree(cluster.home / ".config/drover/contexts/shop", cluster.drover.folder / "beta/worker/trust")
    done = cluster.run("worker", "--data-dir", cluster.drover.folder / "beta", check=False)
    assert done.returncode == 4
    assert "has joined as client, not as worker" in done.stderr


def test_a_worker_waits_for_a_manager_that_is_not_there(cluster):
    command = cluster.token("worker")
    cluster.stop()
    cluster.worker("alpha", *command)
    eventually("it waits", lambda: "cannot join yet, trying again" in cluster.log("alpha"))
    cluster.start_manager()
    cluster.wait_node()


def test_a_worker_stays_in_its_cluster(cluster):
    worker = cluster.worker("alpha", *cluster.token("worker"))
    cluster.wait_node()
    cluster.end(worker)
    other = Cluster(make_drover())
    try:
        other.start_manager()
        done = cluster.run(*other.token("worker"), "--data-dir", cluster.drover.folder / "alpha", check=False)
    finally:
        other.stop()
        shutil.rmtree(other.drover.folder, ignore_errors=True)
    assert done.returncode == 4
    assert f"{cluster.drover.folder}/alpha/worker/trust says so" in done.stderr


def test_a_manager_that_moves_is_told_once(cluster):
    cluster.worker("alpha", *cluster.token("worker"))
    node = cluster.wait_node()
    cluster.stop()
    old, cluster.address = cluster.address, "127.0.0.1:0"
    cluster.start_manager()
    assert cluster.address != old
    lost = cluster.worker("alpha")
    eventually("the worker says where it looks", lambda: f"the manager at {old}; where it has moved" in cluster.log("alpha"))
    eventually("nobody is there", lambda: "not connected to the manager" in cluster.log("alpha"))
    cluster.end(lost)
    # What is no address is not kept.
    kept = cluster.drover.folder / "alpha/worker/trust/manager"
    for wrong in ("/run/drover.sock", "10.0.0.5:77000", "not an address"):
        done = cluster.run("worker", "--join", wrong, "--data-dir", cluster.drover.folder / "alpha", check=False)
        assert done.returncode == 2 and wrong in done.stderr, (done.returncode, done.stderr)
        assert kept.read_text().strip() == old
    cluster.worker("alpha", "worker", "--join", cluster.address)
    assert cluster.wait_node()["id"] == node["id"]
    assert kept.read_text().strip() == cluster.address


def test_people_join_as_what_their_token_says(cluster):
    viewer, client = cluster.drover.folder / "viewer", cluster.drover.folder / "client"
    done = cluster.run(*cluster.token("viewer"), "--name", "shop", home=viewer)
    assert "as viewer; commands now use the context shop" in done.stdout
    cluster.run(*cluster.token("client"), home=client)
    assert "manager" in cluster.run("nodes", home=viewer).stdout
    done = cluster.run("rm", "shop/web", home=viewer, check=False)
    assert done.returncode == 3, done.stderr
    done = cluster.run("volume", "rm", "shop_data", home=viewer, check=False)
    assert done.returncode == NOT_ALLOWED
    assert "the role viewer may not do this: it needs the role client or admin" in done.stderr
    assert cluster.run("token", "ls", home=client, check=False).returncode == NOT_ALLOWED
    # One command line, several clusters.
    assert cluster.run("context", "show", home=viewer).stdout == "shop\n"
    cluster.run("context", "use", "default", home=viewer)
    assert cluster.run("context", "show", home=viewer).stdout == "default\n"
    for words, environment in (["--context", "shop", "nodes"], {}), (["nodes"], {"DROVER_CONTEXT": "shop"}):
        assert "manager" in cluster.run(*words, home=viewer, **environment).stdout
    listed = cluster.run("context", "ls", home=viewer).stdout
    assert re.search(rf"^shop +- +viewer +{re.escape(cluster.address)} ", listed, re.M), listed
    done = cluster.run("--context", "none", "nodes", home=viewer, check=False)
    assert done.returncode == 3 and 'no context "none"' in done.stderr
    # Taken away, and given up.
    identity = next(line.split()[0] for line in cluster.here("identity", "ls").stdout.splitlines() if "viewer" in line)
    cluster.here("identity", "rm", identity)
    done = cluster.run("--context", "shop", "nodes", home=viewer, check=False)
    assert done.returncode == NOT_ALLOWED
    assert "this viewer was removed from the cluster" in done.stderr
    cluster.run("context", "rm", "shop", home=viewer)
    assert not (viewer / ".config/drover/contexts/shop").exists()


def test_a_token_can_lie_in_a_file_and_ends_when_it_is_removed(cluster):
    token = cluster.here("token", "create", "--role", "client", "-q").stdout
    path = cluster.drover.folder / "token"
    path.write_text(token)
    cluster.run("context", "join", cluster.address, "--token-file", path)
    ended = cluster.token("client", "--uses", "5", "--ttl", "1h")
    listed = cluster.here("token", "ls").stdout
    cluster.here("token", "rm", ended[-1][8:24])
    assert ended[-1][8:24] in listed and ended[-1][8:24] not in cluster.here("token", "ls").stdout
    done = cluster.run(*ended, "--name", "late", check=False)
    assert done.returncode == NOT_ALLOWED
    assert "it has expired or was removed" in done.stderr


def test_a_lost_authority_is_told_and_made_anew_by_command_only(cluster):
    command = cluster.token("worker")
    worker = cluster.worker("alpha", *command)
    node = cluster.wait_node()
    cluster.run(*cluster.token("client"), "--name", "shop")
    cluster.stop()
    authority = cluster.drover.data / "manager/trust/authority.pem"
    words = ["-H", cluster.drover.socket, "manager", "--data-dir", cluster.drover.data, "--listen", cluster.address]
    done = cluster.run(*words, "--new-authority", check=False)
    assert done.returncode == 4 and f"{authority} is there: move it away first" in done.stderr, done.stderr
    authority.unlink()
    done = cluster.run(*words, check=False)
    assert done.returncode == DAMAGED and f"{authority} is missing" in done.stderr, done.stderr
    assert not authority.exists()
    cluster.start("manager", *words, "--new-authority")
    eventually("the manager answers", cluster.drover.answers)
    done = cluster.run("nodes", check=False)
    assert done.returncode != 0 and "certificate" in done.stderr, done.stderr
    command = cluster.token("worker")
    done = cluster.run(*command, "--data-dir", cluster.drover.folder / "alpha", check=False)
    assert done.returncode == 4 and "Where the cluster has a new authority, remove certificate.pem" in done.stderr
    (cluster.drover.folder / "alpha/worker/trust/certificate.pem").unlink()
    assert worker.poll() is not None
    cluster.worker("alpha", *command)
    assert cluster.wait_node()["id"] == node["id"]


def test_years_pass(cluster):
    """All were off for 300 days, then for more than another year: rows 89 to 91 of what went wrong elsewhere."""
    cluster.worker("alpha", *cluster.token("worker"))
    node = cluster.wait_node()
    cluster.run(*cluster.token("client"), "--name", "shop")
    cluster.stop()
    cluster.days = 300
    cluster.start_manager()
    cluster.worker("alpha")
    assert cluster.wait_node()["id"] == node["id"]
    eventually("a new certificate", lambda: "certificate renewed" in cluster.log("alpha"))
    assert "manager" in cluster.run("nodes").stdout
    cluster.stop()
    cluster.days = 300 + 30 + 366
    cluster.start_manager()
    lapsed = cluster.worker("alpha")
    eventually("the worker says what to do", lambda: "join again with a token" in cluster.log("alpha"))
    lapsed.send_signal(signal.SIGTERM)
    lapsed.wait(PATIENCE_SECONDS)
    cluster.processes.remove(lapsed)
    done = cluster.run("nodes", check=False)
    assert done.returncode == NOT_ALLOWED and "join again with a token" in done.stderr
    cluster.worker("alpha", *cluster.token("worker"))
    assert cluster.wait_node()["id"] == node["id"]


def test_a_clock_that_is_wrong_is_told_with_both_times(cluster):
    words = cluster.token("client")
    done = cluster.run(*words, days=-3, check=False)
    assert done.returncode != 0
    assert re.search(r"valid from .* to .*, and this machine's clock says", done.stderr), done.stderr
