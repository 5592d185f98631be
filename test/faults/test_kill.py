"""kill -9 of the manager and the worker at any moment: what was acknowledged is there, and every task runs once, in the
container it had."""
import threading
import time


from churn import Churn
from world import Cluster, generator, say, scaled

KILLS = 450
CLUSTERS = 5
SETTLE_EVERY = 6
STABLE = {"stable1": 2, "stable2": 1}


class Kills(threading.Thread):
    """One cluster that is killed and killed."""

    def __init__(self, number, kills):
        super().__init__(daemon=True)
        self.random = generator(f"kill {number}")
        self.wanted_kills = kills
        self.kills = {"manager": 0, "worker": 0}
        self.acknowledged = 0
        self.recovery_ms = []
        self.problem = None

    def run(self):
        try:
            with Cluster() as cluster:
                cluster.start()
                self.torment(cluster)
        except BaseException as problem:  # the test tells it
            self.problem = problem

    def torment(self, cluster):
        for name, replicas in STABLE.items():
            assert cluster.submit(name, replicas)[0] == 200
        cluster.wait_settled(STABLE)
        stable = cluster.running()
        churn = Churn(cluster, self.random)
        rounds = 0
        while sum(self.kills.values()) < self.wanted_kills:
            churn.go()
            self.kill_some(cluster)
            cluster.wait_manager()
            churn.rest()
            self.check(cluster, churn, stable)
            rounds += 1
            if rounds % SETTLE_EVERY == 0:
                self.settle(cluster, churn)
        self.settle(cluster, churn)
        self.check(cluster, churn, stable)
        self.acknowledged = churn.acknowledged
        churn.end()

    def kill_some(self, cluster):
        victims = self.random.choice([["manager"], ["worker"], ["manager", "worker"], ["worker", "manager"]])
        time.sleep(self.random.uniform(0.001, 0.09))
        for victim in victims:
            assert cluster.kill(victim) == -9, cluster.tail()
            self.kills[victim] += 1
        for victim in victims:
            time.sleep(self.random.choice([0, 0, self.random.uniform(0, 0.02)]))
            cluster.spawn_manager() if victim == "manager" else cluster.spawn_worker()

    def check(self, cluster, churn, stable):
        cluster.alive()
        found = {name: job["replicas"] for name, job in cluster.jobs().items() if job["wanted"] == "run"}
        assert found == {**STABLE, **churn.promised}, (found, churn.promised, cluster.tail())
        cluster.assert_none_doubled()
        running = cluster.running()
        assert all(running.get(container) == task for container, task in stable.items()), "a container was not adopted"

    def settle(self, cluster, churn):
        begun = time.monotonic()
        cluster.wait_settled({**STABLE, **churn.promised})
        self.recovery_ms.append(round(1000 * (time.monotonic() - begun)))


def test_killed_managers_and_workers_lose_and_double_nothing():
    each = [Kills(number, -(-scaled(KILLS) // CLUSTERS)) for number in range(CLUSTERS)]
    for kills in each:
        kills.start()
    for kills in each:
        kills.join()
    for kills in each:
        if kills.problem:
            raise kills.problem
    managers, workers = (sum(kills.kills[name] for kills in each) for name in ("manager", "worker"))
    recovery_ms = sorted(ms for kills in each for ms in kills.recovery_ms)
    say(f"kill -9: {managers} managers and {workers} workers, {managers + workers} in all, while "
        f"{sum(kills.acknowledged for kills in each)} changes were acknowledged: 0 lost, 0 doubled, 0 not adopted; all wanted "
        f"tasks ran after {recovery_ms[len(recovery_ms) // 2]} ms (median), {recovery_ms[-1]} ms (worst)")
