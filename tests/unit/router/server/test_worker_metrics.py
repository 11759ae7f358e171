"""The metrics of several processes as one text."""

from router.server.worker_metrics import only_counts, summed

ONE = b"""# HELP asked_total Asked.
# TYPE asked_total counter
asked_total{kind="a b"} 1.0
# HELP held Held.
# TYPE held gauge
held 2.0
# HELP router_graph_generation Which.
# TYPE router_graph_generation gauge
router_graph_generation 3.0
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="0.1"} 1.0
seconds_bucket{le="+Inf"} 2.0
seconds_count 2.0
seconds_sum 0.5
"""
OTHER = (
    ONE.replace(b'{kind="a b"} 1.0', b'{kind="c"} 5.0')
    .replace(b"held 2.0", b"held 7.0")
    .replace(b"generation 3.0", b"generation 2.0")
)


def test_counts_and_held_things_are_summed_and_what_all_share_is_not() -> None:
    lines = summed([ONE, OTHER]).decode().splitlines()
    assert 'asked_total{kind="a b"} 1.0' in lines
    assert 'asked_total{kind="c"} 5.0' in lines
    assert "held 9.0" in lines
    assert "router_graph_generation 3.0" in lines
    assert [line for line in lines if line.startswith("seconds")] == [
        'seconds_bucket{le="0.1"} 2.0', 'seconds_bucket{le="+Inf"} 4.0', "seconds_count 4.0", "seconds_sum 1.0"
    ]  # fmt: skip
    assert lines.count("# TYPE asked_total counter") == 1


def test_one_text_stays_as_it_is_and_of_a_dead_process_only_counts_stay() -> None:
    assert summed([ONE]) == ONE
    counts = only_counts(ONE).decode()
    assert "asked_total" in counts
    assert "seconds_sum" in counts
    assert "held" not in counts
    assert "generation" not in counts
