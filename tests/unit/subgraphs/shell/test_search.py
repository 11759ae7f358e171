"""Words, phrases, spelling and ranking of a search, without a database."""

import pytest

from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.nutrition.domain.food_name import read_name
from subgraphs.shell.search.phrases import Phrases, query_words
from subgraphs.shell.search.ranking import Named, Reading, score
from subgraphs.shell.search.spelling import corrected, distance, is_doubtful
from subgraphs.shell.search.words import MOST_LETTERS, fold, words_of


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("banana", "Bananas"),
        ("tomato", "tomatoes"),
        ("berry", "berries"),
        ("cookie", "cookies"),
        ("peach", "peaches"),
        ("radish", "radishes"),
        ("loaf", "loaves"),
        ("cheese", "cheeses"),
        ("pie", "pies"),
        ("push up", "push-ups"),
        ("calf raise", "calves raises"),
        ("fly", "flyes"),
        ("hummus", "hummus"),
        ("swiss", "Swiss"),
    ],
)
def test_singular_and_plural_are_one_word(singular: str, plural: str) -> None:
    assert words_of(singular) == words_of(plural)


def test_accents_case_apostrophes_and_signs_make_no_difference() -> None:
    assert words_of("Crème  brûlée, 2% (KELLOGG’S)") == ("creme", "brulee", "2", "kellogg")
    assert words_of("Smørrebrød") == ("smorrebrod",)
    assert words_of("борщ") == words_of("БОРЩ")
    assert words_of(" - / % ") == ()


def test_of_a_word_that_nobody_can_search_for_there_is_the_beginning() -> None:
    """A sign of one letter is six where signs are told apart."""
    (word,) = words_of("\u3316" * 200)
    assert len(word) == MOST_LETTERS
    assert fold("\u3316" * 200).startswith(word)


@pytest.mark.parametrize(
    "text", ["two slices of bread", "a slice of bread", "100 g bread", "1 large slice of bread", "the bread", "bread"]
)
def test_an_amount_in_front_is_no_part_of_the_name(text: str) -> None:
    assert query_words(text) == ("bread",)


def test_a_query_has_at_most_eight_words_and_keeps_its_last_resort() -> None:
    assert len(query_words(" ".join(f"w{number}" for number in range(40)))) == 8
    assert query_words("the of") == ("the", "of")


def test_the_longest_phrase_is_replaced_and_what_was_said_stays_a_reading() -> None:
    phrases = Phrases(["yoghurt = yogurt", "spring onion = scallion | green onion  # British", "", "# nothing"])
    assert phrases.readings(("greek", "yoghurt")) == [("greek", "yoghurt"), ("greek", "yogurt")]
    assert phrases.readings(("spring", "onion")) == [("spring", "onion"), ("scallion",), ("green", "onion")]
    assert phrases.readings(("salt",)) == [("salt",)]


@pytest.mark.parametrize(
    ("left", "right", "errors"),
    [
        ("banana", "bannana", 1),
        ("chedar", "cheddar", 1),
        ("brocolli", "broccoli", 2),
        ("form", "from", 1),
        ("", "ab", 2),
    ],
)
def test_distance_counts_errors_of_typing(left: str, right: str, errors: int) -> None:
    assert distance(left, right) == distance(right, left) == errors


def test_words_are_corrected_cut_and_joined_only_where_that_makes_them_known() -> None:
    known = {"peanut": 9, "butter": 9, "pea": 4, "broccoli": 3, "pineapple": 2, "salmon": 5, "salami": 5}
    near = {"brocolli": ["broccoli"], "salmn": ["salami", "salmon"], "abc": ["butter"]}
    assert corrected(("peanutbutter",), known, near) == ("peanut", "butter")
    assert corrected(("pine", "apple"), known, near) == ("pineapple",)
    assert corrected(("brocolli", "salmn"), known, near) == ("broccoli", "salmon")
    assert corrected(("abc", "quinoa"), known, near) == ("abc", "quinoa")


