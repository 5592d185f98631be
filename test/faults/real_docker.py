"""A cluster on a real dockerd of its own."""
import world
from world import Cluster

STABLE = {"stable": 2}
# Real containers take their time.
SETTLE_SECONDS = 90


class DockerCluster(Cluster):
    def __init__(self):
        super().__init__()
        self.daemon = world.make_private_docker(self.folder)
        self.docker_socket = self.daemon.socket

    def start(self, script=""):
        self.spawn_manager()
        self.wait_manager()
        self.spawn_worker()
        self.wait_ready()
        assert self.submit("stable", STABLE["stable"])[0] == 200
        self.wait_settled(STABLE, SETTLE_SECONDS)
        return self

    def containers(self):
        status, found = world.ask(self.docker_socket, "GET", "/v1.41/containers/json?all=1")
        assert status == 200
        return [(each["Labels"].get("drover.task"), each["State"], each["Id"]) for each in found]

    def attempts(self):
        return {task["id"]: task["attempt"] for task in self.tasks() if task["job"] == "stable"}

    def nothing_failed(self):
        failed = [task for task in self.pages("tasks", "&state=failed")]
        assert failed == [], (failed, self.tail())

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.processes.clear()
        try:
            self.daemon.clean()
        finally:
            world.remove_folder(self.folder)
