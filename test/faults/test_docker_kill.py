"""kill -9 of Docker itself: nothing is called failed, nothing is lost, nothing runs twice."""
import time

from churn import Churn
from real_docker import SETTLE_SECONDS, STABLE, DockerCluster
from world import generator, say, scaled

KILLS = 50


def test_a_docker_that_is_killed_loses_and_doubles_nothing():
    with DockerCluster() as cluster:
        torment(cluster.start())


def torment(cluster):
    random = generator("docker")
    churn = Churn(cluster, random, jobs_max=2, replicas_max=2)
    others, recovery_ms = 0, []
    for _ in range(scaled(KILLS)):
        before = cluster.attempts()
        churn.go()
        time.sleep(random.uniform(0.001, 0.09))
        cluster.daemon.kill()
        if random.random() < 0.3:
            # A second blow: one of ours with it.
            name = random.choice(["manager", "worker"])
            cluster.kill(name)
            cluster.spawn_manager() if name == "manager" else cluster.spawn_worker()
            others += 1
        churn.rest()
        begun = time.monotonic()
        cluster.daemon.start()
        cluster.wait_settled({**STABLE, **churn.promised}, SETTLE_SECONDS)
        recovery_ms.append(round(1000 * (time.monotonic() - begun)))
        # The same tasks, in new containers: Docker killed the old ones when it came back.
        after = cluster.attempts()
        assert set(after) == set(before), (before, after, cluster.tail())
        cluster.nothing_failed()
    churn.end()
    recovery_ms.sort()
    say(f"kill -9 of dockerd: {len(recovery_ms)}, with {others} of manager or worker at the same time, while "
        f"{churn.acknowledged} changes were acknowledged: 0 lost, 0 doubled, 0 failed; all wanted tasks ran after "
        f"{recovery_ms[len(recovery_ms) // 2]} ms (median), {recovery_ms[-1]} ms (worst), dockerd's own start included")
