"""The gatepostd command: it wires the rims and the process tree together."""


def main() -> None:
    """The entry point; loads the command line only when it is asked for."""
    from gatepost_server.cli.app import app

    app()
