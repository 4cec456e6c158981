"""The build looks at the processors of its machine.

What varies: code that is compiled for the builder's own processor, and what records how many there are.

Why it matters: two builds on one machine agree; on another machine the files differ, and a program compiled with
`-march=native` may not run at all.

How it is recognised: in the Dockerfile, by `-march=native`, `-mtune=native`, `-mcpu=native` and `target-cpu=native`,
and by `nproc`, `lscpu` and `getconf _NPROCESSORS_ONLN` whose output is kept. As the number of jobs of a build
(`make -j$(nproc)`, `MAKEFLAGS`, `--parallel`, `npm_config_jobs`) it is harmless, however it is counted.

Remedy: name the processor family: `-march=x86-64-v2`.

Source: GCC manual, "x86 Options"; rustc book, `target-cpu`.
"""

from __future__ import annotations

from verifier.causes.cause import Cause
from verifier.causes.rules.build_facts import processor_risks

__all__ = ["cause"]

cause = Cause(
    slug="cpu-dependent",
    page=__doc__ or "",
    remedy="name the processor family instead of `native`, and do not record what the machine has",
    risk=processor_risks,
)
