"""Streamlit's settings: nothing leaves the machine, and a look like the lab's (notes: calm, dense, one accent)."""

ACCENT_LIGHT, ACCENT_DARK = "#1976d2", "#64b5f6"

OPTIONS: dict[str, object] = {
    "global_developmentMode": False,
    "server_headless": True,
    "server_fileWatcherType": "none",
    "server_runOnSave": False,
    "server_enableStaticServing": False,
    "browser_gatherUsageStats": False,
    "client_toolbarMode": "minimal",
    "client_showErrorDetails": "none",
    "theme_baseFontSize": 13,
    "theme_baseRadius": "3px",
    "theme_font": "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
    "theme_headingFontSizes": ["1.5rem", "1.2rem", "1.05rem", "1rem", "1rem", "1rem"],
    "theme_light_primaryColor": ACCENT_LIGHT,
    "theme_light_backgroundColor": "#ffffff",
    "theme_light_secondaryBackgroundColor": "#f5f5f5",
    "theme_light_textColor": "#212121",
    "theme_dark_primaryColor": ACCENT_DARK,
    "theme_dark_backgroundColor": "#111111",
    "theme_dark_secondaryBackgroundColor": "#1c1c1c",
    "theme_dark_textColor": "#e0e0e0",
}
