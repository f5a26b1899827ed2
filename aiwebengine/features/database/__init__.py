"""
Tables of a script's own: `database`.

    schema/     the vocabulary of column types, what scripts declare, what there is, how to get from one to the other
    queries/    what the builder sends, checked against the schema and compiled to SQL
"""
