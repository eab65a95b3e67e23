"""What MLmodel says of the rows that a model takes."""

from pipeline.data.schema import Column, Schema
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.date import DateColumn
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.number import NumberColumn
from pipeline.registry.package import metadata_of


def test_the_true_types_stand_beside_the_signature() -> None:
    features = [
        Column("bill mm", NumberColumn("number", missing=["NA"], decimal=","), nullable=True, categories=[]),
        Column("sex", CategoryColumn("category", values=["f", "m"])),
        Column("seen", DateColumn("date", format="%d.%m.%Y")),
        Column("photo", ImageColumn("image", shape=[8, 8, 1])),
    ]
    schema = Schema("made", "regression", "hash", features, "y", [])
    assert metadata_of(schema) == {
        "columns": {
            "bill mm": {"type": "number", "missing": ["NA"], "decimal": ",", "nullable": True},
            "sex": {"type": "category", "values": ["f", "m"], "nullable": False},
            "seen": {"type": "date", "format": "%d.%m.%Y", "nullable": False},
            "photo": {"type": "image", "shape": [8, 8, 1], "nullable": False},
        }
    }
    assert metadata_of(Schema.of_json(schema.to_json())) == metadata_of(schema), "as register reads it"
