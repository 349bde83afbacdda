"""`studio demo`: the one story, from an empty folder to a deployed, monitored model, through public interfaces only."""
