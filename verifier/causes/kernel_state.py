"""The running kernel's state is recorded.

What varies: the kernel's release, how long it has been running, its load, memory, processes and processors; which
numbers a file system gives to files.

Why it matters: none of it belongs to the image: it describes the machine that built it.

How it is recognised: in text, by the grammar of what the kernel and its tools print, line by line, and where a line
alone may say anything (`processes 4`), by several in a row: `/proc/uptime` from end to end, `loadavg`, `meminfo`,
`stat`, `vmstat`, `diskstats`, `net/dev`, `self/stat`, `self/status`, `self/maps`, `self/cgroup`, the overlay in
`mounts`, the clock rate in `cpuinfo`, and `uptime`, `free`, `df`, `ps`, `top`, `vmstat`; the inodes of `ls -i`,
`find -ls` and `stat`; also a process's number alone, where the file is a `.pid` or the instruction writes `$$`. The
figures are taken as given: hence this is never called proven. In the Dockerfile, by `uname -r`, `-v` and `-a`, and by
files of `/proc` and `/sys` whose content is kept. `uname -m` and `-s` name the platform, and count as fixed.

Remedy: do not record it; name the kernel release that is meant, where one is.

Source: uname(1); proc(5); uptime(1); free(1); df(1); ps(1); top(1); vmstat(8); ls(1); stat(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.build_facts import kernel_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_AMOUNT: Final = rb"\d+(?:[.,]\d+)?(?:[KMGTPE]i?|Bi?)?"
"""A count, or a size with its unit."""

_LINES: Final = (
    ("load", rb"(\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+/\d+ \d+)"),
    (
        "memory",
        (
            # the kernel puts 8 figures at least behind 16 columns
            rb"(?=[^\n]{24,} kB$)"
            rb"(?:Mem(?:Total|Free|Available|Shared)|Buffers|Cached|Swap\w+|(?:Ina|A)ctive(?:\(\w+\))?|Unevictable|Mlocked"
            rb"|Dirty|Writeback(?:Tmp)?|Anon\w+|Mapped|Shmem\w*|K?Reclaimable|Slab|SReclaimable|SUnreclaim|KernelStack"
            rb"|(?:Sec)?PageTables|NFS_Unstable|Bounce|Commit(?:Limit|ted_AS)|Vmalloc\w+|Percpu|File\w+|Hugetlb"
            rb"|DirectMap\w+|Zswap\w*|KReclaimable):( +\d+) kB"
        ),
    ),
    ("statistics", rb"(?:cpu\d*|intr|softirq) +(\d+(?: \d+){6,})"),
    ("statistics", rb"btime (\d{10})"),
    ("memory", rb"Mem:( +\d+(?: +\d+){2,5})"),
    ("process", rb"(\d+ \([^()\n]+\) [RSDZTtWXxKPI](?: -?\d+){40,60})"),
    ("clock rate", rb"cpu MHz\t*: (\d+\.\d+)"),
    ("uptime", rb" ?(\d\d:\d\d:\d\d up [^\n]+, +load averages?: \d+\.\d\d, \d+\.\d\d, \d+\.\d\d)"),
    ("disk", rb"[\w/.:-]+((?: +" + _AMOUNT + rb"){3} +(?:\d+%|-)) /\S*"),
    ("process", rb"\S+ +(\d+ +\d+\.\d +\d+\.\d +\d+ +\d+ \S+ +[RSDZTtWXI]\S* +\S+ +\d+:\d\d) [^\n]+"),
    ("process", rb"\S+ +(\d+ +\d+ +\d+ (?:\d\d:\d\d|[A-Z][a-z]{2}\d\d) \S+ +(?:\d+-)?\d\d:\d\d:\d\d) [^\n]+"),
    ("uptime", rb"top - (\d\d:\d\d:\d\d up [^\n]+, +load average: \d+\.\d\d, \d+\.\d\d, \d+\.\d\d)"),
    ("processors", rb"%Cpu\(s\):((?: *\d+\.\d \w\w,?){8}) *"),
    ("processes", rb"Tasks:((?: +\d+ [a-z]+,?){5}) *"),
    ("memory", rb"[KMGTP]iB (?:Mem|Swap) ?:([ \w.,/]+)"),
    (
        "process",
        rb" *(\d+ \S+ +(?:rt|-?\d+) +-?\d+ +\S+ +\S+ +\S+ [RSDZTtI] +\d+\.\d +\d+\.\d +\d+:\d\d\.\d\d) \S[^\n]*",
    ),
    ("statistics", rb" r  b +swpd[^\n]*\n((?: *\d+){15,18}) *"),
    (
        "process",
        (
            rb"(?:Vm\w+|Rss\w+|HugetlbPages|(?:non)?voluntary_ctxt_switches|T?N?gid|P?Pid|NS\w+id|TracerPid|SigQ)"
            rb":\t *(\d[\d/\t]*)(?: kB)?"
        ),
    ),
    (
        "mappings",
        rb"([0-9a-f]{6,16}-[0-9a-f]{6,16} [r-][w-][x-][ps] [0-9a-f]{8} [0-9a-f]{2,}:[0-9a-f]{2,} \d+)(?: [^\n]*)?",
    ),
    ("control group", rb"\d{1,2}:(?:name=)?[\w,]*:(/\S*[0-9a-z]{24,64}\S*)"),
    ("mount", rb"overlay \S+ overlay (\S*lowerdir=\S+) 0 0"),
    ("disk", rb" +\d+ +\d+ [\w-]+((?: \d+){11,20})"),
    (
        "process",
        rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ [\w./-]+\[(\d{1,7})\]: [^\n]*",
    ),
    ("network", rb" *[\w.@-]+:((?: +\d+){16})"),
    ("inode", rb" *(\d+) +[-dlbcps][-rwxsStT]{9}[.+@]? +\d+ [^\n]+"),
    ("inode and blocks", rb" *(\d+ +\d+) [-dlbcps][-rwxsStT]{9}[.+@]? +\d+ [^\n]+"),
    ("inode", rb"(Device: \S+\tInode: \d+ +)Links: \d+[^\n]*"),
    ("processes", rb"dr-xr-xr-x[.+@]? +(\d+) root +root +0 [^\n]+ proc"),
)
_WHOLE: Final = re.compile(rb"\A(\d+\.\d\d \d+\.\d\d)\n?\Z")
"""/proc/uptime: two such figures in a table may be anything."""

_IN_A_ROW: Final = (
    (2, "memory", rb"(?:Mem|Swap|Total|-/\+ buffers/cache):( +" + _AMOUNT + rb"(?: +" + _AMOUNT + rb")+)"),
    (3, "statistics", rb"(?:ctxt|btime|processes|procs_running|procs_blocked) (\d+)"),
    (3, "virtual memory", rb"(?:nr|pg|numa|workingset|thp|kswapd|compact|drop|oom|unevictable|swap)_?\w* (\d+)"),
)
"""Lines that may be anybody's by themselves: how many must follow one another."""

