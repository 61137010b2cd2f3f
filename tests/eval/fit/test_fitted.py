"""Everything that is fitted: a preset refuses the features of another featuriser."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.bench.live_shaped import FINGERPRINT, live_cases, training
from eval.bench.policies import fits
from policies import CostCap, PolicyError
from router.errors import ConfigError
from router.presets import read_preset, write_preset


@pytest.mark.parametrize("name", sorted(fits()))
def test_a_preset_refuses_another_featuriser(name: str, tmp_path: Path) -> None:
    path = tmp_path / "fitted.json"
    fitted = fits()[name](training(200))
    if fitted.holds_rows:
        with pytest.raises(ConfigError, match="holds a row of every training query"):
            write_preset(path, fitted, {})
    else:
        write_preset(path, fitted, {"fitted_on": 200})
    own = live_cases(5)
    other = replace(own, fingerprint="v9-another")
    fitted.choose(own).check(own)
    if not fitted.needs.features:
        # It reads what attempts showed, and no featuriser's block.
        fitted.choose(other).check(other)
        return
    for asked in (fitted, CostCap(cap=9.0, inner=fitted)):
        with pytest.raises(PolicyError, match=f"{FINGERPRINT}.*v9-another.*again"):
            asked.choose(other)
    if fitted.holds_rows:
        assert not path.exists()
        return
    # From its file a policy may also lack a table that presets do not ship: refused all the same.
    with pytest.raises(PolicyError, match=f"{FINGERPRINT}.*v9-another|rebuild"):
        read_preset(path).choose(other)
