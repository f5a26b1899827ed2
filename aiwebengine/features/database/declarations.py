"""`database`: tables, SQL and transactions."""
# ruff: noqa: S608  The examples are JavaScript.

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Global, HostCall, Member, Shape

_GROUP = "Database"
_READ = ("not_found", "timeout", "too_large", "too_many", "unavailable")
_WRITE = ("conflict", "denied", "not_found", "timeout", "too_large", "too_many", "unavailable")
REQUEST_BYTES = 384 * 1024
"""Most bytes of one request: the rows that it writes are the largest part."""

_SETUP = 'database.schema({ notes: { id: "id", text: "text", stars: { type: "integer", default: 0 } } });\n'

READ = HostCall(
    name="database.read",
    speaks_for="database.table",
    group=_GROUP,
    arguments=(Argument(name="request", kind="object", doc="The request.", max_bytes=REQUEST_BYTES),),
    returns="unknown",
    effect="none",
    sync=False,
    errors=_READ,
    doc="Reads rows, or a value over them.",
)
WRITE = HostCall(
    name="database.write",
    speaks_for="database.table",
    group=_GROUP,
    arguments=(Argument(name="request", kind="object", doc="The request.", max_bytes=REQUEST_BYTES),),
    returns="unknown",
    effect="held",
    sync=False,
    errors=_WRITE,
    doc="Writes rows.",
)
QUERY = HostCall(
    name="database.query",
    group=_GROUP,
    arguments=(
        Argument(
            name="sql",
            kind="string",
            doc="One statement: at most 100,000 characters.",
            empty=False,
            max_length=100_000,
            converts="primitive",
        ),
        Argument(
            name="parameters",
            kind="any",
            type="DatabaseParameters",
            optional=True,
            doc="The values of `:name`, as an object, or of `?`, as a list.",
            max_bytes=REQUEST_BYTES,
        ),
    ),
    signatures=("<Row extends object = any>(sql: string, parameters?: DatabaseParameters): Promise<Row[]>",),
    effect="held",
    sync=False,
    errors=_WRITE,
    doc=(
        "Runs one SQL statement and resolves to its rows. Values are given as parameters, `:name` or `?`, never "
        "as a part of the text."
    ),
    example=(
        _SETUP + 'registerWebHandler("/stars", () =>\n'
        '  database.query("SELECT text FROM notes WHERE stars >= :least", { least: 3 }));'
    ),
)
SAVEPOINT = HostCall(
    name="database.savepoint",
    speaks_for="database.transaction",
    group=_GROUP,
    arguments=(
        Argument(name="action", kind="string", doc="begin, release or rollback.", max_length=10),
        Argument(name="level", kind="integer", doc="How many are within each other."),
    ),
    returns="void",
    effect="held",
    sync=False,
    errors=_WRITE,
    doc="Begins or ends a transaction.",
)

DECLARE = HostCall(
    name="database.declare",
    speaks_for="database.schema",
    group=_GROUP,
    arguments=(),
    returns="void",
    effect="held",
    errors=("closed", "conflict", "too_many", "unavailable"),
    doc="Has the tables made that were declared.",
)

CALLS = (READ, WRITE, QUERY, SAVEPOINT, DECLARE)

_SCHEMA = Member(
    signature="schema(tables: Record<string, TableDeclaration>): void",
    uses=("database.declare",),
    doc=(
        "Declares the tables of the script, at its top level. A deployment creates what is missing and changes what "
        "differs, together with the rest of the deployment or not at all; tables and columns that are not declared "
        "any more are kept."
    ),
    example=(
        "database.schema({\n"
        '  authors: { id: "id", name: { type: "string", unique: true } },\n'
        "  books: {\n"
        '    id: "id",\n'
        '    title: "string",\n'
        '    author: { references: "authors", onDelete: "cascade" },\n'
        '    created: { type: "timestamp", default: "now" },\n'
        "  },\n"
        "});\n"
        'registerWebHandler("/books", () => database.table("books"));'
    ),
)

