"""The compiled messages and service are the published contract, name by name and number by number."""

import csv
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc

CONTRACT = Path(__file__).parents[1] / "data" / "wire_contract.csv"
OURS = 100
"""The first number of fields that the published contract does not have."""

KINDS = {value: name[5:].lower() for name, value in vars(FieldDescriptor).items() if name.startswith("TYPE_")}

Row = tuple[str, str, str, str, str, str]


def contract() -> list[Row]:
    with CONTRACT.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["kind", "owner", "name", "number", "type", "oneof"]
    return [(kind, owner, name, number, type_, oneof) for kind, owner, name, number, type_, oneof in rows]


def compiled() -> Iterator[Row]:
    for enum in pb.DESCRIPTOR.enum_types_by_name.values():
        for value in enum.values:
            yield "enum", enum.name, value.name, str(value.number), "", ""
    for message in pb.DESCRIPTOR.message_types_by_name.values():
        published = [field for field in message.fields if field.number < OURS]
        if not published:
            yield "message", message.name, "", "", "", ""
        for field in published:
            oneof = field.containing_oneof.name if field.containing_oneof else ""
            yield "field", message.name, field.name, str(field.number), _type(field), oneof
    for service in pb.DESCRIPTOR.services_by_name.values():
        for rpc in service.methods:
            request = "stream " * rpc.client_streaming + rpc.input_type.name
            response = "stream " * rpc.server_streaming + rpc.output_type.name
            yield "rpc", service.full_name, rpc.name, "", f"{request} -> {response}", ""


def _type(field: FieldDescriptor) -> str:
    kind: Descriptor | None = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        key, value = (_plain(kind.fields_by_name[name]) for name in ("key", "value"))
        return f"map<{key},{value}>"
    return "repeated " * field.is_repeated + _plain(field)


def _plain(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    return named.name if named else KINDS[field.type]


def test_compiled_descriptors_are_the_contract() -> None:
    missing, found = set(contract()), set(compiled())
    assert {"missing": sorted(missing - found), "not published": sorted(found - missing)} == {
        "missing": [],
        "not published": [],
    }


def test_rpcs_stand_in_the_published_order() -> None:
    # Fields may be declared in any order, an enum's first value is its default.
    for kind in ("enum", "rpc"):
        assert [row for row in compiled() if row[0] == kind] == [row for row in contract() if row[0] == kind]


def test_package_and_syntax() -> None:
    assert pb.DESCRIPTOR.package == "koapy.backend.kiwoom_open_api_plus.grpc"
    assert list(pb.DESCRIPTOR.services_by_name) == ["KiwoomOpenApiPlusService"]
    # Of proto2, or of a field that tells 0 from nothing, existing clients would see other bytes.
    assert not any(field.has_presence and not field.message_type and not field.containing_oneof for field in fields())


def fields() -> Iterator[FieldDescriptor]:
    for message in pb.DESCRIPTOR.message_types_by_name.values():
        yield from message.fields


def test_the_bytes_of_a_message_are_those_of_the_contract() -> None:
    # Worked out by hand from the encoding's rules: proves that names and numbers meet, not only that both exist.
    request = pb.OrderRequest(request_name="r", order_type=1, code="005930", quote_type="03")
    assert request.SerializeToString() == b"\x0a\x01r" + b"\x20\x01" + b"\x2a\x06005930" + b"\x42\x0203"
    empty = pb.CallResponse(return_value=pb.ReturnValue(string_value=""))
    assert empty.SerializeToString() == b"\x0a\x02\x0a\x00"
    assert pb.CallResponse.FromString(b"\x0a\x02\x10\x00").return_value.WhichOneof("value") == "long_value"


def test_stub_servicer_and_registration_have_every_rpc() -> None:
    rpcs = {row[2] for row in contract() if row[0] == "rpc"}
    servicer = vars(pb_grpc.KiwoomOpenApiPlusServiceServicer)
    assert {name for name in servicer if not name.startswith("_")} == rpcs
    assert callable(pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server)
