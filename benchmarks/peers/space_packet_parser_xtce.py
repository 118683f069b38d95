"""space_packet_parser: one packet, to one dictionary of values that know their raw values, as XTCE defines it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, tostring

from space_packet_parser import XtcePacketDefinition, ccsds_generator

from benchmarks.peers.results import of_records
from benchmarks.workload import PRIMARY_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.workload import Columns, Item, Workload

__all__ = ["DISTRIBUTIONS", "prepare"]

DISTRIBUTIONS = ("space_packet_parser",)
_ROOT = "SpacePacket"


def prepare(workload: Workload) -> _Xtce:
    """Load a definition made of the workload."""
    return _Xtce(workload)


class _Xtce:
    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        document = io.BytesIO(_document(workload))
        self._definition = XtcePacketDefinition.from_xtce(document, root_container_name=_ROOT)

    def ready(self, batch: bytes) -> bytes:
        return batch

    def decode(self, batch: bytes) -> Iterator[Any]:
        parse = self._definition.parse_bytes
        for packet in ccsds_generator(batch):
            yield parse(packet)

    def columns(self, decoded: Iterable[Any]) -> Columns:
        return of_records(self._workload, decoded)


def _document(workload: Workload) -> bytes:
    """A root container with the primary header, and one that extends it for each APID."""
    # Of the names of two packets' items, only those of the primary header are alike for certain.
    items = {item.name: item for packet in workload.packets for item in packet.items}
    system = Element("SpaceSystem", {"xmlns": "http://www.omg.org/spec/XTCE/20180204", "name": "Benchmark"})
    metadata = SubElement(system, "TelemetryMetaData")
    types = SubElement(metadata, "ParameterTypeSet")
    parameters = SubElement(metadata, "ParameterSet")
    for item in items.values():
        _add_type(types, item)
        SubElement(parameters, "Parameter", {"name": item.name, "parameterTypeRef": f"{item.name}_TYPE"})
    containers = SubElement(metadata, "ContainerSet")
    _add_container(containers, _ROOT, PRIMARY_HEADER, abstract="true")
    for packet in workload.packets:
        container = _add_container(containers, packet.name, packet.items[len(PRIMARY_HEADER) :])
        base = SubElement(container, "BaseContainer", {"containerRef": _ROOT})
        criteria = SubElement(base, "RestrictionCriteria")
        comparison = {"parameterRef": "APID", "value": str(packet.apid), "useCalibratedValue": "false"}
        SubElement(criteria, "Comparison", comparison)
    return tostring(system)


def _add_type(types: Element, item: Item) -> None:
    name, size = {"name": f"{item.name}_TYPE"}, {"sizeInBits": str(item.bits)}
    if item.kind == "float":
        known = SubElement(types, "FloatParameterType", name)
        SubElement(known, "FloatDataEncoding", {**size, "encoding": "IEEE754"})
        return
    encoded = {**size, "encoding": "unsigned" if item.kind == "uint" else "twosComplement"}
    if item.states:
        known = SubElement(types, "EnumeratedParameterType", name)
        SubElement(known, "IntegerDataEncoding", encoded)
        states = SubElement(known, "EnumerationList")
        for raw, label in enumerate(item.states):
            SubElement(states, "Enumeration", {"value": str(raw), "label": label})
        return
    known = SubElement(types, "IntegerParameterType", name)
    encoding = SubElement(known, "IntegerDataEncoding", encoded)
    if item.polynomial:
        polynomial = SubElement(SubElement(encoding, "DefaultCalibrator"), "PolynomialCalibrator")
        for power, coefficient in enumerate(item.polynomial):
            SubElement(polynomial, "Term", {"coefficient": repr(coefficient), "exponent": str(power)})


def _add_container(containers: Element, name: str, items: Iterable[Item], abstract: str = "false") -> Element:
    container = SubElement(containers, "SequenceContainer", {"name": name, "abstract": abstract})
    entries = SubElement(container, "EntryList")
    for item in items:
        SubElement(entries, "ParameterRefEntry", {"parameterRef": item.name})
    return container