_MEMBERS = (
    _SCHEMA,
    Member(
        signature="table<Row extends object = any>(name: string): TableQuery<Row>",
        uses=("database.read", "database.write"),
        doc=(
            "Returns a query of a table. Nothing is sent before the query is awaited, or a method such as `first` or "
            "`insert` is called."
        ),
        example=(
            _SETUP + 'registerWebHandler("/best", async () => {\n'
            '  const notes = database.table("notes");\n'
            '  await notes.insert({ text: "read this", stars: 5 });\n'
            '  return notes.where({ stars: { gte: 4 } }).orderBy("-stars", "id").limit(10);\n'
            "});"
        ),
    ),
    Member(
        signature="sql<Row extends object = any>(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]>",
        uses=("database.query",),
        doc="The same as the global function `sql`.",
        example=(
            _SETUP + 'registerWebHandler("/stars", (req) =>\n'
            "  database.sql`SELECT text FROM notes WHERE stars >= ${Number(req.query.least ?? 3)}`);"
        ),
    ),
    Member(
        signature="transaction<T>(work: (tx: DatabaseTransaction) => T | Promise<T>): Promise<T>",
        uses=("database.savepoint",),
        doc=(
            "Runs a function whose reads see one state of the database, and whose writes are undone if it throws. "
            "What the handler writes is one transaction in any case; this makes a part of it whole. "
            "`tx.transaction` makes a part of the part."
        ),
        example=(
            _SETUP + 'registerWebHandler("/move", () => database.transaction(async (tx) => {\n'
            '  const count = await tx.table("notes").count();\n'
            '  await tx.table("notes").insert({ text: `note ${count + 1}` });\n'
            "  return { count: count + 1 };\n"
            "}));"
        ),
    ),
)

_TABLE_QUERY = Shape(
    name="TableQuery<Row = any>",
    doc=(
        "A query of one table; each method returns another query. Awaited, it is an array of its rows. In a "
        "`for await` loop it reads all rows, a page at a time."
    ),
    extends="PromiseLike<Row[]>, AsyncIterable<Row>",
    members=(
        Member(
            signature="where(conditions: TableConditions): TableQuery<Row>",
            doc=(
                "Only rows that meet all conditions, such as `{ owner: 'ada', stars: { gte: 3 } }`; a list stands for "
                "any of its values, null for no value. `or` and `and` take lists of conditions, `not` takes one."
            ),
        ),
        Member(signature="all(): TableQuery<Row>", doc="All rows, for `update` and `delete` without conditions."),
        Member(
            signature="select(...columns: string[]): TableQuery<Row>",
            doc="Only these columns; `meta.color` is a part of a json column.",
        ),
        Member(
            signature="orderBy(...columns: string[]): TableQuery<Row>",
            doc="Sorts the rows; a minus before a column's name reverses the order.",
        ),
        Member(signature="limit(rows: number): TableQuery<Row>", doc="At most this many rows."),
        Member(signature="offset(rows: number): TableQuery<Row>", doc="Without the first rows; `page` is faster."),
        Member(signature="distinct(): TableQuery<Row>", doc="Equal rows only once."),
        Member(
            signature="join(table: string, options?: JoinOptions): TableQuery<any>",
            doc=(
                "Adds to each row, under the name of the table or `as`, the row of another table to which a reference "
                "leads, or null."
            ),
        ),
        Member(signature="first(): Promise<Row | null>", doc="The first row, or null."),
        Member(
            signature="get(key: string | number | bigint | Record<string, unknown>): Promise<Row>",
            doc="The row with this primary key; throws `not_found` if there is none.",
        ),
        Member(
            signature=(
                "page(options?: { limit?: number; after?: string | null }): "
                "Promise<{ rows: Row[]; next: string | null }>"
            ),
            doc=(
                "One page of rows, and what the next one is asked for with; null after the last. It takes the same "
                "time at any place, and neither skips nor repeats a row while others are written."
            ),
        ),
        Member(signature="count(column?: string): Promise<number>", doc="How many rows, or values of a column."),
        Member(signature="exists(): Promise<boolean>", doc="Whether there is a row."),
        Member(signature="sum(column: string): Promise<any>", doc="The sum of a column; 0 without rows."),
        Member(signature="avg(column: string): Promise<number | null>", doc="The mean of a column."),
        Member(signature="min(column: string): Promise<any>", doc="The least value of a column."),
        Member(signature="max(column: string): Promise<any>", doc="The greatest value of a column."),
        Member(signature="groupBy(...columns: string[]): TableQuery<any>", doc="Groups rows, for `aggregate`."),
        Member(
            signature="aggregate(values: Record<string, Aggregate>): TableQuery<any>",
            doc="One row for each group, with values over its rows, such as `{ total: { sum: 'price' } }`.",
        ),
        Member(
            signature="insert<T extends object | object[]>(rows: T): Promise<T extends any[] ? Row[] : Row>",
            doc="Adds a row, or a list of rows; resolves to what was written.",
        ),
        Member(
            signature=(
                "upsert<T extends object | object[]>(rows: T, "
                "options?: { on?: string | string[]; update?: string[] }): "
                "Promise<T extends any[] ? Row[] : Row>"
            ),
            doc=(
                "Adds rows; one that there is already, by its primary key or the columns `on`, gets the new values of "
                "the columns `update`, or of all that were given."
            ),
        ),
        Member(
            signature="update(values: Record<string, unknown>): Promise<number>",
            doc="Changes the rows that `where` chooses; resolves to their number. `{ increment: 1 }` adds to a number.",
        ),
        Member(
            signature="update(values: Record<string, unknown>, options: { returning: true }): Promise<Row[]>",
            doc="The same; resolves to the changed rows.",
        ),
        Member(
            signature="delete(): Promise<number>",
            doc="Removes the rows that `where` chooses; resolves to their number.",
        ),
        Member(
            signature="delete(options: { returning: true }): Promise<Row[]>",
            doc="The same; resolves to the removed rows.",
        ),
        Member(signature="explain(): Promise<string[]>", doc="How the database would find the rows."),
        Member(signature="catch(failed: (error: any) => unknown): Promise<any>", doc="As of a Promise."),
    ),
)

