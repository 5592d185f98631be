"""Docker stands still: the node is degraded, nothing is called failed, and what ran goes on."""
import signal
import time

from real_docker import SETTLE_SECONDS, STABLE, DockerCluster
from world import eventually, generator, say, scaled

STOPS = 8


def test_a_docker_that_stands_still_changes_nothing():
    with DockerCluster() as cluster:
        stop_and_go(cluster.start())


def stop_and_go(cluster):
    random = generator("stop")
    containers, attempts = cluster.running(), cluster.attempts()
    for _ in range(scaled(STOPS)):
        cluster.daemon.signal(signal.SIGSTOP)
        time.sleep(random.uniform(0.05, 3))
        cluster.daemon.signal(signal.SIGCONT)
        cluster.wait_settled(STABLE, SETTLE_SECONDS)
        assert cluster.running() == containers and cluster.attempts() == attempts
    begun = time.monotonic()
    cluster.daemon.signal(signal.SIGSTOP)
    eventually("the node is degraded", lambda: cluster.node_state() == "degraded", seconds=120)
    degraded_s = round(time.monotonic() - begun)
    assert cluster.attempts() == attempts
    cluster.nothing_failed()
    # What is asked for meanwhile waits, and is done after.
    assert cluster.submit("later")[0] == 200
    cluster.daemon.signal(signal.SIGCONT)
    begun = time.monotonic()
    cluster.wait_settled({**STABLE, "later": 1}, SETTLE_SECONDS)
    recovery_ms = round(1000 * (time.monotonic() - begun))
    assert all(cluster.running().get(container) == task for container, task in containers.items())
    assert cluster.attempts() == attempts
    assert cluster.node_state() == "ready"
    say(f"dockerd stopped with SIGSTOP: {scaled(STOPS)} times up to 3 s and once until the node was degraded ({degraded_s} s): "
        f"0 lost, 0 doubled, 0 failed, all adopted; what waited ran {recovery_ms} ms after SIGCONT")
