"""The newest revision is known without Alembic."""

from alembic.config import Config
from alembic.script import ScriptDirectory

from studio.store import migrate


def test_file_names_tell_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.head()]
