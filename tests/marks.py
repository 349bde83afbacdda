"""What a test needs of its host."""

import pytest

from studio.runtime import isolation

needs_sandboxes = pytest.mark.skipif(isolation.probe().level == "none", reason="bubblewrap cannot run here")