_SHAPES = (
    _TABLE_QUERY,
    Shape(
        name="TableConditions",
        doc="Conditions of `where`: by column a value, a list of values, or operators.",
        alias=(
            "{ and?: TableConditions[]; or?: TableConditions[]; not?: TableConditions } & { [column: string]: unknown }"
        ),
    ),
    Shape(
        name="ConditionOperators",
        doc="Operators of a condition.",
        members=(
            Member(signature="eq?: unknown", doc="Equal; null: no value."),
            Member(signature="ne?: unknown", doc="Not equal; rows without a value are found, too."),
            Member(signature="gt?: unknown", doc="Greater."),
            Member(signature="gte?: unknown", doc="Greater or equal."),
            Member(signature="lt?: unknown", doc="Less."),
            Member(signature="lte?: unknown", doc="Less or equal."),
            Member(signature="between?: [unknown, unknown]", doc="From the first value to the second."),
            Member(signature="in?: unknown[]", doc="One of these values."),
            Member(signature="notIn?: unknown[]", doc="None of these values."),
            Member(signature="contains?: string", doc="A string that contains this one."),
            Member(signature="icontains?: string", doc="The same; a to z and A to Z count as equal."),
            Member(signature="startsWith?: string", doc="A string that begins so."),
            Member(signature="endsWith?: string", doc="A string that ends so."),
            Member(signature="has?: string | number | boolean", doc="A JSON array that contains this value."),
        ),
    ),
    Shape(
        name="DatabaseParameters",
        doc="Values of a statement: by name, or in order.",
        alias="Record<string, unknown> | unknown[]",
    ),
    Shape(
        name="Aggregate",
        doc='A function of a column; of `count` the column may be `"*"`, for all rows.',
        alias='{ [f in "count" | "sum" | "avg" | "min" | "max"]?: string }',
    ),
    Shape(
        name="JoinOptions",
        doc="How a table is joined.",
        members=(
            Member(signature="as?: string", doc="The name of its rows."),
            Member(
                signature="on?: Record<string, string>",
                doc=(
                    "Columns and their equals in the joined table; needed where no reference, or more than one, leads "
                    "there."
                ),
            ),
            Member(
                signature='type?: "left" | "inner"',
                doc='`"inner"` leaves out rows for which there is no row to join; default `"left"`.',
            ),
            Member(signature="columns?: string[]", doc="The columns of its rows; default all."),
        ),
    ),
    Shape(
        name="TableDeclaration",
        doc="A table: its columns, or an object with `columns` and what concerns several of them.",
        alias=(
            "Record<string, string | ColumnDeclaration> | { columns: Record<string, string | ColumnDeclaration>; "
            "primaryKey?: string | string[]; indexes?: (string | string[] | { columns: string | string[]; unique?: "
            "boolean })[]; renamedFrom?: string }"
        ),
    ),
    Shape(
        name="ColumnDeclaration",
        doc="A column of a table.",
        members=(
            Member(signature="type?: string", doc="Its type; a reference has the type of what it refers to."),
            Member(signature="optional?: boolean", doc="Whether rows may have no value (null)."),
            Member(
                signature="default?: unknown",
                doc='What rows get that say nothing; `"now"` for a timestamp or date, `"random"` for a uuid.',
            ),
            Member(signature="unique?: boolean", doc="Whether no two rows may have the same value."),
            Member(signature="index?: boolean", doc="Whether rows are found quickly by it."),
            Member(signature="primaryKey?: boolean", doc="Whether it is, or belongs to, the primary key."),
            Member(signature="references?: string", doc="The table, or `table.column`, to whose rows it refers."),
            Member(
                signature='onDelete?: "restrict" | "cascade" | "setNull"',
                doc=(
                    "What happens when the row that it refers to is deleted: that is refused, this row is deleted, "
                    "too, or it has no value."
                ),
            ),
            Member(signature="renamedFrom?: string", doc="The name that the column had before."),
        ),
    ),
    Shape(
        name="DatabaseTransaction",
        doc="A part of what a handler does to its database; see `database.transaction`.",
        members=(
            Member(
                signature="table<Row extends object = any>(name: string): TableQuery<Row>", doc="As `database.table`."
            ),
            Member(
                signature=(
                    "query<Row extends object = any>(sql: string, parameters?: DatabaseParameters): Promise<Row[]>"
                ),
                doc="As `database.query`.",
            ),
            Member(
                signature=(
                    "sql<Row extends object = any>(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]>"
                ),
                doc="As `database.sql`.",
            ),
            Member(
                signature="transaction<T>(work: (tx: DatabaseTransaction) => T | Promise<T>): Promise<T>",
                doc="A transaction within this one.",
            ),
        ),
    ),
)

