from koapy.protocol import KiwoomOpenApiPlusService_pb2 as _KiwoomOpenApiPlusService_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventsRequest(_message.Message):
    __slots__ = ("slots", "fids", "real_types", "raw", "add", "remove")
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    FIDS_FIELD_NUMBER: _ClassVar[int]
    REAL_TYPES_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    ADD_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    slots: _containers.RepeatedScalarFieldContainer[str]
    fids: _containers.RepeatedScalarFieldContainer[int]
    real_types: _containers.RepeatedScalarFieldContainer[str]
    raw: bool
    add: _containers.RepeatedScalarFieldContainer[str]
    remove: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, slots: _Optional[_Iterable[str]] = ..., fids: _Optional[_Iterable[int]] = ..., real_types: _Optional[_Iterable[str]] = ..., raw: bool = ..., add: _Optional[_Iterable[str]] = ..., remove: _Optional[_Iterable[str]] = ...) -> None: ...

class EventBatch(_message.Message):
    __slots__ = ("schemas", "segments", "missed", "gaps")
    SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    schemas: _containers.RepeatedCompositeFieldContainer[Schema]
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    missed: _containers.RepeatedCompositeFieldContainer[Missed]
    gaps: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, schemas: _Optional[_Iterable[_Union[Schema, _Mapping]]] = ..., segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ..., missed: _Optional[_Iterable[_Union[Missed, _Mapping]]] = ..., gaps: _Optional[_Iterable[str]] = ...) -> None: ...

class Schema(_message.Message):
    __slots__ = ("number", "real_type", "fids", "names")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REAL_TYPE_FIELD_NUMBER: _ClassVar[int]
    FIDS_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    number: int
    real_type: str
    fids: _containers.RepeatedScalarFieldContainer[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, number: _Optional[int] = ..., real_type: _Optional[str] = ..., fids: _Optional[_Iterable[int]] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("order", "tables", "events")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    order: bytes
    tables: _containers.RepeatedCompositeFieldContainer[Table]
    events: _containers.RepeatedCompositeFieldContainer[_KiwoomOpenApiPlusService_pb2.ListenResponse]
    def __init__(self, order: _Optional[bytes] = ..., tables: _Optional[_Iterable[_Union[Table, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[_KiwoomOpenApiPlusService_pb2.ListenResponse, _Mapping]]] = ...) -> None: ...

class Table(_message.Message):
    __slots__ = ("schema", "rows", "codes", "columns", "cells", "raw")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    schema: int
    rows: int
    codes: str
    columns: _containers.RepeatedScalarFieldContainer[str]
    cells: _containers.RepeatedScalarFieldContainer[str]
    raw: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, schema: _Optional[int] = ..., rows: _Optional[int] = ..., codes: _Optional[str] = ..., columns: _Optional[_Iterable[str]] = ..., cells: _Optional[_Iterable[str]] = ..., raw: _Optional[_Iterable[str]] = ...) -> None: ...

class Missed(_message.Message):
    __slots__ = ("code", "ticks")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TICKS_FIELD_NUMBER: _ClassVar[int]
    code: str
    ticks: int
    def __init__(self, code: _Optional[str] = ..., ticks: _Optional[int] = ...) -> None: ...
