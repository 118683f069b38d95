from __future__ import annotations

import numpy as np
import pytest

from c2kit.pipeline.observing.times import utc_text


@pytest.mark.parametrize("time_ns", [0, 1, 999_999_999, 1_770_091_506_789_012_345, -1, 4_102_444_799_999_999_999])
def test_a_time_is_the_one_that_numpy_tells(time_ns: int) -> None:
    assert utc_text(time_ns) == f"{np.datetime64(time_ns, 'ns')}Z"
    assert utc_text(time_ns, digits=3) == f"{np.datetime64(time_ns, 'ns').astype('datetime64[ms]')}Z"
    assert utc_text(time_ns, digits=0) == f"{np.datetime64(time_ns, 'ns').astype('datetime64[s]')}Z"
