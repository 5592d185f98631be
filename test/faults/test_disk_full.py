"""The disks of the manager and of the worker fill up while they serve, to the last byte, and have room again: nothing that
was acknowledged is lost, reads go on, what makes room is done, and all of it without a restart."""
import subprocess
import time

import pytest

from world import Cluster, eventually, say

DISK_BYTES = "24m"
FILLER = "x" * 20000
REFUSED_FOR_GOOD_SECONDS = 4


@pytest.fixture
def cluster():
    with Cluster() as made:
        for name in ("m", "w"):
            (made.folder / name).mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", made.folder / name], check=True)
        yield made


def fill(folder):
    filler = folder / "filler"
    with open(filler, "ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filler


def names_of(cluster):
    return {name for name, job in cluster.jobs().items() if job["wanted"] == "run"}


def fill_by_jobs(cluster, known):
    """Ask for jobs until they are refused for good, the room that is kept for such times included; returns how many were
    taken."""
    number, refused_since = 0, None
    while not refused_since or time.monotonic() < refused_since + REFUSED_FOR_GOOD_SECONDS:
        name = f"fill{number}"
        status, answer = cluster.request("POST", "/v1/jobs", {"project": "fill", "job": {"name": name, "spec": {
            "image": "image:1", "replicas": 0, "environment": {"FILLER": FILLER}}}})
        assert status in (200, 503, 507), (status, answer)
        if status == 200:
            known.add(name)
            number, refused_since = number + 1, None
            assert number < 2000, "two thousand jobs fitted on a full disk"
        else:
            refused_since = refused_since or time.monotonic()
            assert names_of(cluster) == known
            time.sleep(0.1)
    return number


def insist_while_full(cluster, method, target):
    """Within a few seconds it is done: the first commit that meets the full disk is refused, and the room kept is then
    given up."""
    eventually(lambda: f"{method} {target} is done\n{cluster.tail()}",
               lambda: cluster.insist(method, target)[0] == 200, seconds=10, pause=0.2)


def test_a_full_disk_of_the_manager_loses_nothing_and_is_over_without_a_restart(cluster):
    cluster.start()
    assert cluster.submit("stays", 2)[0] == 200 and cluster.submit("goes", 2)[0] == 200
    cluster.wait_settled({"stays": 2, "goes": 2})
    known, before = {"stays", "goes"}, cluster.running()
    filler = fill(cluster.manager_data)
    taken = fill_by_jobs(cluster, known)
    # Reads go on, and tell what was acknowledged.
    assert names_of(cluster) == known
    # What makes room, or takes none, is done.
    goes = cluster.jobs()["goes"]["id"]
    insist_while_full(cluster, "POST", f"/v1/jobs/{goes}/stop")
    eventually("the stopped job has ended", lambda: len(cluster.running()) == 2)
    insist_while_full(cluster, "DELETE", f"/v1/jobs/{goes}")
    known.remove("goes")
    eventually("the removed job is gone", lambda: "goes" not in cluster.jobs())
    assert names_of(cluster) == known and set(cluster.running().items()) < set(before.items())
    filler.unlink()
    begun = time.monotonic()
    assert cluster.submit("after")[0] in (200, 507)
    eventually("new work is taken again", lambda: "after" in names_of(cluster) or cluster.submit("after")[0] == 200)
    recovery_ms = round(1000 * (time.monotonic() - begun))
    known.add("after")
    cluster.alive()
    cluster.kill("manager")
    cluster.spawn_manager()
    cluster.wait_manager()
    assert names_of(cluster) == known
    say(f"disk full, manager: filled to the last byte, {taken} more jobs taken until refused, 0 of {len(known)} lost; reads, "
        f"stop and remove went on; new work {recovery_ms} ms after there was room, without a restart")


def test_a_full_disk_of_the_worker_loses_nothing_and_is_over_without_a_restart(cluster):
    cluster.start()
    assert cluster.submit("stays", 2)[0] == 200 and cluster.submit("goes", 2)[0] == 200
    cluster.wait_settled({"stays": 2, "goes": 2})
    before = cluster.running()
    filler = fill(cluster.worker_data)
    for number in range(40):
        assert cluster.submit(f"more{number}", 3, environment={"FILLER": FILLER})[0] == 200
    cluster.assert_none_doubled()
    goes = cluster.jobs()["goes"]["id"]
    assert cluster.insist("POST", f"/v1/jobs/{goes}/stop")[0] == 200
    time.sleep(3)
    cluster.alive()
    cluster.assert_none_doubled()
    assert sum(container in before for container in cluster.running()) >= 2
    filler.unlink()
    begun = time.monotonic()
    cluster.wait_settled({"stays": 2, "goes": 0, **{f"more{number}": 3 for number in range(40)}})
    recovery_ms = round(1000 * (time.monotonic() - begun))
    stays = {task["container_id"] for task in cluster.tasks() if task["job"] == "stays"}
    assert stays < set(before), "what ran was started again"
    cluster.alive()
    say(f"disk full, worker: filled to the last byte with 120 tasks to come: 0 lost, 0 doubled, what ran went on; all ran "
        f"{recovery_ms} ms after there was room, without a restart")
