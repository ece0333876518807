//! The captions of fields: the words printed beside or above them, where a PDF contains its text.
//!
//! Words that follow each other on a line are a phrase. A phrase is a field's caption if no other field lies between them: before
//! it, above it, after a tick box, below a line to write on. In a table it is the row's phrase and the column's.

use super::fields::Shape;
use formread_page::pdf::TextWord;
use formread_raster::geometry::Rect;

/// Longest gap between words of one phrase, and between the dots of a leader, in heights of a capital.
const MAX_WORD_GAP: f64 = 2.2;
const MAX_LEADER_GAP: f64 = 3.5;
/// Smallest overlap of words of one line, as a share of the lower one.
const MIN_LEVEL: f64 = 0.5;
/// How far a caption may reach into its field, millimetres.
const MAX_INTO_MM: f64 = 1.0;
/// Farthest caption before a field, above or below it, and beside a tick box, millimetres.
const MAX_BEFORE_MM: f64 = 30.0;
const MAX_ABOVE_MM: f64 = 6.0;
const MAX_BESIDE_TICK_MM: f64 = 5.0;
/// Farthest caption before the first cell of a row of a table, millimetres: its cell is wider than it is.
const MAX_BEFORE_ROW_MM: f64 = 90.0;
/// A caption this near above a field is its own even if there are words before the field, millimetres.
const CLOSE_MM: f64 = 2.0;
/// Farthest phrase before the number of an item, millimetres.
const MAX_BEFORE_NUMBER_MM: f64 = 60.0;
/// Largest gap between lines of one caption, in heights of a capital.
const MAX_LINE_GAP: f64 = 0.9;
/// Most lines of a caption above a field.
const MAX_LINES: usize = 3;
/// Fields whose sides differ by less are in one row or column, millimetres.
const SAME_MM: f64 = 1.2;

/// A field whose caption is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub bounds: Rect,
    pub shape: Shape,
}

/// What is printed beside a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Caption {
    /// The number of its item on the form, `2a`, where it is printed beside the field.
    pub number: Option<String>,
    /// Words with spaces between them, without leaders.
    pub text: String,
}

/// Words of one line.
#[derive(Debug, Clone, PartialEq)]
struct Phrase {
    text: String,
    /// With the leader after it.
    bounds: Rect,
    height: f64,
}

/// The captions of `places`, in their order. `words` have the coordinates of the places.
pub(super) fn find_captions(words: &[TextWord], places: &[Place]) -> Vec<Option<Caption>> {
    let search = Search { phrases: phrases(words, places), places };
    let captions: Vec<Option<Caption>> = (0..places.len()).map(|idx| search.caption(idx)).collect();
    search.with_questions(captions)
}

/// Joins words to phrases. A field ends a phrase.
fn phrases(words: &[TextWord], places: &[Place]) -> Vec<Phrase> {
    let mut sorted: Vec<&TextWord> = words.iter().filter(|word| word.bounds.height() > 0.0).collect();
    sorted.sort_by(|a, b| a.bounds.x0.total_cmp(&b.bounds.x0));
    let mut phrases: Vec<Phrase> = Vec::new();
    for TextWord { text, bounds } in sorted {
        let is_leader = !text.chars().any(|c| c.is_alphanumeric() || "$%#\u{20ac}\u{a3}".contains(c));
        let follows = |phrase: &&mut Phrase| {
            let gap = bounds.x0 - phrase.bounds.x1;
            let height = phrase.height.min(bounds.height());
            let max_gap = if is_leader { MAX_LEADER_GAP } else { MAX_WORD_GAP };
            let between = Rect::from_edges(
                phrase.bounds.x1.min(bounds.x0),
                bounds.y0,
                phrase.bounds.x1.max(bounds.x0),
                bounds.y1,
            );
            is_level(phrase.bounds, *bounds)
                && (-height..=max_gap * height).contains(&gap)
                && !places.iter().any(|place| overlap_x(place.bounds, between) > 0.0 && is_level(place.bounds, *bounds))
        };
        match phrases.iter_mut().rev().find(follows) {
            Some(phrase) if is_leader => phrase.bounds.x1 = phrase.bounds.x1.max(bounds.x1),
            Some(phrase) => {
                phrase.text = format!("{} {text}", phrase.text);
                phrase.bounds = phrase.bounds.union(*bounds);
                phrase.height = phrase.height.max(bounds.height());
            }
            None if is_leader => {}
            None => phrases.push(Phrase { text: text.clone(), bounds: *bounds, height: bounds.height() }),
        }
    }
    phrases.sort_by(|a, b| a.bounds.y1.total_cmp(&b.bounds.y1).then(a.bounds.x0.total_cmp(&b.bounds.x0)));
    phrases
}

