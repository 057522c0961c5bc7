"""Lines over OTLP/HTTP, to `outlay serve --otlp` or any collector. Needs the extra: `outlay-recorder[otlp]`."""

from collections.abc import Mapping, Sequence

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from outlay_recorder.sinks import Stream


class Otlp(Stream):
    """Each line is a log record whose body is the line. Without arguments, OTEL_EXPORTER_OTLP_* say where to."""

    def __init__(self, endpoint: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        """`endpoint` is the whole address, `…/v1/logs` included."""
        self._exporter = OTLPLogExporter(endpoint=endpoint, headers=headers)
        self._resource, self._scope = Resource.create(), InstrumentationScope("outlay_recorder")

    def send(self, lines: Sequence[bytes]) -> int:
        """See `Sink.send`. What was not acknowledged is sent again; each line names itself, so it counts once."""
        records = [
            ReadableLogRecord(
                LogRecord(body=line.decode().rstrip("\n"), severity_number=SeverityNumber.INFO, severity_text="INFO"),
                resource=self._resource,
                instrumentation_scope=self._scope,
            )
            for line in lines
        ]
        if self._exporter.export(records) is not LogRecordExportResult.SUCCESS:
            raise OSError("the collector did not take them")
        return len(lines)
