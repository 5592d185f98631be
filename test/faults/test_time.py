"""The clock of a machine jumps: an hour, more than a year, ten years back. Nothing is placed anew, nothing starts again."""
import glob
import time
from concurrent.futures import ThreadPoolExecutor

from world import Cluster, say

JUMPS = {"+1 hour": 3600, "-1 hour": -3600, "+400 days": 400 * 86400, "-10 years": -3652 * 86400}
WHO = (["manager"], ["worker"], ["manager", "worker"])
STABLE = {"a": 2, "b": 1}
# Longer than a node may be silent.
WATCH_SECONDS = 13
LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")


class Clock:
    """The clock of one cluster's processes: the real one, and an offset that may change at any time. What does not jump
    on a real machine (CLOCK_MONOTONIC, CLOCK_BOOTTIME) does not here."""

    def __init__(self, folder):
        self.path = folder / "clock"
        self.set(0)

    def set(self, offset_seconds):
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{offset_seconds:+d}")
        fresh.replace(self.path)

    def environment(self):
        # It starts before jemalloc only where libc's allocator is the one in use.
        return {"LD_PRELOAD": f"{LIBRARIES[0]} libc.so.6", "FAKETIME_TIMESTAMP_FILE": str(self.path), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}


class Jump:
    def __init__(self, who, name):
        self.who, self.name = who, name

    def spawn(self, cluster, name, clock):
        environment = clock.environment() if name in self.who else None
        cluster.spawn_manager(environment) if name == "manager" else cluster.spawn_worker(environment)

    def watch(self, cluster, before, seconds):
        """Nothing changes, however long one looks."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            cluster.alive()
            assert {container: task for container, task in cluster.running().items() if container in before} == before, \
                (self.who, self.name, cluster.tail())
            tasks = {task["id"]: (task["state"], task["attempt"]) for task in cluster.tasks() if task["id"] in before.values()}
            assert tasks == {task: ("running", 1) for task in before.values()}, (self.who, self.name, tasks, cluster.tail())
            time.sleep(0.25)

    def tell(self):
        with Cluster() as cluster:
            clock = Clock(cluster.folder)
            cluster.start_docker()
            self.spawn(cluster, "manager", clock)
            cluster.wait_manager()
            self.spawn(cluster, "worker", clock)
            cluster.wait_ready()
            for job, replicas in STABLE.items():
                assert cluster.submit(job, replicas)[0] == 200
            cluster.wait_settled(STABLE)
            before = cluster.running()
            clock.set(JUMPS[self.name])
            self.watch(cluster, before, WATCH_SECONDS)
            assert cluster.node_state() == "ready"
            assert cluster.submit("c")[0] == 200
            cluster.wait_settled({**STABLE, "c": 1})
            for name in self.who:
                cluster.kill(name)
                self.spawn(cluster, name, clock)
            cluster.wait_ready()
            self.watch(cluster, before, 3)
            clock.set(0)
            self.watch(cluster, before, 3)
            cluster.wait_settled({**STABLE, "c": 1})
            self.assert_jumped(cluster)

    def assert_jumped(self, cluster):
        """Else the test would prove nothing: the log's own dates tell."""
        years = {line[:4] for line in cluster.log_path.read_text().splitlines() if line[4:5] == "-"}
        hours = {line[:13] for line in cluster.log_path.read_text().splitlines() if line[4:5] == "-"}
        assert len(hours) > 1 and (abs(JUMPS[self.name]) < 86400 or len(years) > 1), (years, hours)


def test_no_jump_of_the_clock_starts_or_moves_anything():
    assert LIBRARIES, "libfaketime is missing: tools/install-packages test"
    jumps = [Jump(who, name) for who in WHO for name in JUMPS]
    with ThreadPoolExecutor(len(jumps)) as pool:
        list(pool.map(Jump.tell, jumps))
    say(f"clock jumps: {len(jumps)} ({', '.join(JUMPS)}; of the manager, the worker, both) and back, with a restart in "
        "between: 0 tasks placed anew, 0 started again")
