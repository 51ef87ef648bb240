"""A private machine for a trial: `run(body)` calls `body` where it can neither touch nor leave anything outside.

Its processes, from the caller to the applications of a trial:

    caller                     on the machine
      keeper                   creates the namespaces: net, mount, pid, ipc, uts (and user, if not root)
        init                   process 1 of the sandbox; mounts a private /proc, /run and /sys, reaps orphans
          body                 the given function: builds the network, starts the applications
            applications

Keeper, init and body die with their parents (PR_SET_PDEATHSIG). Init ends when the body has ended; the kernel then
kills every process of its pid namespace, and frees the namespaces with all interfaces and mounts. So a kill -9 of any
process in the picture leaves nothing behind.
"""

from testbed.network.sandbox.run import (
    SandboxError,
    SandboxKilledError,
    inside_sandbox,
    is_machine_root,
    leave,
    run,
)

__all__ = ["SandboxError", "SandboxKilledError", "inside_sandbox", "is_machine_root", "leave", "run"]
