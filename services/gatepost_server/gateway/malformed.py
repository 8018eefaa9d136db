"""Messages that protobuf refuses: which field is it?

A proto3 string that is not UTF-8 fails the whole message, and gRPC would answer with a bare INTERNAL. The same
bytes are read again with a schema in which every string is bytes, and its fields are looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.message import DecodeError, Message

from gatepost_server.domain.errors import ErrorReason, GatepostError, invalid

_Message = TypeVar("_Message", bound=Message)


def tolerant_decoder(message: type[_Message]) -> Callable[[bytes], _Message | GatepostError]:
    """A deserialiser that gives an error as a value, so that it can be answered with a typed status."""

    descriptor = cast(Descriptor, message.DESCRIPTOR)  # the stubs also name the C class

    def decode(data: bytes) -> _Message | GatepostError:
        try:
            return message.FromString(data)
        except DecodeError:
            return explain(descriptor, data)

    return decode


def explain(descriptor: Descriptor, data: bytes) -> GatepostError:
    """What is wrong with bytes that are no message of that type."""
    try:
        lenient = _with_bytes(descriptor).FromString(data)
    except DecodeError:
        return invalid(ErrorReason.FIELD_INVALID, f"not a {descriptor.name}", field="")
    field = next(_not_utf8(descriptor, lenient), "")
    return invalid(ErrorReason.TEXT_NOT_UTF8, f"{field or 'a text'} is not UTF-8", field=field)


def _not_utf8(descriptor: Descriptor, message: Any, prefix: str = "") -> Iterator[str]:
    """Paths of the strings that are not UTF-8; `message` is of the lenient type."""
    for field, value in message.ListFields():
        declared = descriptor.fields_by_name[field.name]
        values = list(value) if field.is_repeated else [value]
        for index, item in enumerate(values):
            path = f"{prefix}{field.name}" + (f"[{index}]" if field.is_repeated else "")
            if declared.type == FieldDescriptor.TYPE_STRING and not _is_utf8(item):
                yield path
            elif declared.message_type is not None:
                yield from _not_utf8(declared.message_type, item, f"{path}.")


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


@cache
def _with_bytes(descriptor: Descriptor) -> type[Message]:
    pool = descriptor_pool.DescriptorPool()
    _add(pool, descriptor.file, set())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))


def _add(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, added)
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    _strings_to_bytes(proto.message_type)
    pool.Add(proto)


def _strings_to_bytes(messages: Iterable[descriptor_pb2.DescriptorProto]) -> None:
    for message in messages:
        message.options.ClearField("map_entry")  # keys of maps may not be bytes; on the wire a map is a repeated entry
        for field in message.field:
            if field.type == FieldDescriptor.TYPE_STRING:
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
        _strings_to_bytes(message.nested_type)
