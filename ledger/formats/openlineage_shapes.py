"""The JSON of OpenLineage as msgspec Structs: the members that are read, and no other.

Source: the OpenLineage specification 2-0-2 (spec/OpenLineage.json) and its facets: ParentRun,
SourceCodeLocation, Ownership, Symlinks, DatasetVersion, Schema, ColumnLineage, LifecycleStateChange, and the
lineage facets, which have had two spellings (`lineage` in LineageRunFacet and LineageJobFacet 1-0-0,
`entries` in LineageFacet 1-0-0). Facets stay raw until one is wanted: most of an event's bytes are in those
that are not. Producers send null for what they do not know, so every optional member takes it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct, field

EventType = Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]
Facets = dict[str, Raw]


class Run(Struct, rename="camel"):
    """Which execution it was."""

    run_id: str
    facets: Facets | None = None


class Job(Struct):
    """What ran, or would."""

    namespace: str
    name: str
    facets: Facets | None = None


class Dataset(Struct, rename="camel"):
    """An input, an output, or what a dataset event is about."""

    namespace: str
    name: str
    facets: Facets | None = None
    input_facets: Facets | None = None
    output_facets: Facets | None = None


class AnyEvent(Struct, rename="camel"):
    """RunEvent, JobEvent and DatasetEvent in one: which it is follows from what is there.

    Datasets stay raw, to be decoded (as `Dataset`) only when they have not been before.
    """

    event_time: str
    producer: str
    schema_url: str = field(name="schemaURL")
    event_type: EventType | None = None
    run: Run | None = None
    job: Job | None = None
    inputs: list[Raw] | None = None
    outputs: list[Raw] | None = None
    dataset: Raw = Raw()


class Name(Struct):
    """A dataset or job by name."""

    namespace: str
    name: str


class Parent(Struct):
    """ParentRunFacet, and the root in it."""

    run: Run
    job: Name
    root: Parent | None = None


class SourceCodeLocation(Struct):
    """SourceCodeLocationJobFacet: the commit."""

    version: str | None = None


class Owner(Struct):
    """One owner of a dataset or job."""

    name: str
    type: str | None = None


class Ownership(Struct):
    """OwnershipDatasetFacet and OwnershipJobFacet."""

    owners: list[Owner] | None = None


class Symlinks(Struct):
    """SymlinksDatasetFacet: other names of the same dataset."""

    identifiers: list[Name] | None = None


class DatasetVersion(Struct, rename="camel"):
    """DatasetVersionDatasetFacet; some producers send numbers."""

    dataset_version: str | int


class SchemaField(Struct):
    """A column, and those nested in it."""

    name: str
    type: str | None = None
    fields: list[SchemaField] | None = None


class Schema(Struct):
    """SchemaDatasetFacet."""

    fields: list[SchemaField] | None = None


class LifecycleStateChange(Struct, rename="camel"):
    """LifecycleStateChangeDatasetFacet: what was done to the dataset as a whole."""

    lifecycle_state_change: str
    previous_identifier: Name | None = None


class Transformation(Struct):
    """How a column came from another."""

    type: str
    subtype: str | None = None
    masking: bool | None = None


class InputField(Struct):
    """A column of a source, in ColumnLineageDatasetFacet."""

    namespace: str
    name: str
    field: str | None = None
    transformations: list[Transformation] | None = None


class OutputField(Struct, rename="camel"):
    """What a column was made from; `transformation_type` is the older form."""

    input_fields: list[InputField]
    transformation_type: str | None = None


class ColumnLineage(Struct):
    """ColumnLineageDatasetFacet: by column, and `dataset` for what shaped every row (filters, joins)."""

    fields: dict[str, OutputField] | None = None
    dataset: list[InputField] | None = None


class LineageInput(Struct):
    """A source in a lineage facet: a dataset, or a job (without a name the event's own)."""

    type: str
    namespace: str | None = None
    name: str | None = None
    field: str | None = None
    transformations: list[Transformation] | None = None


class LineageField(Struct):
    """What one column of a target was made from."""

    inputs: list[LineageInput]


class LineageEntry(Struct):
    """A target and its sources; in a dataset's own facet the target is that dataset."""

    type: str = "DATASET"
    namespace: str | None = None
    name: str | None = None
    inputs: list[LineageInput] | None = None
    fields: dict[str, LineageField] | None = None


class LineageEntries(Struct):
    """The lineage facet of a job or run, in either spelling."""

    entries: list[LineageEntry] | None = None
    lineage: list[LineageEntry] | None = None


class Deleted(Struct):
    """What any facet may say: that it no longer holds."""

    deleted: bool | None = field(default=None, name="_deleted")
