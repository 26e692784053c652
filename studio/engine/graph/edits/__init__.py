"""What people do to a drawing, each one small pure function from a level to another.

A level is the document itself or a pipeline inside of one of its nodes; `change_at` brings an edit
to its level. An edit raises `EngineError` with a sentence when it cannot be made; drafts with
problems are welcome, as they are on the canvas.
"""

from studio.engine.graph.edits.converting import insert_converter
from studio.engine.graph.edits.exposing import expose
from studio.engine.graph.edits.field_rows import (
    add_field,
    move_field,
    remove_field,
    set_table,
    table_of,
)
from studio.engine.graph.edits.fields import (
    fields_text,
    set_constraints,
    set_fields,
    set_fields_text,
    set_signature,
    set_signature_text,
)
from studio.engine.graph.edits.grouping import group, ungroup
from studio.engine.graph.edits.inside import add_part, parts_for, remove_part
from studio.engine.graph.edits.levels import (
    TOP,
    At,
    Spec,
    change_at,
    find_node,
    level_at,
    read_at,
    write_at,
)
from studio.engine.graph.edits.mending import mended
from studio.engine.graph.edits.nodes import (
    add_module,
    add_node,
    duplicate,
    remove_nodes,
    rename,
    set_kind,
)
from studio.engine.graph.edits.notes import add_note, remove_note, set_note
from studio.engine.graph.edits.placing import move, tidy
from studio.engine.graph.edits.rows import Row, is_end, rows_of
from studio.engine.graph.edits.settings import set_demos, set_instruction, set_lm, set_params
from studio.engine.graph.edits.wires import (
    Source,
    connect,
    disconnect,
    sources_for,
    wire_into,
    wire_up,
)

__all__ = [
    "TOP",
    "At",
    "Row",
    "Source",
    "Spec",
    "add_field",
    "add_module",
    "add_node",
    "add_note",
    "add_part",
    "change_at",
    "connect",
    "disconnect",
    "duplicate",
    "expose",
    "fields_text",
    "find_node",
    "group",
    "insert_converter",
    "is_end",
    "level_at",
    "mended",
    "move",
    "move_field",
    "parts_for",
    "read_at",
    "remove_field",
    "remove_nodes",
    "remove_note",
    "remove_part",
    "rename",
    "rows_of",
    "set_constraints",
    "set_demos",
    "set_fields",
    "set_fields_text",
    "set_instruction",
    "set_kind",
    "set_lm",
    "set_note",
    "set_params",
    "set_signature",
    "set_signature_text",
    "set_table",
    "sources_for",
    "table_of",
    "tidy",
    "ungroup",
    "wire_into",
    "wire_up",
    "write_at",
]
