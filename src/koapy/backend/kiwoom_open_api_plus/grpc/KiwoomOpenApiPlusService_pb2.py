"""The messages at their published path."""

from koapy.protocol.KiwoomOpenApiPlusService_pb2 import *  # noqa: F403
from koapy.protocol.KiwoomOpenApiPlusService_pb2 import DESCRIPTOR as DESCRIPTOR
