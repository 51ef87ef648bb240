"""A virtual machine of seconds: a distribution's own kernel on a copy-on-write view of this machine's files.

    this machine                          the guest
    /              --- 9p, read-only --->  lower layer of /, under an overlay in memory
    current folder --- 9p, read-write -->  the same path
    stdout         <-- virtio port 1 ----  what the command writes
    status pipe    <-- virtio port 2 ----  "up", then "exit STATUS"
    console file   <-- serial port ------  the kernel's complaints, shown when the machine fails

`system` says what differs from one distribution to the next, `cache` keeps a downloaded kernel, `initramfs` and
`qemu` make bytes and command lines and touch nothing, `run` acts. `guest/` is what runs inside.
"""
