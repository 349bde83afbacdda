"""Load by `wrk`: the same script, bodies and connections for every server."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
# Distinct rows in turn, so that no server can answer from what it has just computed.
_SCRIPT = """
local lines, at = {}, 0
for line in io.lines(os.getenv("WRK_BODIES")) do lines[#lines + 1] = line end
local headers = {}
for name, value in string.gmatch(os.getenv("WRK_HEADERS"), "([^\\1]+)\\2([^\\1]+)\\1") do headers[name] = value end
local function unhex(text) return (text:gsub("..", function(two) return string.char(tonumber(two, 16)) end)) end
local bodies = {}
for n, line in ipairs(lines) do bodies[n] = wrk.format("POST", nil, headers, unhex(line)) end
request = function() at = at % #bodies + 1; return bodies[at] end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """`rate` in requests a second, `p50` and `p99` in ms, `errors`: answers that were no success, and broken calls."""

    requests: int
    rate: float
    p50: float
    p99: float
    errors: int


def is_there() -> bool:
    """Whether wrk can be run."""
    return shutil.which("wrk") is not None


def run(url: str, bodies: Sequence[bytes], headers: Mapping[str, str], connections: int, seconds: float) -> Measured:
    """POSTs `bodies` in turn over kept-alive connections, one request at a time on each."""
    with tempfile.TemporaryDirectory(prefix="studio-wrk-") as folder:
        script, file = Path(folder, "post.lua"), Path(folder, "bodies")
        script.write_text(_SCRIPT)
        file.write_text("".join(body.hex() + "\n" for body in bodies))
        # `wrk.format` leaves the Host out when it is given headers.
        sent = {"host": urlsplit(url).netloc, **headers}
        told = "".join(f"{name}\2{value}\1" for name, value in sent.items())
        threads = 1 if connections < 8 else 2
        command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        done = subprocess.run(
            [*command, "-s", str(script), url],
            env={"WRK_BODIES": str(file), "WRK_HEADERS": told},
            capture_output=True, text=True, check=True, timeout=seconds + 120,
        )  # fmt: skip
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    assert found, done.stdout + done.stderr
    count, microseconds, p50, p99, bad, broken = map(int, found.groups())
    return Measured(count, count / (microseconds / 1e6), p50 / 1000, p99 / 1000, bad + broken)


def rows_as(form: str, rows: Sequence[Sequence[float]], columns: Sequence[str] = ()) -> bytes:
    """One body: `inputs` (MLflow's tensor), `split` (MLflow's table), `v2` (Open Inference Protocol, JSON)."""
    if form == "inputs":
        return json.dumps({"inputs": rows}).encode()
    if form == "split":
        return json.dumps({"dataframe_split": {"columns": list(columns), "data": rows}}).encode()
    flat = [value for row in rows for value in row]
    tensor = {"name": "rows", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": flat}
    return json.dumps({"inputs": [tensor]}).encode()
