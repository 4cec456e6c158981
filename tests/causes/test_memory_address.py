"""Addresses that programs wrote: by the words before them, and by where 64-bit Linux puts things."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import threading

import pytest

from tests.causes.sides import causes, explain_contents


class TestMemoryAddress:
    @pytest.mark.parametrize(
        "form",
        [
            "hook=<object object at 0x{:x}>\n",
            "<p>default &lt;object object at 0x{:x}&gt;</p>\n",
            "<function f at 0x{:012X}>\n",
            "#<Shop::Item:0x{:016x} @n=1>\n",
            "state: 0x{:x}, ready\n",
        ],
    )
    def test_where_something_lay(self, form: str) -> None:
        first, second = (form.format(address).encode() for address in (0x7F1C2A3B4C50, 0x7F8899AABB00))
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["memory-address"]
        assert explanation.findings[0].confidence == "likely"
        assert explanation.findings[0].opaque

    def test_as_python_prints_it(self) -> None:
        command = [sys.executable, "-c", "print(object(), lambda: 1)"]
        first, second = (subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout for _ in range(2))
        assert first != second
        assert causes(explain_contents(first, second)) == ["memory-address"]

    def test_as_perl_prints_it(self) -> None:
        perl = shutil.which("perl")
        if perl is None:
            pytest.skip("perl is not installed")
        command = [perl, "-e", r'print {}, " ", \1, " ", sub {}, "\n"']
        first, second = (subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout for _ in range(2))
        assert causes(explain_contents(first, second)) == ["memory-address"]

    def test_a_threads_identity(self) -> None:
        form = "INFO shop 7 {} seeded 3 items\n"
        first, second = (form.format(thread).encode() for thread in (139752181732032, 140494659429056))
        assert causes(explain_contents(first, second)) == ["memory-address"]
        assert causes(explain_contents(first, form.format(140494659429057).encode())) == ["residue"]
        assert causes(explain_contents(first, form.format(150494659429056).encode())) == ["residue"]

    @pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8 or sys.platform != "linux", reason="a 64-bit Linux's own")
    def test_this_thread(self) -> None:
        first = b"thread %d\n" % threading.get_ident()
        second = b"thread %d\n" % (threading.get_ident() - 64 * 4096)
        assert causes(explain_contents(first, second)) == ["memory-address"]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("flags 0x1f\n", "flags 0x2f\n"),
            ("crc 0x7f1c2a3b\n", "crc 0x7f8899aa\n"),
            ("offset at 0x40\n", "offset at 0x50\n"),
            ("HASH(one)\n", "HASH(two)\n"),
            ("<object object at 0x7f1c2a3b4c50>\n", "<other object at 0x7f1c2a3b4c50>\n"),
            ("digest 0x7f1c2a3b4c5060708090\n", "digest 0x7f8899aabb0060708090\n"),
        ],
    )
    def test_other_numbers_are_residue(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["residue"]
