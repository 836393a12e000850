"""How the models create lead tables: on one server, or with CITUS=1 on a coordinator of Citus, distributed."""

import os

CREATE = "SELECT create_lead_tables()" + ("; SELECT distribute_lead_tables()" if os.environ.get("CITUS") else "")


def update(table, clauses):
    """SQL that updates a table by what Citus does not allow in an UPDATE of its tables, but on their nodes: time zones have a part in it."""
    if not os.environ.get("CITUS"):
        return f"UPDATE {table} {clauses}"
    quoted = clauses.replace("'", "''")
    return f"SELECT run_command_on_placements('{table}', 'UPDATE %%s {quoted}')"
