"""What keeps code in sandboxes in, mechanism by mechanism: only what was tried on this host, why, and what to do."""

import os
from dataclasses import dataclass

from msgspec import Struct

from studio.runtime.isolation import Isolation, probe
from studio.runtime.specs import Limits, Network
from studio.runtime.trial import Facts

# Weakest first; each holds what the one before it holds.
LEVELS = ("none", "sandbox", "limits", "full")
MEANING = {
    "none": "code runs as ordinary processes of this account",
    "sandbox": "code has its own users, processes, memory segments and files",
    "limits": "code is kept apart, and the kernel holds it to its memory and its number of processes",
    "full": "code is kept apart and held to its limits; system calls are filtered, no namespaces can be made inside",
}
_HARMLESS = frozenset("null zero full random urandom tty ptmx pts shm fd stdin stdout stderr core console".split())
_ON_THE_HOST = "Run Studio on the host itself or in a container that allows user namespaces; see `studio doctor`."
_DELEGATE = "Start Studio with: systemd-run --user --scope -p Delegate=yes studio up"


class Mechanism(Struct, frozen=True):
    """One wall. `enforced` False: `why` it does not stand, and `cure` says what to do (empty: nothing can be)."""

    name: str
    enforced: bool
    detail: str
    why: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """What was found out by trying. `facts`: from inside a sandbox with `network`; `held`: a trial group's limits."""

    isolation: Isolation
    facts: Facts | None
    held: Limits
    held_detail: str = ""


def level(isolation: Isolation, held: Limits) -> str:
    """The strongest of `LEVELS` that this host reaches."""
    if isolation.level != "bubblewrap":
        return "none"
    if not (held.memory_mb and held.pids):
        return "sandbox"
    return "full" if isolation.seccomp and isolation.nested else "limits"


def reached(isolation: str, held: Limits) -> str:
    """The strongest of `LEVELS` in force: `isolation` is what Studio uses here, which a setting may keep at none."""
    return level(probe(), held) if isolation == "bubblewrap" else "none"


def shortfall(required: str, reached: str) -> tuple[str, str]:
    """(why, what to do) if what requires `required` may not run on a host that reaches `reached`; else both empty."""
    if LEVELS.index(required) <= LEVELS.index(reached):
        return "", ""
    why = f"This domain requires the isolation level {required}, this host reaches {reached}: nothing of it runs here."
    cure = "`studio doctor` says what is missing; an admin may lower it: studio domain set NAME --require-isolation"
    return why, f"{cure} {reached}"


def report(host: Host, network: Network, wanted: Limits | None) -> list[Mechanism]:
    """Every mechanism for sandboxes with this network and these limits (None: of no domain in particular)."""
    return [
        *_namespaces(host),
        *network_of(host, network),
        *_limits(host, wanted),
        _calls(host),
        _nested(host),
        _capabilities(host),
        _devices(host),
        _account(),
    ]


_KINDS = {
    "user": ("user namespace", "users inside are not the host's; privileges of this account stay outside"),
    "pid": ("process namespace", "processes of others are neither seen nor signalled"),
    "ipc": ("ipc namespace", "shared memory and queues of others are not there"),
    "uts": ("host name namespace", "the host's name is not told"),
    "mnt": ("mount namespace", "only the domain's volume, the environments and the system's programs are there"),
}


def _namespaces(host: Host) -> list[Mechanism]:
    found = []
    for kind, (name, detail) in _KINDS.items():
        if host.facts is not None and kind in host.facts.own:
            found.append(Mechanism(name, True, detail))
        else:
            found.append(Mechanism(name, False, "shared with the host", *_why_not(host)))
    return found


def _why_not(host: Host) -> tuple[str, str]:
    isolation = host.isolation
    if isolation.level != "bubblewrap":
        return isolation.cause or "sandboxes are switched off (STUDIO_ISOLATION=none)", isolation.cure or _ON_THE_HOST
    return "a trial on this host did not show it", "Run `studio doctor` again."


def network_of(host: Host, network: Network) -> list[Mechanism]:
    """What this network mode gives away and what it keeps."""
    name = "network namespace"
    if network == "open":
        return [_open_network(host, name)]
    facts = host.facts
    if facts is None or "net" not in facts.own or facts.loopback or facts.abstract:
        return [Mechanism(name, False, "the host's network, its loopback too", *_why_not(host))]
    reach = "only Studio's API is reached, through a forwarder" if network == "studio" else "nothing is reached"
    return [Mechanism(name, True, f"{reach}; no other port, address or socket of the host")]


