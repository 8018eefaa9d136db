"""The faults, by family. Each is an async function: inject, return when it is over."""
