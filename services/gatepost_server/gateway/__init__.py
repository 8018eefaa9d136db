"""The gRPC rim."""