_GRAMMARS: Final = tuple(
    (f"{name} ({number})", least, re.compile(rb"^" + pattern + rb"$", re.MULTILINE))
    for number, (least, name, pattern) in enumerate((*((1, *line) for line in _LINES), *_IN_A_ROW))
)
_MADE_BY_PROCESS: Final = re.compile(r"\$(?:\$|BASHPID\b|PPID\b|\{(?:BASHPID|PPID)\})|\bgetpid\b")
_PROCESS: Final = re.compile(rb"\A(\d{1,7})\n?\Z")
_MAX_BYTES: Final = 1024 * 1024


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content" or field.kind != "text" or len(field.value) > _MAX_BYTES:
        return
    is_process = (place.path or b"").endswith(b".pid") or _MADE_BY_PROCESS.search(place.made_by) is not None
    number = _PROCESS.match(field.value) if is_process else None
    if number is not None:
        yield Claim(number.start(1), number.end(1), "process's number")
        return
    found = {
        match.span(1): Claim(match.start(1), match.end(1), name)
        for name, least, pattern in _GRAMMARS
        for match in _rows(field.value, pattern, least)
    }
    uptime = _WHOLE.match(field.value)
    if uptime is not None:
        found[uptime.span(1)] = Claim(*uptime.span(1), "uptime")
    end = 0
    for claim in sorted(found.values()):
        if claim.start >= end:
            end = claim.end
            yield claim


def _rows(text: bytes, pattern: re.Pattern[bytes], least: int) -> Iterator[re.Match[bytes]]:
    """Yield the lines of a grammar of which at least so many follow one another."""
    row: list[re.Match[bytes]] = []
    for match in pattern.finditer(text):
        if row and match.start() != row[-1].end() + 1:
            yield from row if len(row) >= least else ()
            row = []
        row.append(match)
    yield from row if len(row) >= least else ()


cause = Cause(
    slug="kernel-state",
    page=__doc__ or "",
    remedy="do not record what the kernel says of itself; name the release that is meant",
    opaque=True,
    normalise=_normalise,
    risk=kernel_risks,
)
