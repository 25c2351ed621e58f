"""Windows, aggregates and joins of a query that see later rows, as DuckDB parses it."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb

Node = dict[str, Any]
Found = tuple[int, str]

# What names a row in time, exactly.
TIMES = ("bar_ts", "known_at", "bar_index", "moment", "ts")
TIME_ENDINGS = ("_ts", "_at", "_index")
# What orders rows in time, of many a row at once.
DAYS = ("day", "date", "month", "_day", "_date")
# What a history is of.
ENTITIES = {"symbol", "profile", "series", "domain", "sentinel", "signal", "feature"}
# Their place among all rows, or their number, is known at the end alone.
RANKS = {"WINDOW_PERCENT_RANK", "WINDOW_CUME_DIST", "WINDOW_NTILE"}
PLACES = {"WINDOW_RANK", "WINDOW_RANK_DENSE", "WINDOW_ROW_NUMBER"}
STATISTICS = {
    "avg", "mean", "median", "mode", "stddev", "stddev_samp", "stddev_pop", "variance",
    "var_samp", "var_pop", "quantile", "quantile_cont", "quantile_disc",
    "percentile_cont", "percentile_disc", "skewness", "kurtosis", "corr", "covar_pop",
    "covar_samp",
    "regr_slope", "regr_intercept", "sum", "fsum", "histogram", "approx_quantile",
    "entropy", "mad",
}  # fmt: skip


def _nodes(tree: Any) -> Iterator[Node]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _is_time(node: Any) -> bool:
    if not isinstance(node, dict) or node.get("class") != "COLUMN_REF":
        return False
    name = node["column_names"][-1].lower()
    return name in TIMES or name.endswith(TIME_ENDINGS)


def _is_in_order(node: Any) -> bool:
    """Tell whether rows in this order are in the order of time."""
    return _is_time(node) or (
        isinstance(node, dict)
        and node.get("class") == "COLUMN_REF"
        and node["column_names"][-1].lower().endswith(DAYS)
    )


def _window_fault(node: Node) -> str | None:
    """Return what a window sees that comes later, or without end before."""
    kind, name = node["type"], node.get("function_name") or "a window"
    if kind == "WINDOW_LEAD":
        return "lead(), which reads later rows"
    if any(_is_time(part) for part in node["partitions"]):
        # Rows of one moment.
        return None
    orders = node["orders"]
    if any(
        order["type"] == "DESCENDING" and _is_in_order(order["expression"])
        for order in orders
    ):
        return f"{name}() over rows from the last to the first"
    if kind in RANKS:
        return f"{name}() among all rows of history"
    if kind in PLACES:
        if orders and _is_in_order(orders[-1]["expression"]):
            return None
        return f"{name}() among all rows of history"
    if kind == "WINDOW_LAG":
        offset = json.dumps(node["arguments"][1:])
        return "lag() by a negative number" if '"-' in offset else None
    if "FOLLOWING" in node["end"] or "FOLLOWING" in node["start"]:
        return "a frame with rows that follow"
    if not orders:
        return f"{name}() over all rows of history, without order by"
    if node["start"] == "UNBOUNDED_PRECEDING":
        return f"{name}() over a frame without a lower bound"
    return None


def _statistic_fault(select: Node) -> Found | None:
    """Return an aggregate over all of a history, where no condition bounds its time."""
    groups = select.get("group_expressions") or []
    if select["aggregate_handling"] != "STANDARD_HANDLING":
        return None
    names = {
        group["column_names"][-1].lower() if group.get("class") == "COLUMN_REF" else ""
        for group in groups
    }
    if not names <= ENTITIES or any(map(_is_time, _nodes(select.get("where_clause")))):
        return None
    for node in _outside_of_windows(select["select_list"]):
        if node.get("class") == "FUNCTION" and node["function_name"] in STATISTICS:
            of = f" by {', '.join(sorted(names))}" if names else ""
            what = f"{node['function_name']}() over all rows of history{of}"
            return node["query_location"], what
    return None


def _outside_of_windows(tree: Any) -> Iterator[Node]:
    """Yield the nodes of expressions, not of windows and of queries within them."""
    if isinstance(tree, dict):
        if tree.get("class") in ("WINDOW", "SUBQUERY"):
            return
        yield tree
        for value in tree.values():
            yield from _outside_of_windows(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _outside_of_windows(value)


class Moment(NamedTuple):
    """A moment in a condition: its table, column, and whether moved on (1) or back."""

    table: str
    name: str
    moved: int = 0


def _moment(node: Node) -> Moment | None:
    """Return the moment that an expression is, if it is one."""
    if _is_time(node) and len(node["column_names"]) > 1:
        table, name = node["column_names"][-2:]
        return Moment(table.lower(), name.lower())
    if node.get("class") == "FUNCTION" and node["function_name"] in ("+", "-"):
        children = [child.get("expression", child) for child in _arguments(node)]
        sign = 1 if node["function_name"] == "+" else -1
        for child, other in (children, children[::-1]) if len(children) == 2 else ():
            found = _moment(child)
            if found and not found.moved and not _moment(other):
                return found._replace(moved=sign)
    return None


def _arguments(node: Node) -> list[Node]:
    return node.get("arguments") or node.get("children") or []


def _comparisons(condition: Any) -> Iterator[tuple[Node, str, Node]]:
    for node in _nodes(condition):
        if node.get("class") == "COMPARISON":
            yield node["left"], node["type"], node["right"]
        elif node.get("class") == "BETWEEN":
            yield node["input"], "COMPARE_GREATERTHANOREQUALTO", node["lower"]


TURNED = {
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_EQUAL": "COMPARE_EQUAL",
}


def _is_later(own: str, names: set[str], left: Node, kind: str, right: Node) -> bool:
    """Tell whether a condition asks for rows later than those of the own table."""
    one, other = _moment(left), _moment(right)
    if not one or not other or kind not in TURNED:
        return False
    if one.table == own:
        one, other, kind = other, one, TURNED[kind]
    if other.table != own or one.table == own or other.name not in names:
        return False
    ahead = other.moved - one.moved
    if kind == "COMPARE_GREATERTHAN":
        return ahead >= 0
    if kind.startswith("COMPARE_LESSTHAN"):
        # A bar is known an hour after it opens, so only like may be held against like.
        return one.name == other.name and ahead > 0
    return kind in ("COMPARE_EQUAL", "COMPARE_GREATERTHANOREQUALTO") and ahead > 0


def _own_table(select: Node) -> tuple[str, set[str]] | None:
    """Return the one table whose moments the rows of a query have, and their names."""
    found: dict[str, set[str]] = {}
    for node in select["select_list"]:
        if node.get("class") == "STAR" and node.get("relation_name"):
            found.setdefault(node["relation_name"].lower(), set(TIMES))
        elif _is_time(node) and len(node["column_names"]) > 1 and not node["alias"]:
            table, name = node["column_names"][-2:]
            found.setdefault(table.lower(), set(TIMES)).add(name.lower())
    return found.popitem() if len(found) == 1 else None


def _join_fault(select: Node) -> Found | None:
    found = _own_table(select)
    if found is None:
        return None
    own, names = found
    joins = [
        node for node in _nodes(select.get("from_table")) if node.get("type") == "JOIN"
    ]
    for condition in [
        *(join.get("condition") for join in joins),
        select["where_clause"],
    ]:
        for left, kind, right in _comparisons(condition):
            if _is_later(own, names, left, kind, right):
                place = left.get("query_location", 0)
                return place, f"a join to rows later than those of {own}"
    return None


def faults_of_query(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Found]:
    """Yield what sees later rows in a query, with its place in the text.

    None of a text that DuckDB does not parse: its macros are not filled in yet.
    """
    try:
        found = connection.execute("select json_serialize_sql(?::varchar)", [sql])
        document = json.loads(found.fetchall()[0][0])
    except duckdb.Error:
        return
    for node in _nodes(document.get("statements")):
        if node.get("class") == "WINDOW":
            if what := _window_fault(node):
                yield _place(node), what
        elif node.get("type") == "SELECT_NODE":
            for fault in (_statistic_fault(node), _join_fault(node)):
                if fault:
                    yield fault


def _place(node: Node) -> int:
    return int(node.get("query_location") or 0)