@pytest.mark.parametrize(
    ("name", "category", "head"),
    [
        ("Fish, salmon, Atlantic, wild, raw", FoodCategory.PROTEIN, "salmon"),
        ("Beverages, carbonated, cola, regular", FoodCategory.BEVERAGE, "carbonated"),
        ("Banana bread", FoodCategory.GRAIN, "banana bread"),
        ("Cheese, cheddar", FoodCategory.DAIRY, "cheddar"),
        ("Macaroni or noodles with cheese", FoodCategory.MEAL, "macaroni"),
        ("Oil, olive, salad or cooking", FoodCategory.FAT, "olive oil"),
        ("Squash, summer, zucchini, includes skin, raw", FoodCategory.VEGETABLE, "zucchini"),
    ],
)
def test_a_name_says_what_the_food_is(name: str, category: FoodCategory, head: str) -> None:
    heads = [words for words, _ in read_name(name, None, category, "USDA_SURVEY").heads]
    assert words_of(head) in heads


def _named(name: str, category: FoodCategory, **more: int) -> Named:
    read = read_name(name, None, category, "USDA_SURVEY")
    return Named(name, read.heads, read.words, read.rank, **more)


def _best(words: str, *things: Named) -> str:
    return max(things, key=lambda each: score(each, [Reading(words_of(words))])).id


def test_what_the_food_is_comes_before_what_is_in_it() -> None:
    banana = _named("Banana, raw", FoodCategory.FRUIT)
    others = (_named("Banana bread", FoodCategory.GRAIN), _named("Yogurt, banana", FoodCategory.DAIRY))
    assert _best("banana", banana, *others) == "Banana, raw"
    assert _best("bananas", *others, banana) == "Banana, raw"
    assert _best("banana bread", banana, *others) == "Banana bread"


def test_the_plain_state_comes_before_the_processed_and_habit_before_both() -> None:
    raw, dried = _named("Apple, raw", FoodCategory.FRUIT), _named("Apple, dried", FoodCategory.FRUIT)
    assert _best("apple", dried, raw) == "Apple, raw"
    assert _best("dried apple", raw, dried) == "Apple, dried"
    assert _best("apple", raw, _named("Apple, dried", FoodCategory.FRUIT, times=5)) == "Apple, dried"


def test_popularity_decides_between_equals_and_no_crowd_outvotes_what_is_meant() -> None:
    once, often = _named("Pear, raw", FoodCategory.FRUIT), _named("Pears, raw", FoodCategory.FRUIT, users=900)
    assert _best("pear", once, often) == "Pears, raw"
    assert _best("pear", once, _named("Pear tart", FoodCategory.SWEET, users=10**9)) == "Pear, raw"


def test_a_maker_is_left_out_and_alone_stands_for_what_it_is_known_for() -> None:
    phrases = Phrases(["porridge = oatmeal"], ["miller = granola bar | muesli", "miller gold = coffee"])
    assert phrases.without_makers(("bread",)) == []
    assert phrases.without_makers(("miller",)) == [[("granola", "bar"), ("muesli",)]] * 2
    assert phrases.without_makers(("miller", "bar"))[0] == [("granola", "bar")]
    assert phrases.without_makers(("miller", "porridge")) == [
        [("porridge",), ("oatmeal",)],
        [("granola", "bar"), ("muesli",)],
    ]
    assert phrases.without_makers(("miller", "gold", "cup"))[0] == [("cup",)]


def test_a_word_that_far_more_names_have_is_meant_though_some_have_the_misspelt_one() -> None:
    known = {"salmonn": 2, "salmon": 631, "sal": 1, "monz": 1}
    assert corrected(("salmonz",), known, {"salmonz": ["salmonn", "salmon"]}) == ("salmon",)
    assert is_doubtful("salmonn", known, ["salmonn", "salmon"])
    assert not is_doubtful("oatly", {"oatly": 40, "oaty": 60}, ["oaty", "oatly"])
    assert not is_doubtful("bread", {"bread": 5}, ["bread"])


def test_plain_letters_are_folded_as_they_are_among_others() -> None:
    plain = "".join(map(chr, range(128)))
    assert fold(plain) == fold(f"{plain}é").removesuffix("e")
