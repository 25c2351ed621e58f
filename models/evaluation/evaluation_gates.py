"""Tell what each gate of a profile asks, beside the bars that it left."""


def model(dbt, session):
    """One row per profile and gate."""
    from barsieve.analysis.gate_counts import screening_gates

    dbt.config(materialized="table")
    return screening_gates(counts=dbt.ref("evaluation_gate_counts"))
