"""Models that do what each request says, served by real replicas: for what a gateway does when one is slow or dies."""

from pathlib import Path

_SCRIPT = """
import json, os, socket, time

def model_fn(folder):
    return {name!r}

def reached(path):
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
        return True
    except OSError:
        pass
    try:
        return bool(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
    except OSError:
        return False

def input_fn(body, kind):
    return json.loads(body)

def predict_fn(data, name):
    while "until" in data and not os.path.exists(data["until"]):
        time.sleep(0.002)
    if data.get("die") in ("all", name):
        os._exit(9)
    if "print" in data:
        os.write(1, b"printed " * data["print"])
    if "eat" in data:
        return {{"size": len(bytearray(data["eat"]))}}
    for _ in range(data.get("fork", 0)):
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
    if "look" in data:
        return {{"seen": [path for path in data["look"] if reached(path)], "knows": sorted(os.environ)}}
    return {{"x": data["x"] * {factor}, "by": name}}

def output_fn(answer, accept):
    if accept == "text/csv":
        return f"x,by\\n{{answer['x']}},{{answer['by']}}\\n", accept
    return json.dumps(answer), "text/html" if accept == "text/html" else "application/json"
"""


def scripted(folder: Path, name: str, factor: int = 1) -> Path:
    """A model called `name`. {"x": 2} is answered with x times `factor` and its name; "until": only once that file is
    there; "die": it ends when the name is its own, or "all"; "print": so many words; "eat": so many bytes; "fork": so
    many processes that stay; "look": which of these files, folders and sockets it can read or connect to."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "inference.py").write_text(_SCRIPT.format(name=name, factor=factor))
    return place
