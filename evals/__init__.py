"""The harness: data sets, runs, metrics, reports, comparison."""
