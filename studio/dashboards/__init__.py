"""Pages where people look: compare runs, drift, evaluation. One Streamlit app behind the lab's login."""
