"""`studio import mlflow`, `studio export mlflow`: reading and writing MLflow's own forms on this side of the API."""
