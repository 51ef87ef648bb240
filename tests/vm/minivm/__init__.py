"""A virtual machine that boots in seconds: a distribution's kernel on a copy-on-write view of this machine's files.

    this machine                          the guest
    /              --- 9p, read-only --->  lower layer of /, under an overlay in memory
    current folder --- 9p, read-write -->  the same path
    stdout         <-- virtio port 1 ----  the command's output
    status pipe    <-- virtio port 2 ----  "up", then "exit STATUS"
    console file   <-- serial port ------  the kernel's messages, shown when the machine fails

`system` has what differs between distributions, `cache` keeps a downloaded kernel, `job` collects the guest's files,
`initramfs` and `qemu` make bytes and command lines without side effects, `run` starts the guest. `guest/` runs inside.
"""