struct Search<'a> {
    /// From top to bottom.
    phrases: Vec<Phrase>,
    places: &'a [Place],
}

impl Search<'_> {
    fn caption(&self, idx: usize) -> Option<Caption> {
        let Place { bounds, shape } = self.places[idx];
        let after = self.after(bounds, MAX_BESIDE_TICK_MM).filter(|_| shape.is_mark());
        if after.is_none() && self.is_in_table(idx) {
            return self.table_caption(idx);
        }
        if shape.is_mark() {
            let beside = after.or_else(|| self.before(bounds, MAX_BESIDE_TICK_MM));
            let text = beside.map(|phrase| phrase.text.clone());
            return text.or_else(|| self.above(bounds)).or_else(|| self.below(bounds)).map(Caption::of);
        }
        let above = self.above(bounds);
        let is_own =
            |p: &&Phrase| bounds.y0 - p.bounds.y1 <= CLOSE_MM && (p.bounds.x0 - bounds.x0).abs() <= 3.0 * SAME_MM;
        let has_own = self.phrases_above(bounds).iter().any(is_own);
        let before = || self.caption_before(bounds, MAX_BEFORE_MM);
        let found = if has_own { above.map(Caption::of) } else { before().or_else(|| above.map(Caption::of)) };
        found.or_else(|| self.below(bounds).filter(|_| shape == Shape::Line).map(Caption::of))
    }

    /// The phrases before a field in its row, joined from top to bottom; or the number of its item and the phrase before that.
    fn caption_before(&self, bounds: Rect, max_mm: f64) -> Option<Caption> {
        let nearest = self.before(bounds, max_mm)?;
        if let Some(number) = item_number(&nearest.text) {
            // a box to tick may be part of the sentence
            let fields = self.places.iter().copied().filter(|place| !place.shape.is_mark()).collect::<Vec<_>>();
            let text = Search { phrases: self.phrases.clone(), places: &fields };
            let text = text.before(nearest.bounds, MAX_BEFORE_NUMBER_MM).map_or("", |phrase| &phrase.text);
            return Some(Caption { text: without_number(text, &number).to_owned(), number: Some(number) });
        }
        let lines = self.phrases.iter().filter(|phrase| {
            let near = phrase.bounds.x1 <= bounds.x0 + MAX_INTO_MM && overlap_x(phrase.bounds, nearest.bounds) > 0.0;
            near && is_within_row(phrase.bounds, bounds) && !self.is_parted(phrase.bounds, bounds)
        });
        let mut lines: Vec<&Phrase> = lines.collect();
        while let Some(next) = self.phrases.iter().find(|next| self.is_continued(next, lines[0])) {
            lines.insert(0, next);
        }
        let text = lines.iter().map(|phrase| phrase.text.as_str()).collect::<Vec<_>>().join(" ");
        Some(Caption::of(text))
    }

    /// Whether a phrase goes on in the line `below` and belongs to no other field.
    fn is_continued(&self, phrase: &Phrase, below: &Phrase) -> bool {
        let gap = below.bounds.y0 - phrase.bounds.y1;
        (0.0..=MAX_LINE_GAP * below.height).contains(&gap)
            && (phrase.height - below.height).abs() <= 0.1 * below.height
            && (phrase.bounds.x0 - below.bounds.x0).abs() <= SAME_MM
            && !self
                .places
                .iter()
                .any(|place| is_within_row(phrase.bounds, place.bounds) && place.bounds.x0 > phrase.bounds.x0)
    }

    /// The nearest phrase before a place in its row.
    fn before(&self, bounds: Rect, max_mm: f64) -> Option<&Phrase> {
        let gap = |phrase: &Phrase| bounds.x0 - phrase.bounds.x1;
        let is_before = |phrase: &&Phrase| {
            (-MAX_INTO_MM..=max_mm).contains(&gap(phrase))
                && phrase.bounds.x0 < bounds.x0
                && is_within_row(phrase.bounds, bounds)
                && !self.is_parted(phrase.bounds, bounds)
        };
        self.phrases.iter().filter(is_before).min_by(|a, b| gap(a).total_cmp(&gap(b)))
    }

    fn after(&self, bounds: Rect, max_mm: f64) -> Option<&Phrase> {
        let gap = |phrase: &Phrase| phrase.bounds.x0 - bounds.x1;
        let is_after = |phrase: &&Phrase| {
            (-MAX_INTO_MM..=max_mm).contains(&gap(phrase))
                && is_within_row(phrase.bounds, bounds)
                && !self.is_parted(phrase.bounds, bounds)
        };
        self.phrases.iter().filter(is_after).min_by(|a, b| gap(a).total_cmp(&gap(b)))
    }

    /// The phrases of the nearest line above a place, from left to right.
    fn phrases_above(&self, bounds: Rect) -> Vec<&Phrase> {
        let gap = |phrase: &Phrase| bounds.y0 - phrase.bounds.y1;
        let is_above = |phrase: &&Phrase| {
            (-MAX_INTO_MM..=MAX_ABOVE_MM).contains(&gap(phrase))
                && phrase.bounds.y0 < bounds.y0
                && is_in_column(phrase.bounds, bounds)
                && !self.is_parted(phrase.bounds, bounds)
        };
        let above: Vec<&Phrase> = self.phrases.iter().filter(is_above).collect();
        let Some(nearest) = above.iter().min_by(|a, b| gap(a).total_cmp(&gap(b))).copied() else { return Vec::new() };
        above.into_iter().filter(|phrase| is_level(phrase.bounds, nearest.bounds)).collect()
    }

    /// The caption above a place: the nearest line, and the lines that it continues.
    fn above(&self, bounds: Rect) -> Option<String> {
        let line = self.phrases_above(bounds);
        let first = line.first()?;
        let mut texts = vec![line.iter().map(|phrase| phrase.text.as_str()).collect::<Vec<_>>().join(" ")];
        let mut below = *first;
        while let [only] = &line[..]
            && texts.len() < MAX_LINES
        {
            let is_next = |phrase: &&Phrase| {
                let gap = below.bounds.y0 - phrase.bounds.y1;
                (0.0..=MAX_LINE_GAP * below.height).contains(&gap)
                    && (phrase.height - below.height).abs() <= 0.1 * below.height
                    && is_in_column(phrase.bounds, bounds)
                    && overlap_x(phrase.bounds, only.bounds) > 0.5 * only.bounds.width().min(phrase.bounds.width())
                    && !self.is_parted(phrase.bounds, bounds)
            };
            let Some(next) = self.phrases.iter().find(is_next) else { break };
            texts.insert(0, next.text.clone());
            below = next;
        }
        Some(texts.join(" "))
    }

    fn below(&self, bounds: Rect) -> Option<String> {
        let gap = |phrase: &Phrase| phrase.bounds.y0 - bounds.y1;
        let is_below = |phrase: &&Phrase| {
            (-MAX_INTO_MM..=MAX_ABOVE_MM).contains(&gap(phrase))
                && is_in_column(phrase.bounds, bounds)
                && !self.is_parted(phrase.bounds, bounds)
        };
        let nearest = self.phrases.iter().filter(is_below).min_by(|a, b| gap(a).total_cmp(&gap(b)))?;
        Some(nearest.text.clone())
    }

    /// Whether another field lies between a phrase and a place.
    fn is_parted(&self, phrase: Rect, place: Rect) -> bool {
        let between = if is_within_row(phrase, place) {
            let (left, right) = if phrase.x0 < place.x0 { (phrase.x1, place.x0) } else { (place.x1, phrase.x0) };
            Rect::from_edges(left.min(right), phrase.y0, right.max(left), phrase.y1)
        } else {
            let (top, bottom) = if phrase.y0 < place.y0 { (phrase.y1, place.y0) } else { (place.y1, phrase.y0) };
            let (left, right) = (phrase.x0.max(place.x0), phrase.x1.min(place.x1));
            Rect::from_edges(left.min(right), top.min(bottom), right.max(left), bottom.max(top))
        };
        let between = between.inflate(-0.1);
        let mut others = self.places.iter().filter(|other| other.bounds != place);
        others.any(|other| other.bounds.intersection(between).is_some())
    }

    /// The fields of the same row and of the same column that follow each other without words between them, with the field.
    fn run(&self, idx: usize, is_row: bool) -> Vec<usize> {
        let own = self.places[idx].bounds;
        let is_near = |a: f64, b: f64| (a - b).abs() <= SAME_MM;
        let is_same = |other: &Rect| match is_row {
            // tick boxes are lower than the cells beside them
            true => (own.y0..own.y1).contains(&other.centre().y) && (other.y0..other.y1).contains(&own.centre().y),
            false => is_near(other.x0, own.x0) && is_near(other.x1, own.x1),
        };
        let mut run: Vec<usize> = (0..self.places.len()).filter(|i| is_same(&self.places[*i].bounds)).collect();
        let place = |i: &usize| self.places[*i].bounds;
        run.sort_by(
            |a, b| if is_row { place(a).x0.total_cmp(&place(b).x0) } else { place(a).y0.total_cmp(&place(b).y0) },
        );
        let is_joined = |a: &usize, b: &usize| {
            let (a, b) = (place(a), place(b));
            let between = match is_row {
                true => Rect::from_edges(a.x1.min(b.x0), a.y0.max(b.y0), b.x0.max(a.x1), a.y1.min(b.y1)),
                false => Rect::from_edges(a.x0, a.y1.min(b.y0), a.x1, b.y0.max(a.y1)),
            };
            let is_close = is_row || b.y0 - a.y1 <= own.height();
            is_close && !self.phrases.iter().any(|phrase| between.contains(phrase.bounds.centre()))
        };
        let parts: Vec<&[usize]> = run.chunk_by(is_joined).collect();
        parts.into_iter().find(|part| part.contains(&idx)).map_or_else(|| vec![idx], <[usize]>::to_vec)
    }

    fn is_in_table(&self, idx: usize) -> bool {
        self.run(idx, true).len() > 1 && self.run(idx, false).len() > 1
    }

    /// The phrase of the row and that of the column.
    fn table_caption(&self, idx: usize) -> Option<Caption> {
        let (row, column) = (self.run(idx, true), self.run(idx, false));
        let before = row.first().and_then(|first| self.caption_before(self.places[*first].bounds, MAX_BEFORE_ROW_MM));
        let above = column.first().and_then(|first| self.above(self.places[*first].bounds));
        match (before, above) {
            (Some(before), Some(above)) => Some(Caption { text: format!("{} {above}", before.text), ..before }),
            (before, above) => before.or_else(|| above.map(Caption::of)),
        }
    }

    /// Tick boxes with the same caption, such as yes and no, get the phrase before their row, too.
    fn with_questions(&self, captions: Vec<Option<Caption>>) -> Vec<Option<Caption>> {
        let is_repeated = |idx: usize| {
            let same =
                |other: &Option<Caption>| other.as_ref().map(|c| &c.text) == captions[idx].as_ref().map(|c| &c.text);
            captions.iter().filter(|other| same(other)).count() > 1
        };
        let question = |idx: usize| -> Option<String> {
            let own = self.places[idx].bounds;
            let ticks = self.places.iter().filter(|p| p.shape.is_mark() && is_within_row(p.bounds, own));
            let first = ticks.map(|place| place.bounds).min_by(|a, b| a.x0.total_cmp(&b.x0))?;
            self.before(first, MAX_BEFORE_NUMBER_MM).map(|phrase| phrase.text.clone())
        };
        let asked = |(idx, caption): (usize, &Option<Caption>)| {
            let caption = caption.clone()?;
            let is_asked = self.places[idx].shape.is_mark() && is_repeated(idx) && !self.is_in_table(idx);
            let question = question(idx).filter(|question| is_asked && *question != caption.text);
            Some(
                question
                    .map_or(caption.clone(), |asked| Caption { text: format!("{asked} {}", caption.text), ..caption }),
            )
        };
        captions.iter().enumerate().map(asked).collect()
    }
}

