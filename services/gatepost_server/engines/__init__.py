"""Runs net files on a device: OpenVINO, onnxruntime or torch behind one call."""
