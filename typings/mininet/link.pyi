from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mininet.node import Node

class Intf:
    name: str
    node: Node
    link: Link | None
    mac: str | None
    ip: str | None
    prefixLen: str | int | None
    params: dict[str, Any]
    def __init__(
        self,
        name: str,
        node: Node | None = None,
        port: int | None = None,
        link: Link | None = None,
        mac: str | None = None,
        **params: Any,
    ) -> None: ...
    def cmd(self, *args: Any, **kwargs: Any) -> str | None: ...
    def ifconfig(self, *args: str) -> str | None: ...
    def setIP(self, ipstr: str, prefixLen: int | None = None) -> str | None: ...
    def setMAC(self, macstr: str) -> str | None: ...
    def updateIP(self) -> str | None: ...
    def updateMAC(self) -> str | None: ...
    def updateAddr(self) -> tuple[str | None, str | None]: ...
    def IP(self) -> str | None: ...
    def MAC(self) -> str | None: ...
    def isUp(self, setUp: bool = False) -> bool: ...
    def rename(self, newname: str) -> str | None: ...
    def setParam(self, results: dict[str, Any], method: str, **param: Any) -> Any: ...
    # Mininet's own subclasses take more words than this one and return None for "nothing to do"
    def config(
        self,
        mac: str | None = None,
        ip: str | None = None,
        ifconfig: str | None = None,
        up: bool = True,
        **_params: Any,
    ) -> dict[str, Any] | None: ...
    def delete(self) -> None: ...
    def status(self) -> str: ...

class TCIntf(Intf):
    bwParamMax: ClassVar[int]
    def bwCmds(
        self,
        bw: float | None = None,
        speedup: float = 0,
        use_hfsc: bool = False,
        use_tbf: bool = False,
        latency_ms: float | None = None,
        enable_ecn: bool = False,
        enable_red: bool = False,
    ) -> tuple[list[str], str]: ...
    @staticmethod
    def delayCmds(
        parent: str,
        delay: str | None = None,
        jitter: str | None = None,
        loss: float | None = None,
        max_queue_size: int | None = None,
    ) -> tuple[list[str], str]: ...
    def tc(self, cmd: str, tc: str = "tc") -> str | None: ...
    def config(  # type: ignore[override]
        self,
        bw: float | None = None,
        delay: str | None = None,
        jitter: str | None = None,
        loss: float | None = None,
        gro: bool = False,
        txo: bool = True,
        rxo: bool = True,
        speedup: float = 0,
        use_hfsc: bool = False,
        use_tbf: bool = False,
        latency_ms: float | None = None,
        enable_ecn: bool = False,
        enable_red: bool = False,
        max_queue_size: int | None = None,
        **params: Any,
    ) -> dict[str, Any] | None: ...

class Link:
    intf1: Intf
    intf2: Intf
    fast: bool
    def __init__(
        self,
        node1: Node,
        node2: Node,
        port1: int | None = None,
        port2: int | None = None,
        intfName1: str | None = None,
        intfName2: str | None = None,
        addr1: str | None = None,
        addr2: str | None = None,
        intf: Callable[..., Intf] = ...,
        cls1: Callable[..., Intf] | None = None,
        cls2: Callable[..., Intf] | None = None,
        params1: Mapping[str, Any] | None = None,
        params2: Mapping[str, Any] | None = None,
        fast: bool = True,
        **params: Any,
    ) -> None: ...
    def intfName(self, node: Node, n: int) -> str: ...
    @classmethod
    def makeIntfPair(
        cls,
        intfname1: str,
        intfname2: str,
        addr1: str | None = None,
        addr2: str | None = None,
        node1: Node | None = None,
        node2: Node | None = None,
        deleteIntfs: bool = True,
    ) -> Any: ...
    def delete(self) -> None: ...
    def stop(self) -> None: ...
    def status(self) -> str: ...

class TCLink(Link):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
