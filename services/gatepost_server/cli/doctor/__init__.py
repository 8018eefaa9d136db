"""`gatepostd doctor`: each check looks at one thing of a set-up, changes nothing, and says what to do."""
