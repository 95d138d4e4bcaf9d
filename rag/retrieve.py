"""One ranking from dense search, BM25 and look-up of provisions, each language searched for itself."""

from collections.abc import Iterable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import accumulate, zip_longest
from typing import NamedTuple

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag import crosslingual, glossary
from rag.embed import Embedder
from rag.glossary import Term
from rag.index import Index, Pool, Vectors
from rag.lexical import Options, highest, words
from rag.places import named_in
from rag.provisions import provisions
from rag.text import language_of, normalise
from rag.types import Chunk, Language, Passage

# How deep each list is read before joining. Deeper changed no figure of the evaluation.
CANDIDATES = 60
# Weights against one standard deviation of a cosine, chosen on the development questions and on questions about a statute.
MAIN, CROSSLINGUAL, SENTENCE, LEXICAL, COVERAGE, CONTEXT = 0.8, 0.35, 0.8, 8.0, 1.0, 3.0
# The same of English questions and English passages, where the encoder for English takes over part of what the two say.
MAIN_BESIDE, CROSSLINGUAL_BESIDE, ENGLISH = 0.45, 0.15, 0.45
PROVISION_NAMED, PROVISION_MENTIONED = 3.0, 1.0
# Of a follow-up, how much its own words say of what a sentence must tell.
LAST = 1.0
# How much of what the names of its terms in the other language add to a question is added, before passages and before sentences
# of that language are compared with it.
GLOSS, GLOSS_OF_SENTENCE = 0.5, 1.0
# Of a question with several parts: how much of the whole is in each, as a part may not say what its "it" is; how many passages
# come from the whole before those of the parts, and from each part.
OF_WHOLE, WHOLE, EACH_PART = 0.5, 5, 2
# How much of its own level is taken from a language's scores, and from which ranks the level is read: where many
# passages are near, as in the question's own language, being near says less.
BALANCE, LEVEL = 0.7, slice(5, 20)
# Of so many first places as many go to passages in other languages, the last ones where they did not come first by themselves.
FIRST, SEATS = 10, 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Query:
    """A question made ready to search: its text, its unit vectors (d,), (512,) and (e,), its words and the provisions it names."""

    text: str
    asked: str  # the last of the text's questions, where it leans on those before
    language: Language
    main: Vectors
    plain: Vectors  # (d,), the whole question read as any other text: refusal asks whether that is of the corpus's field
    telling: Vectors  # (d,), nearer to what is asked last: sentences are compared with it
    gloss: Vectors  # (d,), what the names of its terms in the other language, written behind it, add to `main`
    crosslingual: Vectors
    english: Vectors  # (0,) where it is not asked in English
    words: tuple[tuple[str, str], ...]  # (token, word)
    terms: tuple[Term, ...]  # of the glossary
    provisions: tuple[str, ...]
    options: "dict[Pool, Sequence[Options]]" = field(default_factory=dict, repr=False)  # kept as long as the query: see `options`

    def main_towards(self, language: str) -> Vectors:
        """What passages of the language are compared with."""
        if language == self.language:
            return self.main
        towards: Vectors = self.main + GLOSS * self.gloss
        return towards

    def telling_towards(self, language: str) -> Vectors:
        """What sentences of the language are compared with, to choose those that answer."""
        if language == self.language:
            return self.telling
        towards: Vectors = self.telling + GLOSS_OF_SENTENCE * self.gloss
        return towards


class Scored(NamedTuple):
    """A chunk with the parts of its score; `score` is what it is ranked by."""

    pool: Pool
    row: int
    crosslingual_cosine: float
    main: float  # the main encoder's cosine, in standard deviations above its pool's mean
    crosslingual: float  # the crosslingual encoder's, likewise
    english: float  # that by the encoder for English, likewise; 0 but for English passages and questions
    sentence: float  # that of its nearest sentence, likewise
    lexical: float  # BM25 as a share of the best score the query could have
    coverage: float  # share of the query's idf that the chunk and its context hold
    context: float  # share of it that the context alone holds, where it was translated: titles use the words dictionaries have
    provision: float
    score: float

    @property
    def chunk(self) -> Chunk:
        return self.pool.chunks[self.row]


def make_query(question: str, embedder: Embedder, asked: str = "") -> Query:
    """The question normalised, embedded and cut into words; `asked` is its end, where it was put after others."""
    return make_queries(question, (), embedder, asked)[0]


