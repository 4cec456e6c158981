"""What a machine and its programs happened to say, written down: figures, speeds, salts, and values of chance."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents
from verifier.causes.cause import Place, SideContext, Window
from verifier.causes.made_by import writing_commands
from verifier.causes.random_value import cause as random_value
from verifier.formats.field import Field

IN = (FIRST + 4, SECOND + 4)


class TestKernelState:
    PAIRS = (
        (
            "Mem:            23Gi       2.0Gi        13Gi\nSwap:             0B          0B          0B\n",
            "Mem:            23Gi       2.3Gi        13Gi\nSwap:             0B          0B          0B\n",
        ),
        ("overlay         252G   43G   50G  47% /\n", "overlay         252G   44G   48G  48% /\n"),
        (
            "root           6  0.0  0.0   8104  4304 ?        R    16:03   0:00 ps aux\n",
            "root           6  5.0  0.0   8104  4332 ?        R    16:04   0:00 ps aux\n",
        ),
        (
            "root           7       1  0 16:03 ?        00:00:00 ps -ef\n",
            "root           8       1  5 16:04 ?        00:00:00 ps -ef\n",
        ),
        (
            "%Cpu(s): 50.0 us, 50.0 sy,  0.0 ni,  0.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n",
            "%Cpu(s):  0.0 us,  0.0 sy,  0.0 ni,100.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n",
        ),
        ("VmHWM:\t    1416 kB\nPid:\t12\n", "VmHWM:\t    1324 kB\nPid:\t13\n"),
        (
            "564fd3873000-564fd3875000 r--p 00000000 00:27 5392591                    /usr/bin/cat\n",
            "55d0d3873000-55d0d3875000 r--p 00000000 00:31 5392593                    /usr/bin/cat\n",
        ),
        ("0::/docker/buildkit/h12uhlxdsfnqf5o0a21xq7vkj\n", "0::/docker/buildkit/7f0b3i0qt38b4srh7r29k6xvd\n"),
        (
            "5392147 -rw-r--r-- 1 root root 77 Jan  3  2023 hosts\n",
            "5392149 -rw-r--r-- 1 root root 77 Jan  3  2023 hosts\n",
        ),
        (
            "  6523783      8 -rw-r--r--   1 root     root         5067 Jan  3  2023 /etc/x\n",
            "  6548753      8 -rw-r--r--   1 root     root         5067 Jan  3  2023 /etc/x\n",
        ),
        ("Device: 0,39\tInode: 6521809     Links: 1\n", "Device: 0,41\tInode: 65701       Links: 1\n"),
    )

    @pytest.mark.parametrize(("first", "second"), PAIRS)
    def test_what_programs_say_of_the_machine(self, first: str, second: str) -> None:
        explanation = explain_contents(first.encode(), second.encode())
        assert causes(explanation) == ["kernel-state"]
        assert explanation.findings[0].confidence == "likely"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("-rw-r--r-- 1 root root 77 Jan  3  2023 hosts\n", "-rw-r--r-- 1 root root 78 Jan  3  2023 hosts\n"),
            ("5392147 -rw-r--r-- 1 root root 77 hosts\n", "5392147 -rwxr--r-- 1 root root 77 hosts\n"),
            ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 18\n"),
            ("12:one:/some/path\n", "12:one:/other/path\n"),
            ("Inode: 12\n", "Inode: 13\n"),
        ],
    )
    def test_other_figures_are_residue(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["residue"]

    def test_a_processs_number_in_its_file_and_in_the_systems_log(self) -> None:
        assert causes(explain_contents(b"7\n", b"8\n", "run/rsyslogd.pid")) == ["kernel-state"]
        assert causes(explain_contents(b"7\n", b"8\n", "run/rsyslogd.number")) == ["residue"]
        form = "2023-01-03T10:00:00+00:00 host cron[{}]: (CRON) STARTUP (fork ok)\n"
        first, second = (form.format(number).encode() for number in (77, 812))
        assert causes(explain_contents(first, second)) == ["kernel-state"]
        assert causes(explain_contents(b"x = cron[77]: 1\n", b"x = cron[78]: 1\n")) == ["residue"]

    @pytest.mark.parametrize("command", [["ls", "-lai"], ["find", "-maxdepth", "1", "-ls"], ["stat", "."]])
    def test_as_the_tools_print_it(self, command: list[str], tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "file").touch()
        first, second = (
            subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=tmp_path / name, env={"TZ": "UTC"}).stdout
            for name in ("one", "two")
        )
        assert first != second
        now = datetime.now(UTC).timestamp()
        side = SideContext(window=Window(start=now - 60, end=now + 1))
        assert "residue" not in causes(explain_contents(first, second, sides=(side, side)))


class TestElapsedTime:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (
                "52428800 bytes (52 MB, 50 MiB) copied, 0.00182445 s, 28.7 GB/s\n",
                "52428800 bytes (52 MB, 50 MiB) copied, 0.205579 s, 0.2 GB/s\n",
            ),
            ("Fetched 10.5 kB in 0s (134 kB/s)\n", "Fetched 10.5 kB in 1s (60.6 kB/s)\n"),
        ],
    )
    def test_what_was_moved_how_fast(self, first: str, second: str) -> None:
        assert causes(explain_contents(first.encode(), second.encode())) == ["elapsed-time"]

    def test_a_rate_that_was_set_is_residue(self) -> None:
        assert causes(explain_contents(b"limit: 10 MB/s\n", b"limit: 12 MB/s\n")) == ["residue"]
        assert causes(explain_contents(b"10 MB\n", b"12 MB\n")) == ["residue"]


class TestPasswordSalt:
    HASHES = (
        "app:$apr1$Zd4aKqyL$W1fZ.bX4v5x0cV8n2m3Qp/",
        "app:$2y$05$Q3n0rVx8kYw1tPzXo5sBreT3m8ZbqYb8l1d4m7nQf0VtR2s6uWc1K",
        "app:$7$101$AbCdEfGhIjKlMnOp$" + "Q" * 86 + "==",
        '"password": "pbkdf2_sha256$600000$6rJlOJR86ufrtuNugOYJEl$OuYSWuZMSPQfmuJ0h0LSCslxpTUjE/ug/fso/nBJ7Gw="',
        "scrypt:32768:8:1$abcdEFGH12345678$" + "0123456789abcdef" * 8,
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$" + "Ab0" * 14 + "A",
        "$6$rounds=5000$saltsaltsalt$" + "Ab/." * 21 + "Ab",
        "userPassword: {SSHA}" + "Ab0+" * 8,
        "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$" + "A" * 43 + "=:" + "B" * 43 + "=",
    )

    @pytest.mark.parametrize("text", HASHES)
    def test_by_the_form_of_the_hash_in_any_file(self, text: str) -> None:
        head, _, body = text.rpartition("$") if "$" in text else text.rpartition("}")
        mark = "$" if "$" in text else "}"
        other = head + mark + body.translate(str.maketrans("A0Q", "B1R"))
        explanation = explain_contents(text.encode() + b"\n", other.encode() + b"\n")
        assert causes(explanation) == ["password-salt"]
        assert explanation.findings[0].confidence == "likely"

    def test_as_openssl_makes_them(self) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("openssl is not installed")
        for kind in ("-1", "-apr1", "-5", "-6"):
            first, second = (
                subprocess.run([openssl, "passwd", kind, "x"], check=True, stdout=subprocess.PIPE).stdout
                for _ in range(2)
            )
            assert causes(explain_contents(first, second)) == ["password-salt"]

    def test_another_scheme_or_length_is_residue(self) -> None:
        first = b"app:$apr1$Zd4aKqyL$W1fZ.bX4v5x0cV8n2m3Qp/\n"
        assert causes(explain_contents(first, first.replace(b"$apr1$", b"$1$"))) == ["residue"]
        assert causes(explain_contents(first, first.replace(b"Qp/", b"Qp"))) == ["residue"]
        assert causes(explain_contents(b"cost $5.00\n", b"cost $6.00\n")) == ["residue"]
        # the eighth byte behind Tor's salt says how often it was hashed: always 60
        tor = b"16:A0D1E8EDE0E785B8%s5522DD69C0B46B3D71908320A38E07E981A9EB3%d\n"
        assert causes(explain_contents(tor % (b"60", 1), tor % (b"60", 2))) == ["password-salt"]
        assert causes(explain_contents(tor % (b"61", 1), tor % (b"61", 2))) == ["residue"]


class TestRandomValue:
    def test_a_key_of_any_characters_in_settings(self) -> None:
        first = b"SECRET_KEY=_zwtelhf=#_85a04g_u)54d(#0@f%5xml%p@i=dj9)@%c+jc5-\n"
        second = b"SECRET_KEY=)u95#d(7*=j7&+r55wn16d0m5&+fu2fi9wi6#uu1(!_(3y#)vl\n"
        assert causes(explain_contents(first, second, "srv/.env")) == ["random-value"]
        paths = b"SECRET_KEY=/run/secrets/production-2/key-1.pem\n", b"SECRET_KEY=/run/secrets/production-3/key-2.pem\n"
        assert causes(explain_contents(*paths, "srv/.env")) == ["residue"]

    def test_a_column_of_a_database_that_is_named_for_it(self) -> None:
        def database(column: str, value: str) -> bytes:
            connection = sqlite3.connect(":memory:")
            connection.execute(f"create table users (name text, {column} text)")
            connection.execute("insert into users values ('one', ?)", (value,))
            connection.commit()
            return connection.serialize()

        values = "Nmviw1tXDX4Xt6cSOvHZSdBAhqKfOABU1ApaRP9V", "d76DLs4FJRX9083fK4ZzrS06N7zIGsNWhqe3RCrR"
        assert causes(explain_contents(*(database("token", value) for value in values))) == ["random-value"]
        assert causes(explain_contents(*(database("title", value) for value in values))) == ["residue"]

    def test_the_command_that_writes_the_file_must_ask_the_generator(self) -> None:
        made_by = (
            'RUN echo "BUILD_NUMBER=$(date +%s | tail -c 5)" > /srv/number; echo "$RANDOM" > /srv/random.txt'
            "; shuf -i 1-100 -n 5 > picks && X=$(openssl rand -hex 4); echo $X > x"
            "; bash -c 'echo one; echo $RANDOM' > quoted"
        )

        def claims(name: str) -> bool:
            place = Place(part="layer", field="content", path=f"/srv/{name}".encode(), made_by=made_by)
            field = Field(name="", kind="text", value=b"4711\n", offset=0)
            assert random_value.normalise is not None
            return bool(list(random_value.normalise(field, place, WINDOWS[0])))

        assert not claims("number")
        assert all(claims(name) for name in ("random.txt", "picks", "x", "quoted", "elsewhere"))

    def test_the_commands_of_an_instruction(self) -> None:
        made_by = "RUN echo $(date; id) > a && echo 'x; y' > b || { echo c; } > c"

        def commands(name: bytes) -> str:
            return writing_commands(Place(part="layer", field="content", path=name, made_by=made_by))

        assert commands(b"/a") == "RUN echo $(date; id) > a "
        assert commands(b"/b") == " echo 'x; y' > b "
        assert commands(b"/c") == commands(b"/d") == commands(b"") == made_by


class TestTimes:
    @pytest.mark.parametrize("form", ["%y%m%d-%H%M", "%y%m%d%H%M%S", "build-%y%m%d_%H%M\n"])
    def test_two_figures_of_the_year(self, form: str) -> None:
        first, second = (at(moment, form) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        assert causes(explain_contents(at(IN[0] - 400_000, form), second)) == ["residue"]

    def test_ten_figures_behind_the_seconds(self) -> None:
        first, second = (b"%d.2256967460 /etc/hosts\n" % moment for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]


def test_a_set_as_a_page_shows_it() -> None:
    form = (
        b'<span class="default_value">frozenset({&#39;%s&#39;, &#39;%s&#39;, &#39;%s&#39;})</span> <b>a &amp; b</b>\n'
    )
    first, second = form % (b"black", b"blue", b"red"), form % (b"red", b"blue", b"black")
    assert causes(explain_contents(first, second)) == ["hash-order"]
    assert causes(explain_contents(first, second.replace(b"blue", b"grey"))) == ["residue"]


class TestDrawings:
    """Heads and identities as matplotlib 3.9 writes them."""

    FORM = (
        '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n<svg xmlns:xlink="http://www.w3.org/1999/xlink"'
        ' version="1.1">\n <metadata>\n  <dc:title>Matplotlib v3.9.2, https://matplotlib.org/</dc:title>\n'
        " </metadata>\n"
        ' <path id="m{0}" d="M 0 0"/>\n <use xlink:href="#m{0}" x="73"/>\n <g clip-path="url(#p{1})"/>\n'
        ' <clipPath id="p{1}"/>\n</svg>\n'
    )

    def test_identities_that_a_salt_makes(self) -> None:
        first, second = (
            self.FORM.format(*names).encode() for names in (("eddf97fa01", "2d2f4e3c9e"), ("f014460071", "09aa77bb1c"))
        )
        assert causes(explain_contents(first, second)) == ["random-value"]
        # the second use means another drawing
        swapped = second.replace(b"#mf014460071", b"#m09aa77bb1c")
        assert causes(explain_contents(first, swapped)) == ["residue"]
        others = (text.replace(b"https://matplotlib.org/", b"https://example.org/") for text in (first, second))
        assert causes(explain_contents(*others)) == ["residue"]


def test_durations_in_objects() -> None:
    form = '{{"duration": {}, "input_args": {{"*": "[]"}}, "time": {}}}'
    first, second = form.format(0.0001385211944580078, IN[0]), form.format(1.2e-05, IN[1])
    explanation = explain_contents(first.encode(), second.encode())
    assert causes(explanation) == ["embedded-timestamp", "elapsed-time"]
    for name, values in (("duration_s", (3, 300)), ("max_duration", (3, 4)), ("width", (3, 4))):
        pair = (f'{{"{name}": {value}}}'.encode() for value in values)
        assert causes(explain_contents(*pair)) == ["residue"]
