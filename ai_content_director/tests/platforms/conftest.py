"""Assertions of the shared suites explain themselves like those of a test file."""

import pytest

pytest.register_assert_rewrite("tests.platforms.adapter_conformance")
