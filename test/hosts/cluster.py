"""A drover over several machines: a manager on one, a worker and a Docker daemon on each of the others."""
import shutil
import signal

from harness import BUSYBOX, PROGRAM, Drover, eventually
from machines import DockerMachine, Machine, Network, Process, at_once, remove_leftovers_of_killed_runs

HOSTS = ("alpha", "beta", "gamma")
LABELS = {"alpha": ["zone=north", "disk=fast"], "beta": ["zone=north"], "gamma": ["zone=south"]}


def service(*more, name="s", replicas=1, deploy=""):
    """A compose file with one service."""
    words = [f"image: {BUSYBOX}", "stop_grace_period: 1s", *more, f"deploy: {{replicas: {replicas}{deploy}}}"]
    return f"services:\n  {name}: {{{', '.join(words)}}}\n"


class Host(DockerMachine):
    """A machine with Docker and a worker."""

    def __init__(self, network, name, number):
        super().__init__(network, name, number)
        self.program = PROGRAM
        self.data = self.folder / "data"
        self.log = self.folder / "worker.log"
        self.worker = None

    def containers(self, *filters, dead_too=False):
        """Task id -> its containers here."""
        found = {}
        words = ["ps", "--no-trunc", "--format", '{{.ID}} {{.Label "drover.task"}}', "--filter", "label=drover.task"]
        for each in filters:
            words += ["--filter", each]
        for line in self.docker(*words, *(["-a"] if dead_too else [])).splitlines():
            container, task = line.split()
            found.setdefault(task, []).append(container)
        return found


class Cluster(Drover):
    """The command line and API of the manager, and the machines."""

    def __init__(self, names=HOSTS):
        remove_leftovers_of_killed_runs()
        self.network = Network()
        super().__init__(self.network.folder)
        self.machine = Machine(self.network, "manager", 1)
        self.address = f"{self.machine.address}:7700"
        self.hosts = {name: Host(self.network, name, 10 + number) for number, name in enumerate(names, 1)}
        self.manager = None
        at_once(*(host.prepare for host in self.hosts.values()))
        self.start_manager()
        for host in self.hosts.values():
            self.join(host)
        self.wait_state("ready")

    # -- daemons

    def start_manager(self):
        # The machines share one processor's load, which says nothing of each: only the number of tasks may matter.
        self.manager = Process(self.machine, [PROGRAM, "manager", "--data-dir", self.data, "--scheduler", "spread",
                                              "--listen", self.address], self.log_path, self.environment)
        eventually("the manager answers", self.answers)

    def kill_manager(self):
        self.manager.end(signal.SIGKILL)

    def token(self, role="worker", *options):
        return self.out("token", "create", "--role", role, "--quiet", *options).strip()

    def join(self, host):
        """Make the host a node of the cluster, by the command that `token create` prints."""
        command = self.out("token", "create", "--role", "worker").split()
        assert command[:2] == ["drover", "worker"], command
        self.start_worker(host, *command[2:])

    def start_worker(self, host, *options):
        """Once it has joined, a worker needs to be told nothing."""
        labels = [word for label in LABELS.get(host.name, ()) for word in ("--label", label)]
        host.worker = Process(host, [host.program, "worker", "--data-dir", host.data, "--docker", host.docker_socket,
                                     *labels, *options], host.log)

    def drop(self, name, worker):
        """Make an end of a worker that holds nothing, and of its node."""
        self.run("node", "drain", name)
        self.run("node", "rm", name)
        worker.end()

    # -- machines

    def power_off(self, host):
        host.off()
        host.worker = None

    def power_on(self, host):
        """As a machine that starts everything when it boots."""
        host.on()
        host.start_docker()
        self.start_worker(host)

    def restore(self):
        """Whatever a test did: every machine on, connected, its programs running, and every node ready."""
        if not self.manager.alive():
            self.start_manager()
        for host in self.hosts.values():
            if not host.outer:
                self.power_on(host)
                continue
            host.heal()
            for process in (host.docker_process, host.worker):
                if process and process.alive():
                    process.send(signal.SIGCONT)
            if not host.docker_process.alive():
                host.start_docker()
            if not host.worker or not host.worker.alive():
                self.start_worker(host)
        drained = [name for name, node in self.nodes().items() if node["draining"]]
        if drained:
            self.run("node", "resume", *drained)
        self.wait_state("ready")

    # -- what is there

    def nodes(self):
        """Name -> node, of those that take tasks."""
        answer = self.json("nodes", check=False)
        return {node["hostname"]: node for node in answer["nodes"]
                if node["role"] != "manager" and node["state"] != "left"} if answer else {}

    def wait_state(self, state, *hosts, seconds=90):
        names = [host.name for host in hosts] or list(self.hosts)

        def look():
            nodes = self.nodes()
            return all(name in nodes and nodes[name]["state"] == state for name in names)
        eventually(f"{', '.join(names)} {state}", look, seconds)

    def ready(self, job, count, where=None, seconds=90):
        """Wait for exactly so many live tasks of the job, all ready (and on these machines); returns them."""
        def look():
            tasks = self.tasks(job)
            if len(tasks) != count or not all(task["ready"] and not task["unreachable"] for task in tasks):
                return None
            if where is not None and sorted(task["node_name"] for task in tasks) != sorted(where):
                return None
            return tasks
        place = f" on {sorted(where)}" if where is not None else ""
        return eventually(f"{count} ready tasks of {job}{place}", look, seconds)

    def containers(self, job=None, dead_too=False):
        """(host, task, container) of every running container, also of those on machines that are cut off."""
        labels = []
        if job:
            project, name = job.split("/")
            labels = [f"label=drover.project={project}", f"label=drover.job={name}"]
        return [(host.name, task, container) for host in self.hosts.values() if host.outer
                for task, containers in host.containers(*labels, dead_too=dead_too).items() for container in containers]

    def settled(self, job, count):
        """Wait until exactly so many containers of the job run on all machines: those of its live tasks."""
        def look():
            tasks = self.tasks(job)
            running = self.containers(job)
            return (len(tasks) == count and all(task["ready"] for task in tasks) and
                    sorted(running) == sorted((task["node_name"], task["id"], task["container_id"]) for task in tasks))
        eventually(f"one container of {job} for each of {count} tasks", look)

    def clean(self):
        for host in self.hosts.values():
            if host.outer and host.worker and host.worker.alive():
                host.worker.end()
        if self.manager and self.manager.alive():
            self.manager.end()
        self.network.clean()
        shutil.rmtree(self.folder, ignore_errors=True)