def make_queries(question: str, parts: Sequence[str], embedder: Embedder, asked: str = "") -> list[Query]:
    """The query of a question as from `make_query`, and those of its parts. They are encoded together: that keeps all cores busy."""
    texts = [normalise(text) for text in (question, *parts)]
    languages = [language_of(text) for text in texts]
    used = [tuple(glossary.terms(text, language)) for text, language in zip(texts, languages, strict=True)]
    names = [", ".join(dict.fromkeys(term.name for term in terms)) for terms in used]
    with_names = [f"{text} ({of_terms})" if of_terms else text for text, of_terms in zip(texts, names, strict=True)]
    last = asked or texts[0]
    in_english = [text for text, language in zip(texts, languages, strict=True) if language == "en"]
    with ThreadPoolExecutor(1) as beside:
        others = beside.submit(
            lambda: (crosslingual.encode(texts), embedder.encode_english(in_english), embedder.encode_query(texts[0]))
        )
        encoded = list(dict.fromkeys((*texts, *with_names, last)))
        vectors = dict(zip(encoded, embedder.encode_question(encoded), strict=True))
        between, english, plain = others.result()
    by_english = dict(zip(in_english, english, strict=True))
    queries = [
        Query(
            text=text,
            asked=text,
            telling=vectors[text],
            language=language,
            main=vectors[text],
            plain=plain[0],
            gloss=vectors[named] - vectors[text],
            terms=terms,
            crosslingual=crosswise,
            english=by_english.get(text, np.empty(0, np.float32)),
            words=tuple(dict.fromkeys(words(text))),
            provisions=tuple(provisions(text)),
        )
        for text, language, terms, named, crosswise in zip(texts, languages, used, with_names, between, strict=True)
    ]
    whole, *of_parts = queries
    telling = _unit(whole.main + LAST * vectors[last])
    mixed = [_unit(query.main + OF_WHOLE * whole.main) for query in of_parts]
    return [
        replace(whole, asked=last, telling=telling),
        *(replace(query, main=main, telling=main) for query, main in zip(of_parts, mixed, strict=True)),
    ]


def _unit(vector: Vectors) -> Vectors:
    unit: Vectors = vector / np.linalg.norm(vector)
    return unit


def rank(index: Index, query: Query, only: Language | None = None, among: Set[str] | None = None) -> list[Scored]:
    """All candidates of all languages, best first; a text whose counterpart is in the question's language leaves it to that.

    With `only`, all candidates of that one language; with `among`, ids of documents, these ranked whole and no others.

    Each language is searched for itself. Score = weighted sum of the cosines of chunk and nearest sentence in standard
    deviations, of the share of the ideal BM25 score, of the share of the question's words held at all, and of a bonus for
    provisions. The lexical part is near nothing where the query's words cannot be found or translated, so that it cannot
    push noise above the dense ranking, as rank fusion does.
    """
    found: list[Scored] = []
    for language in [only] if only else dict.fromkeys(pool.language for pool in index.pools.values()):
        pools = {name: pool for name, pool in index.pools.items() if pool.language == language}
        wanted = [name for name in pools if only or not index.mirrors(name, query.language)]
        ranked = {name: _rank_pool(pool, query, among) for name, pool in pools.items()} if wanted else {}
        level = _level(next(iter(ranked.values()), []))  # the corpus's: a visitor's own documents come after it
        found += [
            scored._replace(score=scored.score - level)
            for name in wanted
            for scored in ranked[name]
            if only or language == query.language or not _has_counterpart(index, scored.chunk, query.language)
        ]
    found.sort(key=lambda scored: (-scored.score, scored.chunk.id))
    return _by_turns(found) if len(named_in(query.text)) > 1 else _seated(found, query.language)


def _by_turns(scored: list[Scored]) -> list[Scored]:
    """The ranking with the languages taking turns: of places compared each has its law in its language."""
    languages = dict.fromkeys(entry.pool.language for entry in scored)
    turns = zip_longest(*([entry for entry in scored if entry.pool.language == language] for language in languages))
    return [entry for turn in turns for entry in turn if entry]


