"""A Docker that lies: hundreds of scripts make the fake one hang, fail after the effect, lose its answer, cut it short,
claim what it did not do, restart, or keep silent about what happened, under the real worker and manager.

Whatever goes wrong along the way: no task ever has two containers, every service runs as asked in the end, every job
that runs to completion does so, and nothing is left when all is removed.
"""
import time
from concurrent.futures import ThreadPoolExecutor

from world import IMAGE, SEED, Cluster, eventually, generator, say, scaled

SCRIPTS = 120
SIDE_BY_SIDE = 40
RULES_MAX = 6
# A call that hangs is given up after 30 s, and a script has at most two of those.
PATIENCE_SECONDS = 150
VERBS = ["create", "start", "kill", "remove", "inspect", "list", "pull", "network_ensure", "network_remove"]
FAULTS = ["unreachable", "error", "error_after", "lost", "half", "late", "ghost", "restart"]
SLOW_FAULTS = ["hang", "hang_after"]
SERVICES = {"web": 2, "api": 1}
BASE = {"image": IMAGE, "stop_grace_ms": 1000}
PROJECT = {
    "networks": [{"key": "default"}],
    "jobs": [
        {"name": "web", "spec": {**BASE, "replicas": 2}},
        {"name": "api", "spec": {**BASE, "replicas": 1, "networks": [{"network": "default"}]}},
        {"name": "batch", "spec": {**BASE, "replicas": 1, "mode": "replicated-job", "has_command": True,
                                   "command": ["sh", "-c", "sleep 0.2; exit 0"]}},
    ],
}


def draw(random):
    rules, slow = [], 0
    for _ in range(random.randint(2, RULES_MAX)):
        if random.random() < 0.15:
            rules.append(f"hint {random.randint(1, 6)} drop")
            continue
        verb, fault = random.choice(VERBS), random.choice(FAULTS + SLOW_FAULTS)
        if fault in SLOW_FAULTS:
            slow += 1
            if slow > 2:
                continue
        # What a list or an inspection claims to see is all there is to hold on to.
        if fault == "ghost" and verb in ("inspect", "list"):
            fault = "lost"
        # Registries throttle; and a pull may take ten minutes, which is too long to wait here.
        if verb == "pull" and (fault in SLOW_FAULTS or random.random() < 0.5):
            fault = random.choice(["throttled", "late"])
        nth = "*" if fault == "late" and random.random() < 0.3 else random.randint(1, 4)
        rules.append(f"{verb} {nth} {fault} {random.randint(1, 400)}")
    return ";".join(rules)


class Story:
    """One script from its start to its end."""

    def __init__(self, number):
        self.number = number
        self.random = generator(f"script {number}")
        self.script = draw(self.random)

    def wait(self, cluster, what, condition):
        """Until it holds; and at every look no task has two containers."""
        def holds():
            cluster.alive()
            try:
                cluster.assert_none_doubled()
                return condition()
            except (OSError, ValueError):  # the fake Docker restarts
                return False
        eventually(lambda: f"script {self.number} (seed {SEED}): {self.script}: {what}\n"
                   f"{[(t['name'], t['state'], t['message']) for t in cluster.tasks()]}\n{cluster.containers()}\n"
                   f"{cluster.tail()}", holds, PATIENCE_SECONDS, pause=0.3)

    def runs_as_asked(self, cluster, wanted):
        live = [task for task in cluster.tasks() if task["ready"]]
        counts = {name: sum(task["job"] == name for task in live) for name in wanted}
        return counts == wanted and sorted(cluster.running()) == sorted(task["container_id"] for task in live)

    def tell(self):
        begun = time.monotonic()
        with Cluster() as cluster:
            cluster.start_docker(self.script)
            cluster.spawn_manager()
            cluster.wait_manager()
            cluster.spawn_worker()
            assert cluster.insist("POST", "/v1/projects/p/apply", PROJECT)[0] == 200
            self.wait(cluster, "the services run", lambda: self.runs_as_asked(cluster, SERVICES))
            self.wait(cluster, "the batch is done", lambda: cluster.jobs()["batch"]["succeeded"] == 1)
            jobs = cluster.jobs()
            assert cluster.insist("POST", f"/v1/jobs/{jobs['web']['id']}/scale", {"replicas": 1})[0] == 200
            assert cluster.insist("POST", f"/v1/jobs/{jobs['api']['id']}/restart")[0] == 200
            self.wait(cluster, "scaled and restarted", lambda: self.runs_as_asked(cluster, {"web": 1, "api": 1}))
            assert cluster.insist("DELETE", "/v1/projects/p")[0] == 200
            self.wait(cluster, "all is gone", lambda: not cluster.jobs() and not cluster.containers())
        return time.monotonic() - begun


def test_whatever_docker_does_every_task_runs_once():
    stories = [Story(number) for number in range(scaled(SCRIPTS))]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        ends = [pool.submit(story.tell) for story in stories]
    problems = [str(end.exception()) for end in ends if end.exception()]
    assert not problems, f"{len(problems)} of {len(stories)} failed; the first:\n" + "\n\n".join(problems[:3])
    seconds = sorted(end.result() for end in ends)
    faults = sum(story.script.count(";") + 1 for story in stories)
    say(f"fault scripts: {len(stories)} with {faults} faults of Docker against drover manager and worker: 0 doubled, 0 lost, "
        f"0 left behind; a whole story took {seconds[len(seconds) // 2]:.1f} s (median), {seconds[-1]:.0f} s (worst)")
