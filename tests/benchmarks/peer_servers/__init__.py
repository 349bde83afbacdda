"""The peers' applications: what their own documentation shows for serving one scikit-learn model. Run by the peers' own
virtualenvs; each takes {"inputs": [[…], …]} and answers {"predictions": […]}."""