def _seated(scored: list[Scored], language: Language) -> list[Scored]:
    """The ranking with at least so many SEATS for other languages among the FIRST: a balance struck over all questions fails some."""
    first, rest = scored[:FIRST], scored[FIRST:]
    own = [entry for entry in first if entry.pool.language == language]
    guests = [entry for entry in rest if entry.pool.language != language][: max(SEATS - (len(first) - len(own)), 0)]
    leaving = own[len(own) - len(guests) :]
    return [
        *(entry for entry in first if entry not in leaving),
        *guests,
        *leaving,
        *(entry for entry in rest if entry not in guests),
    ]


def joined(rankings: Sequence[Sequence[Scored]]) -> list[Scored]:
    """One ranking of a question's own and those of its parts: the best of each part follow the first of its own."""
    whole, *of_parts = rankings
    promoted = [*whole[:WHOLE], *(scored[place] for place in range(EACH_PART) for scored in of_parts if place < len(scored))]
    return list({scored.chunk.id: scored for scored in [*promoted, *whole]}.values()) if of_parts else list(whole)


def _has_counterpart(index: Index, chunk: Chunk, language: Language) -> bool:
    counterpart = index.counterpart(index.documents[chunk.document_id])
    return counterpart is not None and counterpart.language == language


def options(pool: Pool, query: Query) -> Sequence[Options]:
    """What each word and provision of the query is called in the pool's language: itself, or its translations.

    A term of the glossary is called what the glossary calls it there, if the pool has all words of that. Found once: ranking
    asks for it, and then the choice of sentences.
    """
    if pool not in query.options:
        of_terms: dict[str, None] = {}
        left = list(query.words)
        for term in query.terms if pool.language != query.language else ():
            name = next((name for name in term.translations if all(token in pool.lexical for token in name)), ())
            if name and not all(token in pool.lexical for token in term.tokens):
                of_terms |= dict.fromkeys(name)
                left = [pair for pair in left if pair[0] not in term.tokens]
        foreign = [
            (token, word)
            for token, word in left
            if token not in pool.lexical and not token.isdigit() and language_of(word) != pool.language
        ]
        translated = dict(zip(foreign, pool.dictionary.translations([word for _, word in foreign]), strict=True))
        of_words = [translated.get(pair, {pair[0]: 1.0}) for pair in left]
        query.options[pool] = [*of_words, *({token: 1.0} for token in (*of_terms, *query.provisions))]
    return query.options[pool]


def weighed_words(pool: Pool, query: Query) -> list[tuple[float, dict[int, float]]]:
    """For each word of the query its share of the query's idf, and how near the tokens that stand for it are, by BM25 column."""
    asked = options(pool, query)
    weights = pool.lexical.weights(asked)
    return [
        (weight / sum(weights), {column: near for token, near in word.items() for column in pool.lexical.columns([token])})
        for weight, word in zip(weights, asked, strict=True)
    ]


def missed(pool: Pool, query: Query, rows: Iterable[int]) -> list[float]:
    """The shares of the query's idf of those of its words that no sentence of these rows holds."""
    told = frozenset[int]().union(*(held for row in rows for held in pool.sentence_tokens(row)))
    return [weight for weight, columns in weighed_words(pool, query) if told.isdisjoint(columns)]


def share_held(words: Sequence[tuple[float, dict[int, float]]], columns: Set[int]) -> float:
    """The share of the query's idf, 0 to 1, that a text of these BM25 columns holds; `words` as from `weighed_words`."""
    return sum(
        weight * max(word[column] for column in columns & word.keys()) for weight, word in words if not columns.isdisjoint(word)
    )


