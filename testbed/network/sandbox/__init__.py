"""A private machine to run a trial in: `run(body)` calls `body` where nothing outside can be touched or left behind.

The processes, from the one that called to the ones that a trial starts:

    caller                     on the machine
      keeper                   makes the namespaces: net, mount, pid, ipc, uts (and user, when not root)
        init                   process 1 of the sandbox; mounts its own /proc, /run and /sys, reaps orphans
          body                 the function that was passed in: builds the network, starts the applications
            applications

Each of the first three dies with its parent (PR_SET_PDEATHSIG), init ends when the body has ended, and when
init is gone the kernel kills every process of its pid namespace; with the last process go the namespaces, and with
those every interface and mount. So a kill -9 of any process in the picture leaves nothing.
"""

from testbed.network.sandbox.run import (
    SandboxError,
    SandboxKilledError,
    inside_sandbox,
    run,
)

__all__ = ["SandboxError", "SandboxKilledError", "inside_sandbox", "run"]
