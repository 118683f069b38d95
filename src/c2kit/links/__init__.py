"""Links to the outside: TCP, UDP, serial ports and files, that come up again by themselves and tell each change.

A link is *specified* by a value, such as ``TcpClient("localhost", 7011)``, which has no effect. ``start`` makes a
running :class:`Link` of it; an :class:`Interface` is one with its protocols.

======================== ========================================
what is at the other end specification
======================== ========================================
a TCP server             :class:`TcpClient`
TCP clients              :class:`TcpServer`
senders of datagrams     :class:`UdpListener`
a device of datagrams    :class:`Udp`
a serial port            :class:`Serial`
a recording              :class:`File`
======================== ========================================

What all of them promise is told by :class:`Link`.
"""

from __future__ import annotations

from c2kit.links.file import File
from c2kit.links.interface import ByteAccount, Interface, InterfaceEvent, LinkDiscard
from c2kit.links.link import Link, LinkSpec, Surroundings
from c2kit.links.loop import SelectorLoop
from c2kit.links.serial import Serial
from c2kit.links.tcp_client import TcpClient
from c2kit.links.tcp_server import TcpServer
from c2kit.links.udp import Udp, UdpListener
from c2kit.links.values import Arrival, Counters, Ends, LinkState, Outcome, SendResult, State

__all__ = [
    "Arrival",
    "ByteAccount",
    "Counters",
    "Ends",
    "File",
    "Interface",
    "InterfaceEvent",
    "Link",
    "LinkDiscard",
    "LinkSpec",
    "LinkState",
    "Outcome",
    "SelectorLoop",
    "SendResult",
    "Serial",
    "State",
    "Surroundings",
    "TcpClient",
    "TcpServer",
    "Udp",
    "UdpListener",
]