impl Caption {
    pub(super) fn of(text: String) -> Self {
        Self { number: None, text }
    }
}

/// The number of an item, if a phrase is nothing else: `7`, `2a`, `12.`.
fn item_number(phrase: &str) -> Option<String> {
    let number = phrase.trim_matches(|c: char| "().:".contains(c));
    let digits = number.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (is_number && number.len() - digits.len() <= 1).then(|| number.to_owned())
}

/// A phrase without the number of its item, or the letter of it, at its beginning.
fn without_number<'a>(mut phrase: &'a str, number: &str) -> &'a str {
    while let Some((first, rest)) = phrase.split_once(' ') {
        if !number.ends_with(first) && item_number(first).is_none() {
            break;
        }
        phrase = rest;
    }
    phrase
}

fn is_level(a: Rect, b: Rect) -> bool {
    a.y1.min(b.y1) - a.y0.max(b.y0) >= MIN_LEVEL * a.height().min(b.height())
}

fn overlap_x(a: Rect, b: Rect) -> f64 {
    a.x1.min(b.x1) - a.x0.max(b.x0)
}

/// Whether a phrase is beside a place, and not above or below it.
fn is_within_row(phrase: Rect, place: Rect) -> bool {
    let middle = phrase.centre().y;
    (place.y0..=place.y1).contains(&middle) || is_level(phrase, place) && phrase.height() > place.height()
}

