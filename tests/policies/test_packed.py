"""Arrays as plain data: bytes by hand, and what is refused."""

import base64

import numpy as np
import pytest
from pydantic import ValidationError

from policies.packed import Packed


def test_the_bytes_are_little_endian_float32():
    got = Packed.of([[1.0, -2.5]])
    assert got.shape == (1, 2)
    assert base64.b64decode(got.data) == bytes.fromhex("0000803f" + "000020c0")


def test_plain_data_and_back():
    x = np.arange(6, dtype=np.float32).reshape(2, 3) / 8
    again = Packed.model_validate_json(Packed.of(x).model_dump_json())
    assert again.array.dtype == np.float64 and again.array.tolist() == x.tolist()
    with pytest.raises(ValueError, match="read-only"):
        again.array[0, 0] = 1


def test_equal_by_content_also_once_the_arrays_were_read():
    one, two = Packed.of([1.0, 2.0]), Packed.of([1.0, 2.0])
    assert one.array.tolist() == two.array.tolist()
    assert one == two and hash(one) == hash(two)
    assert one != Packed.of([1.0, 3.0]) and one != Packed.of([[1.0, 2.0]])


@pytest.mark.parametrize(
    ("shape", "data", "message"),
    [
        ((3,), Packed.of([1.0, 2.0]).data, "holds 8 bytes"),
        ((1,), "no base64!", "no base64"),
        ((1,), base64.b64encode(np.array([np.nan], "<f4").tobytes()).decode(), "finite"),
    ],
)
def test_what_does_not_fit_is_refused(shape, data, message):
    with pytest.raises(ValidationError, match=message):
        Packed(shape=shape, data=data)
