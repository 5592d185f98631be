"""Calls of the kernel that fail: the n-th write, sync or resize of the store's files, once or from then on for ever, with
EIO, ENOSPC or half the bytes.

The real manager under the shim: what it acknowledged is served as long as it runs, and is there after a power cut at any
moment, even where a sync that failed has dropped what it was to save, as Linux does. What it refused may be there or
not. It never dies of it; a fault that passes is over without a restart.
"""
import subprocess
from concurrent.futures import ThreadPoolExecutor

from test_power_cut import COUNTS, recording
from world import IMAGE, TOOLS, Cluster, eventually, generator, make_folder, remove_folder, say, scaled

RUNS = 240
REQUESTS = 14
IMAGES = 60
SIDE_BY_SIDE = 4
# How many calls of each class a run makes, about; failures are drawn from a little more.
CALLS = {"write": 110, "sync": 34, "resize": 4}
HOWS = {"write": ["EIO", "ENOSPC", "short"], "sync": ["EIO", "ENOSPC"], "resize": ["EIO", "ENOSPC"]}
REFUSED = (503, 507)
# What `drover help` says of a store that does not work, and of one that is full.
EXITS = (7, 8)


def draw(random):
    call = random.choices(list(CALLS), [6, 3, 1])[0]
    return f"{call}:{random.randint(1, CALLS[call])}:{random.choice(HOWS[call])}" + random.choice(["", ":ever"])


class Run:
    """One manager with one failure."""

    def __init__(self, number):
        random = generator(f"failing call {number}")
        self.failure = draw(random)
        self.images_seed = random.randrange(1 << 20)
        self.promised, self.unknown = set(), set()
        self.refused, self.started = 0, True

    def ask(self, cluster, number):
        name = f"j{number}"
        status, answer = cluster.request("POST", "/v1/jobs", {"project": "p", "job": {
            "name": name, "spec": {"image": IMAGE, "replicas": 1, "environment": {"FILLER": "x" * (number * 300)}}}})
        assert status == 200 or status in REFUSED, (self.failure, status, answer, cluster.tail())
        (self.promised if status == 200 else self.unknown).add(name)
        self.refused += status != 200
        return status == 200

    def serves(self, cluster):
        cluster.alive("manager")
        status, answer = cluster.request("GET", "/v1/jobs")
        # What the disk holds is unknown for as long as no write succeeds: better no answer than one that a power cut undoes.
        if self.failure.startswith("write") and self.failure.endswith("ever") and status in REFUSED:
            return
        assert status == 200, (self.failure, status, answer)
        found = {job["name"] for job in answer["jobs"]}
        assert self.promised <= found <= self.promised | self.unknown, (self.failure, found, self.promised, cluster.tail())

    def tell(self):
        folder, scratch = make_folder(), make_folder("/dev/shm")
        try:
            log = folder / "oplog"
            with Cluster(folder) as cluster:
                cluster.manager_data = folder / "root" / "data"
                self.strike(cluster, {**recording(folder / "root", log), "FAULTS_FAIL": self.failure})
            done = subprocess.run([TOOLS / "power_cut", log, "--store", "data/manager", "--scratch", scratch / "disk", "--images",
                                   str(IMAGES), "--passes", "3", "--seed", str(self.images_seed)],
                                  capture_output=True, text=True, check=False)
            found = COUNTS.search(done.stdout)
            assert found and done.returncode == 0, (self.failure, self.images_seed, done.stdout, done.stderr)
            return int(found.group(1))
        finally:
            remove_folder(folder)
            remove_folder(scratch)

    def strike(self, cluster, environment):
        process = cluster.spawn_manager(environment)
        eventually(lambda: f"{self.failure}: the manager serves or ends\n{cluster.tail()}",
                   lambda: process.poll() is not None or cluster.get_or_none("/healthz"))
        if process.poll() is not None:
            self.started = False
            assert process.returncode in EXITS and "drover manager: " in cluster.tail(), (self.failure, cluster.tail())
            return
        for number in range(REQUESTS):
            self.ask(cluster, number)
            self.serves(cluster)
        if self.refused and not self.failure.endswith("ever"):
            eventually(f"{self.failure}: it is over", lambda: self.ask(cluster, 99), pause=0.2)
        self.serves(cluster)
        cluster.kill("manager")


def test_whatever_call_fails_nothing_acknowledged_is_lost():
    runs = [Run(number) for number in range(scaled(RUNS))]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        ends = [pool.submit(run.tell) for run in runs]
    problems = [str(end.exception()) for end in ends if end.exception()]
    assert not problems, f"{len(problems)} of {len(runs)} failed; the first:\n" + "\n\n".join(problems)
    struck = [run for run in runs if run.refused or not run.started]
    assert len(struck) > len(runs) / 3, "the failures strike too seldom"
    say(f"failing calls: {len(runs)} runs, {len(struck)} of them refused something, "
        f"{sum(not run.started for run in runs)} refused to start, {sum(end.result() for end in ends)} power cuts after: "
        "0 acknowledgements lost, 0 crashes")
