"""Two Ray nodes of one core each, on loopback addresses of this machine."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

HEAD, OTHER = "127.0.0.2", "127.0.0.3"


class Nodes:
    """A cluster whose processes are ended by their ids; names are `one` and `two`."""

    def __init__(self, folder: Path, port: int):
        self.folder, self.address = folder, f"{HEAD}:{port}"
        token = folder / "token"
        token.write_text("f" * 64)
        token.chmod(0o600)
        self.environment = os.environ | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_raylet_start_wait_time_s": "60",
        }
        self.running: dict[str, subprocess.Popen] = {}
        self.start("one", "--head", f"--port={port}", f"--node-ip-address={HEAD}",
                   "--include-dashboard=false")  # fmt: skip
        self._wait_for_head(port)
        self.start_other()

    def _wait_for_head(self, port: int, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while True:
            with socket.socket() as found:
                if found.connect_ex((HEAD, port)) == 0:
                    return
            if self.running["one"].poll() is not None or time.monotonic() > end:
                pytest.fail("the head did not start: " + self.told())
            time.sleep(0.1)

    def start(self, name: str, *arguments: str, **variables: str) -> None:
        self.running[name] = subprocess.Popen(
            [
                sys.executable, "-m", "ray.scripts.scripts", "start", "--block",
                "--num-cpus=1", "--object-store-memory=80000000",
                "--disable-usage-stats", *arguments,
            ],
            env=self.environment | {"BARSIEVE_NODE": name} | variables,
            stdout=(self.folder / f"{name}.out").open("w"),
            stderr=subprocess.STDOUT,
            process_group=0,
        )  # fmt: skip

    def start_other(self, **variables: str) -> None:
        self.start(
            "two",
            f"--address={self.address}",
            f"--node-ip-address={OTHER}",
            **variables,
        )

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the processes of a node."""
        parent = psutil.Process(self.running[name].pid)
        return [parent, *parent.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """Return the processes that work at a task."""
        return [
            process
            for name in self.running
            for process in self.processes(name)
            if "ray::run_task" in " ".join(process.cmdline())
        ]

    def kill(self, name: str) -> None:
        """Kill a node with all of its processes."""
        for process in self.processes(name):
            with suppress(psutil.Error):
                process.kill()
        self.running.pop(name).wait()

    def wait_for(self, n_nodes: int, seconds: float = 60) -> None:
        """Wait until so many nodes are there."""
        import ray

        end = time.monotonic() + seconds
        while sum(node["Alive"] for node in ray.nodes()) < n_nodes:
            if time.monotonic() > end:
                pytest.fail("a node did not come: " + self.told())
            time.sleep(0.2)

    def told(self) -> str:
        """Return what the nodes printed last."""
        return "\n".join(p.read_text()[-1500:] for p in self.folder.glob("*.out"))

    def close(self) -> None:
        """End all nodes."""
        for name in list(self.running):
            self.kill(name)