/// Whether a phrase is above or below a place: most of it, or across the whole of it.
fn is_in_column(phrase: Rect, place: Rect) -> bool {
    let shared = overlap_x(phrase, place.inflate(MAX_INTO_MM));
    shared >= 0.5 * phrase.width() || shared >= place.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of 8 points: each letter is 1.5 mm wide and each capital 2 mm high, on a line at `y`.
    fn line(text: &str, x: f64, y: f64) -> Vec<TextWord> {
        let mut x = x;
        let word = |word: &str| {
            let width = 1.5 * word.chars().count() as f64;
            let bounds = Rect::from_edges(x, y - 2.0, x + width, y);
            x += width + 1.5;
            TextWord { text: word.to_owned(), bounds }
        };
        text.split(' ').map(word).collect()
    }

    fn place(shape: Shape, x: f64, y: f64, width: f64, height: f64) -> Place {
        Place { bounds: Rect::from_xywh(x, y, width, height), shape }
    }

    #[track_caller]
    fn assert_captions(words: Vec<Vec<TextWord>>, places: &[Place], expected: &[&str]) {
        let shown = |caption: Option<Caption>| match caption {
            Some(Caption { number: Some(number), text }) => format!("{number}: {text}"),
            Some(Caption { number: None, text }) => text,
            None => String::new(),
        };
        let found: Vec<String> = find_captions(&words.concat(), places).into_iter().map(shown).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn caption_is_before_above_after_or_below_its_field() {
        let words = vec![
            line("Number of persons . . .", 10.0, 15.0),
            line("Zip code", 80.0, 8.0),
            line("Yes", 16.0, 33.5),
            line("No", 36.0, 33.5),
            line("Total weight", 10.0, 56.0),
        ];
        let places = [
            place(Shape::Box, 50.0, 10.0, 20.0, 7.0),
            place(Shape::Comb, 80.0, 10.0, 30.0, 7.0),
            place(Shape::Mark, 10.0, 30.0, 4.0, 4.0),
            place(Shape::Mark, 30.0, 30.0, 4.0, 4.0),
            place(Shape::Line, 10.0, 45.0, 40.0, 7.0),
            place(Shape::Box, 150.0, 150.0, 30.0, 7.0),
        ];
        assert_captions(words, &places, &["Number of persons", "Zip code", "Yes", "No", "Total weight", ""]);
    }

    #[test]
    fn number_of_item_is_taken_with_the_phrase_before_it() {
        let words = vec![
            line("2a Interest , paid . . .", 10.0, 15.0),
            line("2a", 60.0, 15.0),
            line("b Dividends", 92.0, 15.0),
            line("2b", 120.0, 15.0),
        ];
        let places = [place(Shape::Box, 66.0, 11.0, 20.0, 5.0), place(Shape::Box, 126.0, 11.0, 20.0, 5.0)];
        assert_captions(words, &places, &["2a: Interest paid", "2b: Dividends"]);
    }

    #[test]
    fn caption_in_several_lines_is_joined() {
        let words = vec![
            line("Personal", 10.0, 10.0),
            line("number", 10.0, 13.5),
            line("Date", 70.0, 5.0),
            line("of birth", 70.0, 8.5),
        ];
        let places = [place(Shape::Box, 30.0, 9.0, 30.0, 7.0), place(Shape::Box, 70.0, 9.5, 30.0, 7.0)];
        assert_captions(words, &places, &["Personal number", "Date of birth"]);
    }

    #[test]
    fn table_cell_has_caption_of_row_and_column() {
        let words = vec![
            line("Bread", 40.0, 8.0),
            line("Milk", 70.0, 8.0),
            line("Monday", 10.0, 15.0),
            line("Tuesday", 10.0, 22.0),
        ];
        let cell = |x: f64, y: f64| place(Shape::Box, x, y, 30.0, 7.0);
        let places = [cell(40.0, 10.0), cell(70.0, 10.0), cell(40.0, 17.0), cell(70.0, 17.0)];
        let expected = ["Monday Bread", "Monday Milk", "Tuesday Bread", "Tuesday Milk"];
        assert_captions(words.clone(), &places, &expected);
        // the captions of the rows are at the left of a wide cell
        let further = |r: Rect| Rect::from_edges(r.x0 + 50.0, r.y0, r.x1 + 50.0, r.y1);
        let words = words.concat().into_iter().map(|word| match word.bounds.x0 > 30.0 {
            true => TextWord { bounds: further(word.bounds), ..word },
            false => word,
        });
        let far = places.map(|place| Place { bounds: further(place.bounds), ..place });
        assert_captions(vec![words.collect()], &far, &expected);
    }

    #[test]
    fn repeated_tick_boxes_are_named_by_their_question() {
        let row = |question: &str, y: f64| {
            vec![line(question, 10.0, y + 3.5), line("Yes", 66.0, y + 3.5), line("No", 86.0, y + 3.5)]
        };
        let ticks = |y: f64| [place(Shape::Mark, 60.0, y, 4.0, 4.0), place(Shape::Mark, 80.0, y, 4.0, 4.0)];
        let words = [row("Married", 10.0), row("Employed", 30.0)].concat();
        let places = [ticks(10.0), ticks(30.0)].concat();
        assert_captions(words, &places, &["Married Yes", "Married No", "Employed Yes", "Employed No"]);
    }
}