def _rank_pool(pool: Pool, query: Query, among: Set[str] | None) -> list[Scored]:
    towards = query.main_towards(pool.language)
    mean, deviation = pool.standardise(towards, "main")
    other_mean, other_deviation = pool.standardise(query.crosslingual, "crosslingual")
    sentence_mean, sentence_deviation = pool.standardise(towards, "sentences")
    in_english = query.english.size > 0 and pool.language == query.language
    english_mean, english_deviation = pool.standardise(query.english, "english") if in_english else (0.0, 1.0)
    asked = options(pool, query)
    bm25 = pool.lexical.scores(asked)
    best = highest(bm25, CANDIDATES)
    bonus, of_provision = _provision_bonus(pool, query.provisions)
    if among is None:
        best_by_vector = pool.nearest(MAIN / deviation * towards, CROSSLINGUAL / other_deviation * query.crosslingual, CANDIDATES)
        rows = sorted({*best_by_vector, *(row for row in best if bm25[row] > 0), *of_provision})
    else:
        rows = [row for row, chunk in enumerate(pool.chunks) if chunk.document_id in among]
    if not rows:
        return []
    vectors, other_vectors = pool.vectors(rows)
    ideal = pool.lexical.ideal(asked)
    coverage = pool.lexical.coverage(asked)
    foreign = weighed_words(pool, query) if pool.language != query.language else []
    scored = []
    near_main, near_other = vectors @ towards, other_vectors @ query.crosslingual
    near_english = pool.english_vectors(rows) @ query.english if in_english else np.zeros(len(rows))
    near_sentence = pool.nearest_sentences(rows, towards)
    cosines = zip(near_main, near_other, near_english, near_sentence, strict=True)
    for row, (near, other, third, nearest) in zip(rows, cosines, strict=True):
        parts = {
            "main": (float(near) - mean) / deviation,
            "crosslingual": (float(other) - other_mean) / other_deviation,
            "english": (float(third) - english_mean) / english_deviation,
            "sentence": (float(nearest) - sentence_mean) / sentence_deviation,
            "lexical": float(bm25[row]) / ideal if ideal else 0.0,
            "context": share_held(foreign, pool.context_tokens(row)),
            "provision": float(bonus[row]),
        }
        weighed = SENTENCE * parts["sentence"] + (
            MAIN_BESIDE * parts["main"] + CROSSLINGUAL_BESIDE * parts["crosslingual"] + ENGLISH * parts["english"]
            if in_english
            else MAIN * parts["main"] + CROSSLINGUAL * parts["crosslingual"]
        )
        held = COVERAGE * float(coverage[row]) + CONTEXT * parts["context"]
        score = weighed + LEXICAL * parts["lexical"] + held + parts["provision"]
        parts |= {"crosslingual_cosine": float(other), "coverage": float(coverage[row])}
        scored.append(Scored(pool=pool, row=row, score=score, **parts))
    return scored


def _level(scored: Sequence[Scored]) -> float:
    """What is taken off every score of a language."""
    level = np.sort([entry.score for entry in scored])[::-1][LEVEL]
    return BALANCE * float(level.mean()) if level.size else 0.0


def _provision_bonus(pool: Pool, addresses: Sequence[str]) -> tuple[Vectors, set[int]]:
    """A bonus for each chunk that is (its title or heading says so) or mentions a provision the question names, and the first
    of these: a large collection of laws mentions Article 5 in thousands of chunks, of which the words choose."""
    bonus, of_provision = np.zeros(len(pool.chunks), np.float32), set[int]()
    # A paragraph's address comes with its article's: the paragraph counts once more.
    for address in addresses:
        mentioning = pool.lexical.rows_with(address)
        named = pool.rows_of(address)
        bonus[mentioning] += PROVISION_MENTIONED / len(addresses)
        bonus[named] += (PROVISION_NAMED - PROVISION_MENTIONED) / len(addresses)
        of_provision.update(named)
    return bonus, of_provision


def passages(index: Index, scored: Sequence[Scored], limit: int) -> tuple[Passage, ...]:
    """The first `limit` as passages, ranks from 1. A passage below one that was given its place scores no higher than that."""
    listed = scored[:limit]
    scores = accumulate((entry.score for entry in listed), min)
    return tuple(
        Passage(rank=number, score=score, chunk=entry.chunk, document=index.documents[entry.chunk.document_id])
        for number, (entry, score) in enumerate(zip(listed, scores, strict=True), start=1)
    )


class HybridRetriever(BaseRetriever):
    """The ranking as a LangChain retriever: documents carry the chunk's text, and its place in the metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    embedder: Embedder
    k: int = 10

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[LangChainDocument]:
        scored = rank(self.index, make_query(query, self.embedder))
        return [
            LangChainDocument(
                id=passage.chunk.id,
                page_content=passage.chunk.text,
                metadata={
                    "document_id": passage.document.id,
                    "title": passage.document.title,
                    "language": passage.chunk.language,
                    "start": passage.chunk.start,
                    "end": passage.chunk.end,
                    "score": passage.score,
                },
            )
            for passage in passages(self.index, scored, self.k)
        ]
