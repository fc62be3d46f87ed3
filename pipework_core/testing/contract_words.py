"""The promises about words: hostile ones stay one argument, and bad ones are refused before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import PipeworkError
from pipework_core.model.plan import Netns
from pipework_core.testing.contract_base import GUEST, Declared, Planned, fail_check, refuse_rambling, rename_link
from pipework_core.testing.contract_read import shell_text

if TYPE_CHECKING:
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Guest
    from pipework_core.testing.facts import Facts

#: Names that the kernel takes, and that a shell, `ip -batch` or a careless format would not leave alone.
NAMES = ("$(id)", "`id`", "a;b&c", "'q\"q'", "back\\slash", "#x", "*", "{x}", "aaaaaaaaaaaaaaa", "äöüäöüä")
#: Words of all kinds, as a guest or an option may have them.
WORDS = (*NAMES, "a b", " ", "two\nlines", "-x", "--help", "16-bytes-or-more-of-it", "dev eth0", "\t", "", "é" * 300)


class WordPromises(Declared):
    """Checks with words that somebody else chose; nothing is run."""

    def test_hostile_interface_names_stay_one_argument(self, line: str) -> None:
        """Whatever the guest's interface is called, each command has the same number of words."""
        plain = self._plan_fine(line)._replace(interface="plain0")
        for name in NAMES:
            self._check_same(line, plain, plain._replace(interface=name), "plain0", name)

    def test_hostile_host_names_stay_one_argument(self, line: str) -> None:
        """The same for the name after the colon; a backend may refuse it in a sentence."""
        plain = self._plan_fine(line)
        for name in NAMES:
            facts = rename_link(self.facts, plain.host, name)
            self._check_same(line, plain, plain._replace(host=name), plain.host, name, facts=facts)

    def test_hostile_guest_names_stay_one_argument(self, line: str) -> None:
        """The same for the name of the guest and the path of its namespace."""
        plain = self._plan_fine(line)
        for word in filter(None, WORDS):
            guest = GUEST._replace(name=word, netns=Netns(path=f"/run/netns/{word}"))
            self._check_same(line, plain, plain._replace(guest=word), GUEST.name, word, guest=guest)

    def test_option_values_are_validated(self) -> None:
        """Whatever stands after `-o KEY=` is refused, or is one argument, which no tool takes for an option.

        A value that makes no difference was not looked at.
        """
        for key in self.backend().options:
            for value in WORDS:
                noticed = [self._notices_value(line, key, value) for line in self.requests]
                if not any(noticed) and key not in self.any_text:
                    fail_check(f"-o {key}={value!r:.30} makes no difference in any plan; refuse it with a UsageError.")

    def test_every_option_is_declared_good_and_bad(self) -> None:
        """Each option is in one of `requests` and, with a bad value, in one of `refused`."""
        for key in self.backend().options:
            for declared, lines in (("requests", self.requests), ("refused", self.refused)):
                spared = declared == "refused" and key in self.any_text
                if not spared and not any(f"-o {key}=" in line for line in lines):
                    fail_check(f"no line of `{declared}` has -o {key}=…; add one, so that the option is checked.")

    def test_bad_requests_are_refused(self, bad: str) -> None:
        """A refusal is one sentence and a hint, and comes while planning: nothing was done then."""
        try:
            self.plan(self.attachment(bad))
        except PipeworkError as error:
            refuse_rambling(error, bad)
        except Exception as error:  # noqa: BLE001 - a plugin's
            fail_check(f"{bad}: planning raised {error!r}; raise a UsageError with a hint.")
        else:
            fail_check(f"{bad}: is planned; raise a UsageError in plan(), or take the line out of `refused`.")

    def _plan_fine(self, line: str) -> Attachment:
        self.planned(line)
        return self.attachment(line)

    def _notices_value(self, line: str, key: str, value: str) -> bool:
        """Whether an option's value makes a difference; fail where it becomes anything but one argument."""
        plain = self._plan_fine(line)
        options = tuple(sorted({**dict(plain.options), key: value}.items()))
        planned = self._attempt_name(f"{line} -o {key}={value!r:.30}", plain._replace(options=options))
        if planned is None:
            return True
        known = {shell_text(command) for command in self.planned(line).commands}
        for command in planned.commands:
            words, text = [str(word) for word in command.argv], shell_text(command)
            if value and value in text and text not in known:
                fail_check(
                    f"{line}: a shell is to read -o {key}={value!r:.30}; name the program and its words in argv."
                )
            if value.startswith("-") and value in words:
                fail_check(f"{line}: -o {key}={value} becomes an option of {words[0]}; refuse it with a UsageError.")
            parts, kept = value.split(), any(value in word for word in words)
            if len(parts) > 1 and ((set(parts) <= set(words) and not kept) or value in (command.stdin or "")):
                fail_check(f"{line}: -o {key}={value!r:.30} becomes several words; keep it one element of argv.")
        given = [word for command in planned.commands for word in command.argv if value and value in str(word)]
        return bool(given)

    def _attempt_name(
        self, what: str, attachment: Attachment, guest: Guest = GUEST, facts: Facts | None = None
    ) -> Planned | None:
        """Return the plan, or None when it is refused as it should be."""
        try:
            return self.plan(attachment, guest=guest, facts=facts)
        except PipeworkError as error:
            refuse_rambling(error, what)
        except Exception as error:  # noqa: BLE001 - as above
            fail_check(f"{what}: planning raised {error!r:.80}; refuse what cannot be with a UsageError.")
        return None

    def _check_same(  # noqa: PLR0913 - what may be hostile
        self,
        line: str,
        plain: Attachment,
        hostile: Attachment,
        old: str,
        word: str,
        *,
        guest: Guest = GUEST,
        facts: Facts | None = None,
    ) -> None:
        """Fail unless both requests make commands of as many words, and `word` stands for `old`."""
        usual, odd = (
            self._attempt_name(line, plain),
            self._attempt_name(f"{line} with {word!r:.30}", hostile, guest, facts),
        )
        if usual is None or odd is None:
            return
        for one, other in zip(usual.commands, odd.commands, strict=False):
            if len(one.argv) != len(other.argv):
                fail_check(
                    f"{line}: with {word!r:.30} `{one}` becomes {list(other.argv)}; keep a name one element of argv."
                )
            if any(here == old and there != word for here, there in zip(one.argv, other.argv, strict=True)):
                fail_check(f"{line}: {word!r:.30} does not arrive in {list(other.argv)}; hand names on as they are.")
            if word != "*" and word.strip() and word in (other.stdin or "") and word not in (one.stdin or ""):
                fail_check(
                    f"{line}: {word!r:.30} is handed over in stdin, where tools split words; write it into argv."
                )
