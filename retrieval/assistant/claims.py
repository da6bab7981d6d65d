"""Is each value said of its own material, property, method and phase?

For every placeholder the nearest word before it decides, unless a list pairs several with several in order, or the
word follows at once (`{{a}} for BaTiO3`). A sentence that names no material goes on speaking of the last one named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from . import mentions
from .ledger import Entry, Ledger
from .mentions import Mention
from .sentences import Sentence
from .several import several
from .tokens import Token

_JOINING = several(", and or the both as well of for to versus against with its their")
_LINKS = several("for in of ( as from")
_METHOD_LINKS = several("( with by using from in for") | {""}
_CONTRAST = several(
    "unlike compared instead rather like resembles resembling resemble similar contrast opposed akin mimics matches"
)
_LINKING = several(
    "of is are was were at : reaches amounts to has for in the equals about by after it them this"
)
_NEW_CLAUSE = several("than and while whereas but , ; versus against")
_ARTICLES = several("the a an its")
_SMALL = several(
    """
    is are was were of for in at about the a an and or with to from by its their that this both reaches reach amounts
    equals lies value values record records recorded listed list lists on respectively as given gives give has have
    phase polymorph compound one polar cubic tetragonal orthorhombic monoclinic hexagonal rhombohedral trigonal
    triclinic wurtzite perovskite rutile level functional hybrid while whereas versus than larger smaller lower higher
    compared per atom retrieved found only roughly approximately around but according calculated computed
    best silicon it shows same also
    """
)
_IT_DOES = several(
    "has is was shows exhibits also lies sits amounts reaches offers combines contains carries gives possesses can could"
)
_SINGULAR = several("it its itself")


def claim_problems(found: Sequence[Sentence], ledger: Ledger) -> Iterator[str]:
    """One sentence for each value that is said of something else than its own.

    Args:
        found: The answer.
        ledger: What was retrieved.
    """
    formulas = {ref: entry.formula for ref, entry in ledger.materials().items()}
    elemental = mentions.elemental(ledger)
    context: list[Mention] = []
    heading: list[Mention] = []
    for sentence in found:
        tokens = sentence.tokens
        plainly = _merged(tokens, mentions.materials(tokens, elemental), formulas)
        named = _with_references(tokens, plainly, context)
        yield from _materials(tokens, named, context, formulas)
        said = mentions.properties(tokens)
        yield from _attributes(tokens, "property", said or heading, _has_property, lead=not said)
        yield from _attributes(tokens, "method", mentions.methods(tokens), _has_method)
        taken_up = _taken_up(tokens, plainly, context)
        said_phases = mentions.phases(tokens)
        others = [mention for mention in named if not _described(tokens, mention, said_phases)]
        phases = [*said_phases, *(replace(mention, fits=_anything) for mention in (*taken_up, *others))]
        yield from _attributes(tokens, "phase", sorted(phases, key=lambda m: m.at), _has_phase)
        if sentence.heading:
            heading = said
        elif not tokens or said:
            heading = []
        context = [*named, *_owners(tokens)] or context


def named_places(found: Sequence[Sentence]) -> frozenset[int]:
    """Offsets of the placeholders whose property is said plainly beside them, so that no label need repeat it."""
    named: set[int] = set()
    heading: list[Mention] = []
    for sentence in found:
        tokens = sentence.tokens
        said = mentions.properties(tokens)
        for i in sentence.places:
            behind = _link_behind(tokens, i, said, _LINKS | {""})
            before = [mention for mention in said if mention.last < i]
            near = [behind] if behind else [m for m in (before or heading) if _plainly(tokens, m, i, before)]
            if any(mention.exact and mention.fits(entry) for mention in near if (entry := tokens[i].entry)):
                named.add(tokens[i].start)
        if said or sentence.heading:
            heading = said if sentence.heading else []
    return frozenset(named)


def _plainly(tokens: Sequence[Token], mention: Mention, i: int, before: list[Mention]) -> bool:
    """Whether nothing but names, values and small words stands between a property and a placeholder."""
    start = mention.last + 1 if before else 0
    return all(t.kind != "word" or t.lower in _SMALL for t in tokens[start:i])


def _merged(tokens: Sequence[Token], named: list[Mention], formulas: dict[str, str]) -> list[Mention]:
    """`HfO2 (mp-352)` is one mention, of the record."""
    found: list[Mention] = []
    for mention in named:
        last = found[-1] if found else None
        if last is not None and last.formula and mention.ref and mention.formula is None:
            between = tokens[last.last + 1 : mention.at]
            same = mentions.composition(formulas.get(mention.ref, "")) == last.formula
            if (
                same
                and len(between) <= 5
                and between
                and all(t.text in ("(", ",", "-") or t.kind == "word" for t in between)
            ):
                found[-1] = replace(mention, at=last.at, text=last.text)
                continue
        found.append(mention)
    return found


def _owners(tokens: Sequence[Token]) -> list[Mention]:
    """The materials that placeholders of a sentence belong to: what follows may speak of them."""
    return [
        Mention(i, i, t.entry.formula, lambda entry, ref=t.entry.ref: entry.ref == ref, ref=t.entry.ref)
        for i, t in enumerate(tokens)
        if t.entry and t.entry.formula
    ]


def _with_references(tokens: Sequence[Token], named: list[Mention], context: list[Mention]) -> list[Mention]:
    """`the former` and `the latter` stand for the two materials named last."""
    earlier = list(context)
    added: list[Mention] = []
    for i, token in enumerate(tokens):
        before = tokens[i - 1].lower if i else ""
        if token.lower not in ("former", "latter", "first") or before != "the" or not _subject(tokens, i):
            continue
        pair = [*earlier, *(m for m in named if m.at < i)][-2:]
        fits = pair[-1 if token.lower == "latter" else 0].fits if len(pair) == 2 else _nothing
        added.append(Mention(i, i, f"the {token.text}", fits))
        earlier = pair
    added += _taken_up(tokens, named, context)
    return sorted([*named, *added], key=lambda mention: mention.at)


def _taken_up(tokens: Sequence[Token], named: list[Mention], context: list[Mention]) -> list[Mention]:
    """`it` stands for what its clause began with, not for what that is held against; else for what came before."""
    found = []
    for i, token in enumerate(tokens):
        before = [mention for mention in named if mention.at < i]
        following = tokens[i + 1].lower if i + 1 < len(tokens) else ""
        subject = token.lower == "its" or (token.lower == "it" and following in _IT_DOES)
        if not subject or not before:
            continue
        spoken_of = [
            mention for mention in _last_clause(tokens, before, i) if not _contrasted(tokens, mention)
        ]
        if spoken_of:
            found.append(replace(spoken_of[0], at=i, last=i))
        elif context:
            found.append(Mention(i, i, token.text, lambda entry: any(m.fits(entry) for m in context)))
    return found


def _last_clause(tokens: Sequence[Token], before: list[Mention], i: int) -> list[Mention]:
    """Mentions of the clause that a pronoun stands in, or of the one before it."""
    breaks = [k for k, token in enumerate(tokens[:i]) if token.text == ";"]
    for start in (*reversed(breaks), -1):
        found = [mention for mention in before if mention.at > start]
        if found:
            return found
    return before


def _subject(tokens: Sequence[Token], i: int) -> bool:
    following = tokens[i + 1].lower if i + 1 < len(tokens) else ""
    return following in ("has", "is", "shows", "at", "with", "having", ",", "reaches", "lies", "gives", "one")


def _described(tokens: Sequence[Token], mention: Mention, phases: Sequence[Mention]) -> bool:
    """Whether a material goes on with the phase said before it: `cubic BaTiO3`, `cubic BaTiO3 (mp-2998)`."""
    before = [k for k in range(max(0, mention.at - 3), mention.at) if tokens[k].text not in (",", ")", ";")]
    return any(phase.at in before for phase in phases)


def _anything(entry: Entry) -> bool:
    return True


def _nothing(entry: Entry) -> bool:
    return False


def _materials(
    tokens: Sequence[Token], named: list[Mention], context: list[Mention], formulas: dict[str, str]
) -> Iterator[str]:
    places = [
        i
        for i, t in enumerate(tokens)
        if t.entry and t.entry.formula and t.entry.field not in ("formula", "target")
    ]
    if not places:
        return
    for i, mention in _misplaced(tokens, places, named, links=_LINKS):
        yield _wrong("material", tokens[i], mention)
    free = [i for i in places if not any(m.at < i for m in named)]
    if "respectively" in {t.lower for t in tokens} and len(free) == len(context) > 1:
        for i, mention in zip(free, context, strict=True):
            entry = tokens[i].entry
            if entry and not mention.fits(entry):
                yield _wrong("material", tokens[i], mention)
    for i in free:
        if _link_behind(tokens, i, named, _LINKS):
            continue
        entry = tokens[i].entry
        following = next((m for m in named if m.at > i), None)
        refers = any(t.lower in _SINGULAR for t in tokens)
        if following and not refers:
            if entry and not following.fits(entry):
                yield _wrong("material", tokens[i], following)
        elif context and entry and not _spoken_of(entry, context, formulas):
            yield _wrong("material", tokens[i], context[-1])


def _spoken_of(entry: Entry, context: list[Mention], formulas: dict[str, str]) -> bool:
    """Whether the sentence before names the material; of several polymorphs, the one it names by id."""
    polymorphs = {m.ref for m in context if m.ref and formulas.get(m.ref) == entry.formula}
    if polymorphs:
        return entry.ref in polymorphs
    return any(mention.fits(entry) for mention in context)


def _attributes(
    tokens: Sequence[Token], what: str, said: list[Mention], has: Callable[[Entry], bool], lead: bool = False
) -> Iterator[str]:
    places = [i for i, t in enumerate(tokens) if t.entry and has(t.entry)]
    if not places or not said:
        return
    if lead:
        for i in places:
            entry = tokens[i].entry
            if entry and not any(m.fits(entry) for m in said) and entry.kind == "property":
                yield _wrong(what, tokens[i], said[-1])
        return
    links = {"property": _LINKS | {""}, "method": _METHOD_LINKS}.get(what, _LINKS | {""})
    for i, mention in _misplaced(tokens, places, said, links):
        entry = tokens[i].entry
        if entry and entry.kind != "property" and not _close(tokens, mention, i):
            continue
        yield _wrong(what, tokens[i], mention)


def _has_property(entry: Entry) -> bool:
    return entry.kind in ("property", "search", "recipe") or entry.field in (
        "nsites",
        "nelements",
        "spacegroup_number",
    )


def _has_method(entry: Entry) -> bool:
    return entry.kind == "property"


def _has_phase(entry: Entry) -> bool:
    return entry.spacegroup_number is not None and entry.field not in ("formula",)


def _close(tokens: Sequence[Token], mention: Mention, i: int) -> bool:
    """Whether only a verb or preposition stands between a word and a placeholder."""
    between = tokens[mention.last + 1 : i]
    return len(between) <= 4 and all(t.kind == "name" or t.lower in _LINKING for t in between)


def _misplaced(
    tokens: Sequence[Token], places: Sequence[int], said: Sequence[Mention], links: frozenset[str]
) -> Iterator[tuple[int, Mention]]:
    """Placeholders whose deciding word does not fit, each with that word."""
    paired = _paired(tokens, places, said)
    linked = {i: m for i in places if (m := _link_behind(tokens, i, said, links))}
    for i, mention in linked.items():
        entry = tokens[i].entry
        if entry and not mention.fits(entry):
            yield i, mention
        led = next((m for m in reversed(said) if m.last < i and m is not mention), None)
        if entry and led and not led.fits(entry) and mention.at == i + 1 and _close(tokens, led, i):
            yield i, led
    consumed = {id(mention) for mention in linked.values()}
    rest = [i for i in places if i not in linked and i not in paired]
    free = [mention for mention in said if id(mention) not in consumed]
    led = [i for i in rest if any(mention.at < i for mention in free)]
    for run, values in (*_runs(led, free), *_runs([i for i in rest if i not in led], said)):
        yield from _unpaired(tokens, run, values)


def _paired(tokens: Sequence[Token], places: Sequence[int], said: Sequence[Mention]) -> set[int]:
    """Placeholders that follow several words in their order: `more than GaN ({{a}} against {{b}})`."""
    found: set[int] = set()
    for run, values in _runs(places, said):
        entries = [entry for i in values if (entry := tokens[i].entry)]
        telling = [mention for mention in run if mention.fits is not _anything]
        if len(values) > 1 and len(telling) > 1 and _in_order(telling, entries):
            found.update(values)
    return found


def _link_behind(
    tokens: Sequence[Token], i: int, said: Sequence[Mention], links: frozenset[str]
) -> Mention | None:
    """What is linked to a placeholder from behind, as in `{{a}} for the cubic phase`."""
    j, link = i + 1, ""
    if j < len(tokens) and tokens[j].lower in links:
        link, j = tokens[j].lower, j + 1
    if link not in links:
        return None
    while (
        link and j < len(tokens) and (tokens[j].lower in _ARTICLES or mentions.phase_groups(tokens[j].lower))
    ):
        if any(mention.at == j for mention in said):
            break
        j += 1
    mention = next((m for m in said if m.at == j), None)
    if mention is None:
        return None
    following = tokens[mention.last + 1].lower if mention.last + 1 < len(tokens) else ""
    return None if following in (":", "has", "is", "at", "with", "shows") and link in ("(", "") else mention


def _runs(places: Sequence[int], said: Sequence[Mention]) -> Iterator[tuple[list[Mention], list[int]]]:
    """Words without a placeholder between them, and the placeholders up to the next word."""
    marks: list[tuple[int, int | Mention]] = [(i, i) for i in places]
    marks += [(mention.at, mention) for mention in said]
    run: list[Mention] = []
    values: list[int] = []
    for _, mark in sorted(marks, key=lambda pair: pair[0]):
        if isinstance(mark, int):
            values.append(mark)
            continue
        if values:
            if run:
                yield run, values
            run, values = [], []
        run.append(mark)
    if run and values:
        yield run, values


def _unpaired(
    tokens: Sequence[Token], run: list[Mention], values: list[int]
) -> Iterator[tuple[int, Mention]]:
    entries = [entry for i in values if (entry := tokens[i].entry)]
    joined = _list_at_the_end(tokens, run)
    decider = next((m for m in reversed(run) if not _contrasted(tokens, m)), run[-1])
    nearest = [entry for entry in entries if not decider.fits(entry)]
    if len(values) > 1 and len(run) > 1:
        if _in_order(joined if len(joined) > 1 else run, entries):
            return
        strangers = [mention for mention in joined if not all(map(mention.fits, entries))]
        if len(joined) > 1 and strangers:
            yield values[0], strangers[0]
            return
    if nearest:
        yield values[entries.index(nearest[0])], decider


def _contrasted(tokens: Sequence[Token], mention: Mention) -> bool:
    """Whether a word stands there for comparison only: `unlike GaN`, `is that of GaN`."""
    before = [token.lower for token in tokens[max(0, mention.at - 4) : mention.at]]
    if any(word in _CONTRAST for word in before[-3:]):
        return True
    return (
        before[-2:] == ["that", "of"]
        and before[:1] != ["and"]
        and not any(w in _NEW_CLAUSE for w in before[:2])
    )


def _list_at_the_end(tokens: Sequence[Token], run: list[Mention]) -> list[Mention]:
    """The last words of a run that are joined by commas and `and`."""
    joined = [run[-1]]
    for before, after in zip(reversed(run[:-1]), reversed(run), strict=False):
        between = tokens[before.last + 1 : after.at]
        if not between or not all(t.lower in _JOINING for t in between):
            break
        joined.insert(0, before)
    return joined


def _in_order(run: list[Mention], entries: list[Entry]) -> bool:
    """Whether values follow words in their order: a b a b, or a a b b."""
    n, m = len(run), len(entries)
    if m % n:
        return False
    around = all(run[i % n].fits(entry) for i, entry in enumerate(entries))
    blocks = all(run[i // (m // n)].fits(entry) for i, entry in enumerate(entries))
    return around or blocks


def _wrong(what: str, token: Token, mention: Mention) -> str:
    entry = token.entry
    own = ""
    if entry is not None:
        own = {
            "material": f"{entry.formula} ({entry.ref})",
            "property": entry.field,
            "method": entry.method or "no method",
            "phase": f"space group {entry.spacegroup_number}",
        }[what]
    return f"{token.text} is of {own}, but the text says it of {mention.text!r}: name its own {what} just before it."
