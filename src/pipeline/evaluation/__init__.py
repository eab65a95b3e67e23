"""Metrics, intervals, references and the report: functions over arrays, without TensorFlow."""
