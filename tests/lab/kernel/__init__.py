"""Tests that run inside the kernel lab."""
