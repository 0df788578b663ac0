"""The page with its networks on Ray Serve: `python deploy/ray_serve.py --max-replicas 8`.

The page runs in this process as `python app.py` does, and reads the same environment. Each replica is a process with
all the checkpoints, on this machine or on others of the Ray cluster that `--address` names; Ray starts as many as there
is work for. Other machines need this project and its folders of checkpoints at the same path; Hub ids work anywhere.
"""

import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray
import tyro
from ray import serve
from ray.exceptions import NodeDiedError, ObjectLostError, RayActorError, RayTaskError
from ray.serve.exceptions import ReplicaUnavailableError
from ray.serve.handle import DeploymentHandle

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import app  # noqa: E402
import i2i_models as i2i  # noqa: E402
from i2i_models.inference.remote import NetworkServer, RemoteNetworks, place  # noqa: E402

log = logging.getLogger("ray_serve")

NAME = "i2i"
EACH = 2
"""Calls that a replica takes at the same time: one computes while the other's arrays travel."""
DIED = (RayActorError, ReplicaUnavailableError, NodeDiedError, ObjectLostError)
"""What a call ends with whose replica, or the machine that it ran on, is gone."""
WAITS = (0.05, 0.2, 0.5, 1.0, 2.0)
"""Seconds before a call is made again that ended so; translating twice is as good as once."""
LOCAL = {"include_dashboard": False, "object_store_memory": 200_000_000, "_node_ip_address": "127.0.0.1"}
"""Options of a Ray that is started here: other machines do not reach it."""
PATIENCE = 60.0
"""Seconds for one try: the queue of busy replicas included, the start of a first one on a cold cluster not."""


@serve.deployment(name="Translators", max_ongoing_requests=EACH, health_check_period_s=2, health_check_timeout_s=30)
class Translators(NetworkServer):
    """A replica: the far side of the page's translators."""

    def __init__(self, sources: list[str]) -> None:
        """Be ready when the checkpoints are, so that no visitor waits for a new replica to read them."""
        super().__init__()
        for source in sources:
            try:
                translator = self.translator(source)
                for direction in translator.directions:
                    translator.warm_up(direction)
            except i2i.I2IError as error:  # the page leaves it out, too
                log.warning("left out %s: %s", source, error)


class Replicas:
    """Calls whichever replica is free; as `i2i_models.remote.Call`."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    def __call__(self, method: str, *arguments: Any) -> np.ndarray:
        """A replica's answer. A call whose replica dies is made again.

        Raises:
            I2IError: the replica raised it.
            RayActorError, TimeoutError: one replica after the other died; none had time.
        """
        for wait in (*WAITS, None):
            try:
                return getattr(self._handle, method).remote(*arguments).result(timeout_s=PATIENCE)
            except DIED as error:
                if wait is None:
                    raise
                log.warning("a replica died (%s): another is asked", type(error).__name__)
                time.sleep(wait)
            except RayTaskError as error:
                # Ray's error is of the cause's class too, but its text is a stack trace.
                raise error.cause from None
        raise AssertionError


def start(sources: list[str], min_replicas: int, max_replicas: int, cpus: float = 1, gpus: float = 0) -> RemoteNetworks:
    """Start replicas on the running Ray; returns how to reach them when the first ones are ready.

    Args:
        sources: checkpoints that a replica has before it answers; further ones it loads when they are asked for.
        cpus, gpus: what Ray sets aside for each replica.
    """
    settings = {name: value for name, value in os.environ.items() if name.startswith("I2I_")}
    path = os.pathsep.join((str(ROOT), str(ROOT / "deploy")))
    serve.start(proxy_location="Disabled")  # visitors talk to the page alone
    deployment = Translators.options(
        autoscaling_config={
            "min_replicas": min_replicas,
            "max_replicas": max_replicas,
            "target_ongoing_requests": 1,  # beyond, the second place of each begins to be used
            "upscale_delay_s": 5,
            "downscale_delay_s": 300,
        },
        ray_actor_options={
            "num_cpus": cpus,
            "num_gpus": gpus,
            "runtime_env": {"env_vars": {**settings, "PYTHONPATH": path}},
        },
    )
    handle = serve.run(deployment.bind(sources), name=NAME, route_prefix=None)
    return RemoteNetworks(Replicas(handle), max_replicas * EACH)


def main(
    min_replicas: int = 1, max_replicas: int = 4, cpus: float = 1, gpus: float = 0, address: str | None = None
) -> int:
    """Serve the page, its networks on Ray Serve.

    Args:
        min_replicas: processes with networks that always run.
        max_replicas: as many there may be when much is asked.
        cpus: cores that Ray sets aside for each.
        gpus: graphics processors for each; 0.5 puts two on one.
        address: of a running Ray cluster, or auto; by default Ray is started here and ended with the page.
    """
    try:
        app.address()
    except app.StartError as error:
        print(error, file=sys.stderr)
        return 2
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report its use to its makers
    # Whoever reaches a Ray without tokens runs code with it. It makes one where there is none, in the user's home, and
    # lets all users of the machine read it but for this.
    os.umask(0o077)
    os.environ["RAY_AUTH_MODE"] = os.environ.get("RAY_AUTH_MODE") or "token"
    local: dict[str, Any] = {} if address else LOCAL
    ray.init(address=address or "local", log_to_driver=False, **local)
    try:
        folder, more = app.checkpoints()
        sources = [place(source) for source in (*i2i.find_checkpoints(folder), *more)]
        return app.main(start(sources, min_replicas, max_replicas, cpus, gpus))
    finally:
        serve.delete(NAME)
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
