"""The power goes at any moment: what was acknowledged is there after, nothing is there by half, and the store opens.

A preloaded shim records what the real manager, or worker, writes and syncs and says; a replayer cuts the power at every
operation and opens what is left with drover's own store (power_cut.c, disk.h).
"""
import re
import subprocess

import pytest

from world import IMAGE, PROGRAM, SEED, SHIM, TOOLS, Cluster, generator, make_folder, remove_folder, say, scaled

COUNTS = re.compile(r"(\d+) images, (\d+) commits, (\d+) operations: (\d+) lost, (\d+) wrong, (\d+) refused, (\d+) hasty")


def recording(root, log, lies=False):
    root.mkdir()
    return {"LD_PRELOAD": str(SHIM), "FAULTS_ROOT": str(root), "FAULTS_LOG": str(log), **({"FAULTS_LIE": "1"} if lies else {})}


def cut_power(log, store, images, *options):
    """The replayer's counts, and whether it found all well."""
    scratch = make_folder("/dev/shm")
    done = subprocess.run([TOOLS / "power_cut", log, "--store", store, "--images", str(images), "--seed", str(SEED),
                           "--scratch", scratch / "disk", *map(str, options)], capture_output=True, text=True, check=False)
    remove_folder(scratch)
    found = COUNTS.search(done.stdout)
    assert found, done.stdout + done.stderr
    return [int(number) for number in found.groups()], done.returncode == 0, done.stdout


# Who joined knows the cluster by it: it must not be made anew after a power cut.
AUTHORITY = "data/manager/trust/authority.pem"


class Client:
    """One request after the other; remembers what each acknowledgement promised."""

    def __init__(self, cluster, name):
        self.cluster, self.random = cluster, generator(name)
        self.ids = {}
        self.wanted = {}
        self.promised = [{}]  # after so many acknowledgements: job -> replicas

    def acknowledged(self, method, target, body=None):
        status, answer = self.cluster.request(method, target, body)
        assert status == 200, (method, target, status, answer)
        return answer

    def act(self, number):
        choice = self.random.randrange(10)
        if choice < 5 or not self.wanted:
            name = f"j{number}"
            replicas = self.random.randrange(4)
            answer = self.acknowledged("POST", "/v1/jobs", {"project": "p", "job": {
                "name": name, "spec": {"image": IMAGE, "stop_grace_ms": 1000, "replicas": replicas,
                                       "environment": {"FILLER": "x" * self.random.randrange(6000)}}}})
            self.ids[name] = answer["jobs"][0]["id"]
            self.wanted[name] = replicas
        elif choice < 8:
            name = self.random.choice(sorted(self.wanted))
            self.wanted[name] = self.random.choice([n for n in range(5) if n != self.wanted[name]])
            self.acknowledged("POST", f"/v1/jobs/{self.ids[name]}/scale", {"replicas": self.wanted[name]})
        else:
            name = self.random.choice(sorted(self.wanted))
            del self.wanted[name]
            self.acknowledged("DELETE", f"/v1/jobs/{self.ids[name]}")
        self.promised.append(dict(self.wanted))


@pytest.fixture
def folder():
    made = make_folder()
    yield made
    remove_folder(made)


def run_manager(folder, requests, lies):
    """A manager under the shim with a real worker; returns the log and the client."""
    root, log = folder / "root", folder / "oplog"
    with Cluster(folder) as cluster:
        cluster.manager_data = root / "data"
        cluster.start_docker()
        cluster.spawn_manager(recording(root, log, lies))
        cluster.wait_manager()
        cluster.spawn_worker()
        cluster.wait_ready()
        client = Client(cluster, "power cut")
        for number in range(requests):
            client.act(number)
        cluster.kill("manager")
    return log, client


def test_what_the_manager_acknowledged_survives_a_power_cut(folder):
    log, client = run_manager(folder, scaled(60), lies=False)
    exports = folder / "images"
    exports.mkdir()
    counts, good, words = cut_power(log, "data/manager", scaled(4000), "--file", AUTHORITY, "--export", scaled(40), exports)
    assert good, words
    assert counts[1] >= scaled(60)
    # The real program on some of them: what was acknowledged by then, or the one request more that was under way.
    looked_at = 0
    for image in sorted(exports.iterdir()):
        acknowledged = int(image.name.split("-")[1])
        with Cluster(image) as cluster:
            cluster.manager_data = image / "data"
            cluster.spawn_manager()
            cluster.wait_manager()
            found = {name: job["replicas"] for name, job in cluster.jobs().items() if job["wanted"] != "remove"}
        assert found in client.promised[acknowledged:acknowledged + 2], (image, client.promised[acknowledged], found)
        looked_at += 1
    say(f"power cut, manager: {counts[0]} images of {counts[1]} commits, {looked_at} of them served by drover manager: "
        f"{counts[3]} acknowledgements lost, {counts[4]} wrong, {counts[5]} refused, {counts[6]} said too early")


def test_the_harness_finds_a_store_whose_syncs_lie(folder):
    log, _ = run_manager(folder, 30, lies=True)
    counts, good, _ = cut_power(log, "data/manager", 1000)
    assert not good and counts[3] > 100 and counts[5] > 10, counts
    say(f"power cut, durability switched off: {counts[0]} images: {counts[3]} acknowledgements lost, {counts[5]} refused, "
        "as it must be found")


def test_what_the_worker_relies_on_survives_a_power_cut(folder):
    root, log = folder / "root", folder / "oplog"
    with Cluster(folder) as cluster:
        cluster.worker_data = root / "data"
        cluster.start_docker()
        cluster.spawn_manager()
        cluster.wait_manager()
        cluster.spawn_worker(recording(root, log))
        cluster.wait_ready()
        client = Client(cluster, "power cut of a worker")
        for number in range(scaled(40)):
            client.act(number)
        cluster.wait_settled({name: n for name, n in client.wanted.items()})
        cluster.kill("worker")
    counts, good, words = cut_power(log, "data/worker", scaled(2000))
    assert good, words
    say(f"power cut, worker: {counts[0]} images of {counts[1]} commits: {counts[3]} lost, {counts[4]} wrong, "
        f"{counts[5]} refused")
