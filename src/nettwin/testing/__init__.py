"""Contract tests to inherit: what every engine, format, change and optimizer must keep.

nettwin's own members pass them (`tests/contracts`), and so does what other packages add. Inherit a
contract under a name that begins with `Test`, say what is tested by its fixture, and pytest runs
all of its tests:

    import pytest

    from nettwin.testing import EngineContract


    class TestMine(EngineContract):
        @pytest.fixture
        def model(self):
            return Mine()

It needs pytest and hypothesis: `pip install 'nettwin[testing]'`. Nothing else in nettwin imports
this package.

engines   EngineContract                         changes      ChangeContract
formats   FormatContract, WritingFormatContract  optimizers   OptimizerContract
networks  NetworkContract                        actuators    ActuatorContract
sources   SourceContract
"""

import pytest

# before they are imported: failing asserts then show their values
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "actuators",
            "changes",
            "engines",
            "formats",
            "networks",
            "optimizers",
            "sources",
        )
    )
)

from nettwin.testing.actuators import ActuatorContract  # noqa: E402
from nettwin.testing.changes import ChangeContract, flows, links, nodes  # noqa: E402
from nettwin.testing.engines import EngineContract  # noqa: E402
from nettwin.testing.formats import FormatContract, WritingFormatContract  # noqa: E402
from nettwin.testing.networks import NetworkContract  # noqa: E402
from nettwin.testing.optimizers import OptimizerContract  # noqa: E402
from nettwin.testing.sources import SourceContract  # noqa: E402

__all__ = [
    "ActuatorContract",
    "ChangeContract",
    "EngineContract",
    "FormatContract",
    "NetworkContract",
    "OptimizerContract",
    "SourceContract",
    "WritingFormatContract",
    "flows",
    "links",
    "nodes",
]
