"""What endpoints were asked, whether it still looks like the training data and was answered rightly, and the alerts
that come of it.

`collect` is a job in the service sandbox; what it is made of (`intake`, `spool`, `inputs`, `redaction`, `lake`,
`windows`, `reference`, `checks`, `labels`, `labelling`, `quality`) imports no database. The server reads what it wrote
(`captures`, `figures`) and leaves labels for it (`ground_truth`).
"""
