"""The steps of the story in their order."""

from studio.cli.demo import change, end, model, place, serve, watch
from studio.cli.demo.story import Step

STEPS: dict[str, Step] = {
    "up": place.up,
    "signin": place.signin,
    "domain": place.domain,
    "environment": place.environment,
    "lab": place.lab,
    "kernel": place.kernel,
    "isolation": place.isolation,
    "data": model.data,
    "train": model.train,
    "runs": model.runs,
    "evaluate": model.evaluate,
    "register": model.register,
    "deploy": serve.deploy,
    "predict": serve.predict,
    "wake": serve.wake,
    "traffic": serve.traffic,
    "drift_quiet": watch.drift_quiet,
    "drift": watch.drift,
    "alert": watch.alert,
    "rows": watch.rows,
    "job": change.job,
    "compare": change.compare,
    "promote": change.promote,
    "undo": change.undo,
    "kill_server": end.kill_server,
    "cost": end.cost,
    "stop_all": end.stop_all,
    "down": end.down,
}
