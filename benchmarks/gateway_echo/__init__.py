"""What the gateway alone costs a request, beside a bare grpc.aio echo of the same payload."""
