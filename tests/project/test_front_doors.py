"""What can be imported from where, and what an import brings along."""

import importlib
import subprocess
import sys

import pytest

PUBLISHED = "koapy.backend.kiwoom_open_api_plus.grpc"
SERVICER = f"{PUBLISHED}.KiwoomOpenApiPlusServiceServicer"
FRONT_DOORS = ("koapy", "koapy.client", "koapy.openapi", "koapy.server", "koapy.simulation.model", SERVICER)


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after this statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import koapy", "grpc google.protobuf pandas numpy asyncio rich typer koapy.client koapy.server"),
        ("from koapy import connect", "pandas numpy koapy.server koapy.control koapy.simulation koapy.cli"),
        ("from koapy import SimulatedControl", "grpc google.protobuf pandas numpy koapy.server koapy.client"),
        ("from koapy import serve", "pandas numpy koapy.client koapy.simulation koapy.cli"),
        ("from koapy.cli import application; application(['serve'])", "rich grpc koapy.client koapy.server"),
        ("import koapy.openapi.tr", "grpc google.protobuf pandas numpy asyncio koapy.control"),
        ("import koapy.openapi; koapy.openapi.tr.tr('opt10081')", "grpc pandas koapy.openapi.listing"),
    ],
)
def test_an_import_brings_only_what_it_needs(statement: str, absent: str) -> None:
    assert loaded_by(statement) & set(absent.split()) == set()


@pytest.mark.parametrize("name", FRONT_DOORS)
def test_all_says_what_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(set(module.__all__))
    assert [each for each in module.__all__ if not hasattr(module, each)] == []


@pytest.mark.parametrize("name", ["koapy", "koapy.openapi"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = importlib.import_module(name).nonsense


def test_the_front_door_lists_what_it_opens_to() -> None:
    koapy = importlib.import_module("koapy")
    assert set(koapy.__all__) <= set(dir(koapy))


def test_published_paths_lead_to_the_same_things() -> None:
    pb, pb_grpc = (
        importlib.import_module(f"{PUBLISHED}.KiwoomOpenApiPlusService{end}") for end in ("_pb2", "_pb2_grpc")
    )
    servicer = importlib.import_module(SERVICER)
    protocol = importlib.import_module("koapy.protocol.KiwoomOpenApiPlusService_pb2")
    messages = [*protocol.DESCRIPTOR.message_types_by_name, *protocol.DESCRIPTOR.enum_types_by_name]
    assert [name for name in messages if getattr(pb, name) is not getattr(protocol, name)] == []
    assert pb.DESCRIPTOR is protocol.DESCRIPTOR
    assert issubclass(servicer.KiwoomOpenApiPlusServiceServicer, pb_grpc.KiwoomOpenApiPlusServiceServicer)
    assert pb_grpc.KiwoomOpenApiPlusServiceStub
    assert pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server