def _open_network(host: Host, name: str) -> Mechanism:
    """What was reached from inside is named; everything else that the host reaches (a company's network, a cloud's
    metadata service) is reached as well, since nothing stands in between."""
    reached = ["all that this host reaches"]
    if host.facts is not None and host.facts.loopback:
        reached.append("ports on its loopback (databases, other programs of this machine)")
    if host.facts is not None and host.facts.abstract:
        reached.append("its abstract unix sockets")
    cure = "An admin sets the network mode to studio or none: studio domain set NAME --network studio"
    return Mechanism(name, False, "the host's network: " + ", ".join(reached), "the network mode is open", cure)


def _limits(host: Host, wanted: Limits | None) -> list[Mechanism]:
    held, each = host.held, wanted or host.held
    rows = [
        ("memory limit", bool(held.memory_mb), each.memory_mb, f"{each.memory_mb} MiB", "--memory 8192"),
        ("process limit", bool(held.pids), each.pids, f"{each.pids} processes and threads", "--processes 4096"),
        ("cpu limit", bool(held.cpu), each.cpu, f"{each.cpu:g} cores", "--cpu 2"),
    ]
    found = []
    for name, holds, number, text, option in rows:
        detail = f"{text} for each sandbox" if wanted else "the kernel holds a group of processes to it"
        found.append(_limit(host, name, holds, detail if number else "", option))
    return found


def _limit(host: Host, name: str, holds: bool, detail: str, option: str) -> Mechanism:
    """`detail` is empty where the domain sets none."""
    if not holds:
        watched = "memory is looked at once a second instead" if name == "memory limit" else "not limited"
        why = f"the kernel did not take a trial group's limit ({host.held_detail})" if host.held_detail else "no cgroup"
        return Mechanism(name, False, watched, why, _DELEGATE)
    if not detail:
        shared = "shared evenly by the kernel" if name == "cpu limit" else "as much as the host has"
        return Mechanism(name, False, shared, "the domain sets none", f"studio domain set NAME {option}")
    return Mechanism(name, True, detail)


def _calls(host: Host) -> Mechanism:
    name = "system call filter"
    if host.facts is not None and host.facts.filtered:
        return Mechanism(name, True, "mounts, namespaces, keys, BPF, io_uring, modules and odd sockets are refused")
    if host.isolation.level != "bubblewrap":
        return Mechanism(name, False, "all system calls", *_why_not(host))
    why = f"this kernel took no filter for {os.uname().machine}"
    return Mechanism(
        name, False, "all system calls", why, "Use a kernel with CONFIG_SECCOMP_FILTER, on x86-64 or ARM 64."
    )


def _nested(host: Host) -> Mechanism:
    name = "no namespaces inside"
    if host.facts is not None and not host.facts.nested:
        return Mechanism(name, True, "code inside cannot make namespaces of its own, where most ways out begin")
    if host.facts is None:
        return Mechanism(name, False, "code may make namespaces", *_why_not(host))
    return Mechanism(
        name, False, "code may make namespaces", "this bubblewrap cannot forbid it", "Install bubblewrap 0.8 or newer."
    )


def _capabilities(host: Host) -> Mechanism:
    name = "no privileges"
    if host.facts is not None and host.facts.capabilities == 0:
        return Mechanism(name, True, "no capability can be had inside, and no program gives one")
    if host.facts is None:
        return Mechanism(name, False, "those of this account", *_why_not(host))
    return Mechanism(name, False, f"capabilities {host.facts.capabilities:x}", "bubblewrap left some", "Report this.")


def _devices(host: Host) -> Mechanism:
    name = "devices"
    if host.facts is None:
        return Mechanism(name, False, "all that this account may use", *_why_not(host))
    more = sorted(host.facts.devices - _HARMLESS)
    if more:
        return Mechanism(
            name, False, f"besides the harmless ones: {', '.join(more)}", "they lie in /dev inside", "Report this."
        )
    return Mechanism(name, True, "only null, zero, random numbers and terminals; no disk, no graphics card, no /sys")


def _account() -> Mechanism:
    """Whose processes they are to the host: not another account's, and that is said."""
    name = "host account"
    who = "root" if os.getuid() == 0 else f"an ordinary account (user {os.getuid()})"
    why = "sandboxes are processes of the account that runs Studio; what gets out of one would be that account"
    cure = "Run Studio as an account of its own that may do nothing else."
    return Mechanism(name, False, who, why, cure)
