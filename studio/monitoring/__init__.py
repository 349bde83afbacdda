"""What endpoints were asked, whether it still looks like the training data, and the alerts that come of it.

`collect`, `checks`, `reference`, `lake`, `spool` and `inputs` run inside the service sandbox and import no database.
"""
