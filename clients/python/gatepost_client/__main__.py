"""python -m gatepost_client"""

from gatepost_client.cli import main

main()
