"""What Compose keys become: looked up in `docker inspect`, or seen from inside the container."""
import json

from harness import BUSYBOX, docker


def inspect(drover, job):
    """Docker's own words for the one container of a job."""
    task, = drover.tasks(job)
    return json.loads(docker("inspect", task["container_id"]))[0]


def inside(drover, job, *words):
    task, = drover.tasks(job)
    return docker("exec", task["container_id"], *words)


def host_config(drover, job):
    return inspect(drover, job)["HostConfig"]


def test_what_the_kernel_gives(drover):
    drover.up(f"""
services:
  quota:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    cpu_shares: 512
    cpu_period: 50ms
    cpu_quota: 25000
    cpuset: "0"
    mem_limit: 64m
    memswap_limit: 64m
    mem_reservation: 32m
    pids_limit: 50
    oom_score_adj: 500
    cgroup: private
  cpus:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    cpus: 0.5
    deploy: {{resources: {{limits: {{cpus: "0.5"}}}}}}
""")
    host = host_config(drover, "t/quota")
    assert {key: host[key] for key in ("CpuShares", "CpuPeriod", "CpuQuota", "CpusetCpus", "Memory", "MemorySwap",
                                       "MemoryReservation", "PidsLimit", "OomScoreAdj", "CgroupnsMode")} == {
        "CpuShares": 512, "CpuPeriod": 50000, "CpuQuota": 25000, "CpusetCpus": "0", "Memory": 64 << 20,
        "MemorySwap": 64 << 20, "MemoryReservation": 32 << 20, "PidsLimit": 50, "OomScoreAdj": 500,
        "CgroupnsMode": "private"}
    assert inside(drover, "t/quota", "cat", "/proc/1/oom_score_adj") == "500"
    assert "Cpus_allowed_list:\t0" in inside(drover, "t/quota", "cat", "/proc/1/status").splitlines()
    assert host_config(drover, "t/cpus")["NanoCpus"] == 500_000_000