DECLARATIONS = Declarations(
    calls=CALLS,
    globals=(
        Global(
            name="database",
            group=_GROUP,
            kind="object",
            importable=True,
            doc=(
                "The script's own database: its tables, which `database.schema` declares. What a handler writes is "
                "committed when it returns, together with everything else that it does, and undone if it fails."
            ),
            members=_MEMBERS,
            example=(
                _SETUP + 'registerWebHandler("/notes", async (req) => {\n'
                '  const note = await database.table("notes").insert({ text: req.body });\n'
                "  return json(note, { status: 201 });\n"
                '}, "POST");'
            ),
        ),
        Global(
            name="sql",
            group=_GROUP,
            kind="function",
            importable=True,
            effect="held",
            sync=False,
            errors=_WRITE,
            signatures=(
                "<Row extends object = any>(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]>",
            ),
            doc="Runs one SQL statement; values in the template are parameters, and never a part of the text.",
            example=(
                _SETUP + 'registerWebHandler("/stars", (req) =>\n'
                "  sql`SELECT text FROM notes WHERE stars >= ${Number(req.query.least ?? 3)}`);"
            ),
        ),
    ),
    shapes=_SHAPES,
    advice={"database.prepare": "Use database.query(sql, parameters)."},
)
"""All of it."""
