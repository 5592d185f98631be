"""A client that never rests: it asks for one change after the other, insists on an answer to each, and remembers what was
acknowledged."""
import threading

from world import IMAGE


class Churn(threading.Thread):
    def __init__(self, cluster, generator, jobs_max=6, replicas_max=3):
        super().__init__(daemon=True)
        self.cluster, self.random = cluster, generator
        self.jobs_max, self.replicas_max = jobs_max, replicas_max
        self.ids = {}
        self.promised = {}  # job -> replicas, as last acknowledged
        self.acknowledged = 0
        self.problem = None
        self.number = 0
        self.may_go = threading.Event()
        self.rests = threading.Event()
        self.rests.set()
        self.ends = False
        self.start()

    def run(self):
        while True:
            self.rests.set()
            self.may_go.wait()
            if self.ends:
                return
            self.rests.clear()
            while self.may_go.is_set() and not self.ends:
                try:
                    self.act()
                except Exception as problem:  # whatever it is, the test tells it
                    self.problem = problem
                    self.rests.set()
                    return

    def act(self):
        choice = self.random.randrange(10)
        if not self.promised or (choice < 4 and len(self.promised) < self.jobs_max):
            self.add()
        elif choice < 8:
            name = self.random.choice(sorted(self.promised))
            replicas = self.random.choice([n for n in range(self.replicas_max + 1) if n != self.promised[name]])
            self.change("POST", f"/v1/jobs/{self.ids[name]}/scale", {"replicas": replicas})
            self.promised[name] = replicas
        else:
            name = self.random.choice(sorted(self.promised))
            self.change("DELETE", f"/v1/jobs/{self.ids[name]}")
            del self.promised[name]
        self.acknowledged += 1

    def add(self):
        self.number += 1
        name, replicas = f"churn{self.number}", self.random.randrange(1, self.replicas_max + 1)
        answer = self.change("POST", "/v1/jobs", {"project": "churn", "job": {
            "name": name, "spec": {"image": IMAGE, "stop_grace_ms": 1000, "replicas": replicas}}})
        self.ids[name] = answer["jobs"][0]["id"]
        self.promised[name] = replicas

    def change(self, method, target, body=None):
        status, answer = self.cluster.insist(method, target, body)
        assert status == 200, (method, target, body, status, answer)
        return answer

    # -- for the test

    def go(self):
        self.may_go.set()

    def rest(self):
        """Stop asking, and wait until what was asked is answered."""
        self.may_go.clear()
        assert self.rests.wait(90), "a request is never answered"
        if self.problem:
            raise self.problem

    def end(self):
        self.ends = True
        self.may_go.set()
        self.join(90)
