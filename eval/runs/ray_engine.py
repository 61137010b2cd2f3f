"""The same run on a Ray cluster: actors answer, the driver keeps the journal and grades.

Each actor opens a router of its own with the run's settings. The driver hands out one
question at a time, and writes every result: no actor ever sees the journal. An actor that
dies takes at most one try with it (`WorkerLost`); another one is started in its place.

A model server that the driver has started is shared: actors get settings whose `api_base`
points at it, with the driver's measured price, and start none of their own. It listens on
the driver's loopback, so only actors on the driver's machine reach it: on a cluster of
several machines, give each model an `api_base` that all of them reach.

Needs the package ray (the eval extra). Without a cluster's address in RAY_ADDRESS, a local
one is started, and ended with the run.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from eval.benchmarks.benchmark import Question
from eval.runs.subject import Answered, RouterSubject, SubjectSpec, WorkerLost
from router import errors
from router.config import Settings
from router.errors import OckhamError, SetupError
from router.facade import Router
from router.models.pool import Models

__all__ = ["RaySubject", "ray_subject", "shared_settings"]

_ENVIRONMENT = ("OCKHAM_DATA_DIR", "HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM")


class Worker:
    """What runs in an actor: a router, opened at the first question."""

    def __init__(self, plain: str, spec: str, max_tokens: int | None) -> None:
        # Whole settings win over whatever file or variables are on the actor's machine.
        self._settings = Settings(**json.loads(plain))
        self._spec = SubjectSpec.model_validate_json(spec)
        self._max_tokens = max_tokens
        self._opening = asyncio.Lock()
        self._subject: RouterSubject | None = None

    def pid(self) -> int:
        """Process id of the actor."""
        return os.getpid()

    async def answer(self, question: str) -> str:
        """One question as JSON, its record as JSON, or the error that ends the run."""
        try:
            subject = await self._open()
            answered = await subject.answer(Question.model_validate_json(question))
        except OckhamError as error:  # Ray would wrap it into a type of its own
            return json.dumps({"raised": [type(error).__name__, str(error)]})
        return answered.model_dump_json()

    async def _open(self) -> RouterSubject:
        async with self._opening:
            if self._subject is None:
                policy = self._spec.make(self._settings)
                # Open until the actor ends: `async with` would need a task of its own.
                router = await Router(self._settings, policy).__aenter__()
                self._subject = RouterSubject(router, policy, self._max_tokens)
            return self._subject


class RaySubject:
    """Answers through actors: as many as there are samples in flight."""

    def __init__(self, router: Router, local: RouterSubject, make: Any, actors: int) -> None:
        self._router = router
        self._local = local
        self._make = make
        self._free: asyncio.Queue[Any] = asyncio.Queue()
        for _ in range(actors):
            self._free.put_nowait(make())

    async def worst_case_usd(self, question: Question) -> float:
        """The driver's own bound."""
        return await self._local.worst_case_usd(question)

    async def answer(self, question: Question) -> Answered:
        """Hand it to a free actor; `WorkerLost` where that one dies."""
        import ray

        actor = await self._free.get()
        try:
            said: str = await actor.answer.remote(question.model_dump_json())
        except ray.exceptions.RayActorError as error:
            actor = self._make()
            raise WorkerLost(f"its Ray actor died: {str(error).splitlines()[0]}") from None
        except asyncio.CancelledError:
            ray.kill(actor)  # its model call ends with it
            raise
        finally:
            self._free.put_nowait(actor)
        raised = json.loads(said).get("raised")
        if raised is not None:
            kind: type[OckhamError] = getattr(errors, raised[0])
            raise kind(raised[1])
        return self._priced(Answered.model_validate_json(said))

    def _priced(self, answered: Answered) -> Answered:
        """The same price, told in the driver's words: an actor knows only its numbers."""
        arms, models = self._router.settings.arms, self._router.models
        tried = tuple(
            t.model_copy(update={"attempt": t.attempt.model_copy(update={"price": price})})
            if (price := models.price(arms[t.attempt.arm].model)) is not None
            else t
            for t in answered.tried
        )
        return answered.model_copy(update={"tried": tried})

    async def pids(self) -> list[int]:
        """Process ids of the actors that are free."""
        actors = [self._free.get_nowait() for _ in range(self._free.qsize())]
        try:
            return [await actor.pid.remote() for actor in actors]
        finally:
            for actor in actors:
                self._free.put_nowait(actor)


@asynccontextmanager
async def ray_subject(
    router: Router, local: RouterSubject, spec: SubjectSpec, max_tokens: int | None, actors: int
) -> AsyncIterator[RaySubject]:
    """Actors on the running cluster, or on a local one that ends with this block.

    Raises:
        SetupError: ray is not installed, or cannot be started.
    """
    ray = _ray()
    plain = json.dumps(shared_settings(router.settings, router.models))
    started = not ray.is_initialized()
    if started:
        _start(ray, actors)
    try:
        # No restarts and no retries by Ray: the journal must see every try.
        options = {"max_restarts": 0, "max_task_retries": 0, "scheduling_strategy": "SPREAD"}
        remote = ray.remote(num_cpus=0, **options)(Worker)
        told = (plain, spec.model_dump_json(), max_tokens)
        yield RaySubject(router, local, lambda: remote.remote(*told), actors)
    finally:
        if started:
            ray.shutdown()


def shared_settings(settings: Settings, models: Models) -> dict[str, Any]:
    """The settings as plain data, keys included, for an actor and for nothing else.

    A model that the driver serves, or was asked its name of, becomes an address: name,
    key, sampling and price as the driver has them, so that all actors agree with it.
    """
    data: dict[str, Any] = settings.model_dump(mode="json")
    used = {arm.model for arm in settings.arms.values()}
    for name, model in settings.models.items():
        own = data["models"][name]
        own["api_key"] = model.api_key.get_secret_value() if model.api_key else None
        if name in used and models.why_not(name) is None:
            own |= _as_called(name, models)
    data["gateway"]["api_keys"] = []
    return data


def _as_called(name: str, models: Models) -> Mapping[str, Any]:
    endpoint, price = models.endpoint(name), models.price(name)
    told: dict[str, Any] = {
        "model": endpoint.model,
        "api_base": endpoint.api_base,
        "api_key": endpoint.api_key,
        "serve": None,
        "gguf": None,
        "temperature": endpoint.temperature,
        "top_p": endpoint.top_p,
        "stop": endpoint.stop,
        "context_tokens": models.context_tokens(name),
    }
    if price is not None:
        told |= {
            "usd_per_hour": None,
            "input_usd_per_million": price.input_usd * 1e6,
            "output_usd_per_million": price.output_usd * 1e6,
        }
    return told


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Its default is going to change, and it says so at each start.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise SetupError("--engine ray: the package ray is missing: run `make setup`") from None
    return ray


def _start(ray: Any, actors: int) -> None:
    variables = {n: os.environ[n] for n in _ENVIRONMENT if n in os.environ}
    common = {
        "logging_level": logging.ERROR,
        "log_to_driver": False,
        "runtime_env": {"env_vars": variables},
    }
    try:
        if os.environ.get("RAY_ADDRESS"):
            ray.init(**common)
        else:
            ray.init(num_cpus=max(2, actors), include_dashboard=False, **common)
    except Exception as error:  # whatever it is, it is Ray that could not be started
        raise SetupError(f"--engine ray: cannot start: {error}") from None
