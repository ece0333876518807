//! Rules between a form's fields: `valid = votes_01 + votes_02`, `tax = 0.19 * net within 0.01`,
//! `if children > 0 then allowance > 0`; and between the pages of a document: `income = tax-schedule.total`.

use serde::Serialize;

use super::source::{is_field_name, is_form_name, is_made_of};

/// A relation that the values of a correctly filled form satisfy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// Its text in the template.
    pub text: String,
    /// 1-based line in the template's text; 0 where it is not known.
    #[serde(skip)]
    pub line: usize,
    /// The rule applies only where this holds; `None`: everywhere.
    pub condition: Option<Comparison>,
    /// What must hold.
    pub claim: Comparison,
}

/// Two sums compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Left of the sign.
    pub left: Sum,
    /// The sign.
    pub relation: Relation,
    /// Right of the sign.
    pub right: Sum,
    /// By how much the two may differ, in the fields' unit; 0 or more.
    pub tolerance: f64,
}

/// A sum of fields' values, each times a number, and a constant.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Sum {
    /// Factor and index into the template's fields and, past these, into [`super::FormTemplate::other_fields`].
    pub terms: Vec<(f64, usize)>,
    /// Added to them.
    pub constant: f64,
}

/// Bounds of a number, which may be infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Smallest possible value.
    pub min: f64,
    /// Largest possible value.
    pub max: f64,
}

impl Bounds {
    /// Any number that is not negative.
    pub const NOT_NEGATIVE: Self = Self { min: 0.0, max: f64::INFINITY };
    /// Any number.
    pub const ANY: Self = Self { min: f64::NEG_INFINITY, max: f64::INFINITY };

    /// A known number.
    pub fn exactly(number: f64) -> Self {
        Self { min: number, max: number }
    }
}

/// How the two sides of a rule compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Relation {
    /// `=`
    Equal,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `>`
    More,
}

/// Allowance for rounding of binary fractions; no field has a digit this small.
const ROUNDING: f64 = 1e-6;

impl Rule {
    /// Parses `text`. `field_idx` gives the index of the field of a name.
    ///
    /// Grammar: `[if comparison then] comparison`, a comparison being `sum relation sum [within number]`, a sum terms joined
    /// by `+` and `-`, a term a number, a field, or one times the other with `*`. A field of another form is that form's
    /// name, a point and the field's name, without spaces: `tax-schedule.total`. A form's name may have hyphens, and the
    /// longest one is taken: `a-b.c` is a field of the form `a-b`, `a - b.c` is a difference.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn parse(text: &str, mut field_idx: impl FnMut(&str) -> Option<usize>) -> Result<Self, String> {
        let tokens = tokenise(text)?;
        let (condition, claim) = match tokens.split_first() {
            Some((Token::Name("if"), rest)) => {
                let then = rest.iter().position(|token| *token == Token::Name("then"));
                let then = then.ok_or("it has an if without a then")?;
                (Some(parse_comparison(&rest[..then], &mut field_idx)?), &rest[then + 1..])
            }
            _ => (None, &tokens[..]),
        };
        Ok(Self { text: text.to_owned(), line: 0, condition, claim: parse_comparison(claim, &mut field_idx)? })
    }

    /// The same rule over other indices: the field of each term is replaced by the sum of the fields that `indices` gives.
    /// `None` where it gives none.
    pub fn remap_fields(&self, indices: &dyn Fn(usize) -> Option<Vec<usize>>) -> Option<Self> {
        let condition = match &self.condition {
            Some(condition) => Some(condition.remap_fields(indices)?),
            None => None,
        };
        Some(Self { text: self.text.clone(), line: self.line, condition, claim: self.claim.remap_fields(indices)? })
    }

    /// Whether values satisfy it, where `bounds_of` gives the bounds of the number in a field; `None` where these do not decide.
    pub fn holds(&self, bounds_of: &dyn Fn(usize) -> Bounds) -> Option<bool> {
        match &self.condition {
            Some(condition) if !condition.holds(bounds_of)? => Some(true),
            _ => self.claim.holds(bounds_of),
        }
    }

    /// Indices of the fields that it names, each once, in order of appearance.
    pub fn fields(&self) -> Vec<usize> {
        let comparisons = self.condition.iter().chain([&self.claim]);
        let terms = comparisons.flat_map(|c| c.left.terms.iter().chain(&c.right.terms));
        let mut fields: Vec<usize> = Vec::new();
        for (_, field) in terms {
            if !fields.contains(field) {
                fields.push(*field);
            }
        }
        fields
    }
}

impl Comparison {
    fn remap_fields(&self, indices: &dyn Fn(usize) -> Option<Vec<usize>>) -> Option<Self> {
        let Self { left, relation, right, tolerance } = self;
        let [left, right] = [left.remap_fields(indices)?, right.remap_fields(indices)?];
        Some(Self { left, relation: *relation, right, tolerance: *tolerance })
    }

    /// As [`Rule::holds`]. It often decides from an unknown number's sign alone.
    pub fn holds(&self, bounds_of: &dyn Fn(usize) -> Bounds) -> Option<bool> {
        let (left, right) = (self.left.bounds(bounds_of), self.right.bounds(bounds_of));
        // bounds of left minus right
        let (min, max) = (left.min - right.max, left.max - right.min);
        let slack = self.tolerance + ROUNDING;
        let strict = ROUNDING - self.tolerance;
        let (always, never) = match self.relation {
            Relation::Equal => (min >= -slack && max <= slack, min > slack || max < -slack),
            Relation::AtMost => (max <= slack, min > slack),
            Relation::AtLeast => (min >= -slack, max < -slack),
            Relation::Less => (max < -strict, min >= -strict),
            Relation::More => (min > strict, max <= strict),
        };
        (always || never).then_some(always)
    }
}

impl Sum {
    fn remap_fields(&self, indices: &dyn Fn(usize) -> Option<Vec<usize>>) -> Option<Self> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for &(factor, field) in &self.terms {
            terms.extend(indices(field)?.into_iter().map(|field| (factor, field)));
        }
        Some(Self { terms, constant: self.constant })
    }

    /// Its value, where `value_of` gives the number in a field; `None` where one of them has none.
    pub fn value(&self, value_of: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        self.terms.iter().try_fold(self.constant, |sum, &(factor, field)| Some(sum + factor * value_of(field)?))
    }

    /// Its bounds.
    fn bounds(&self, bounds_of: &dyn Fn(usize) -> Bounds) -> Bounds {
        let terms = self.terms.iter().filter(|(factor, _)| *factor != 0.0);
        terms.fold(Bounds::exactly(self.constant), |sum, &(factor, field)| {
            let Bounds { min, max } = bounds_of(field);
            let (a, b) = (factor * min, factor * max);
            Bounds { min: sum.min + a.min(b), max: sum.max + a.max(b) }
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Number(f64),
    Name(&'a str),
    Plus,
    Minus,
    Times,
    Relation(Relation),
}

fn tokenise(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
        let (token, length) = match first {
            '+' => (Token::Plus, 1),
            '-' => (Token::Minus, 1),
            '*' => (Token::Times, 1),
            '=' => (Token::Relation(Relation::Equal), 1),
            '<' if rest.starts_with("<=") => (Token::Relation(Relation::AtMost), 2),
            '>' if rest.starts_with(">=") => (Token::Relation(Relation::AtLeast), 2),
            '<' => (Token::Relation(Relation::Less), 1),
            '>' => (Token::Relation(Relation::More), 1),
            _ if word > 0 => {
                let length = other_field_length(rest).unwrap_or(word);
                (name_or_number(&rest[..length])?, length)
            }
            other => return Err(format!("it contains an unexpected character: {other}")),
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Length of the name of another form's field that `text` begins with; `None` where there is none, as in `total-2.5`.
fn other_field_length(text: &str) -> Option<usize> {
    let (form, rest) = text.split_once('.')?;
    let field = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
    let is_number = |digits: &str| is_made_of(digits, |b| b.is_ascii_digit());
    let is_difference = is_number(field) && form.rsplit('-').next().is_some_and(is_number);
    (is_form_name(form) && is_field_name(field) && !is_difference).then_some(form.len() + 1 + field.len())
}

/// A number where `word` is made of digits and a point alone, otherwise a name; a name may begin with a digit.
fn name_or_number(word: &str) -> Result<Token<'_>, String> {
    if word.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        let number = word.parse().ok().filter(|number: &f64| number.is_finite());
        return number.map(Token::Number).ok_or_else(|| format!("it has a malformed number: {word}"));
    }
    Ok(Token::Name(word))
}

fn parse_comparison(
    tokens: &[Token<'_>],
    field_idx: &mut impl FnMut(&str) -> Option<usize>,
) -> Result<Comparison, String> {
    let (tokens, tolerance) = match tokens {
        [rest @ .., Token::Name("within"), Token::Number(tolerance)] => (rest, *tolerance),
        _ => (tokens, 0.0),
    };
    let mut signs = tokens.iter().enumerate().filter_map(|(i, token)| match token {
        Token::Relation(relation) => Some((i, *relation)),
        _ => None,
    });
    let (at, relation) = signs.next().ok_or("it has none of =, <=, >=, <, >")?;
    if signs.next().is_some() {
        return Err("it has more than one of =, <=, >=, <, >".into());
    }
    let (left, right) = (parse_sum(&tokens[..at], field_idx)?, parse_sum(&tokens[at + 1..], field_idx)?);
    Ok(Comparison { left, relation, right, tolerance })
}

fn parse_sum(tokens: &[Token<'_>], field_idx: &mut impl FnMut(&str) -> Option<usize>) -> Result<Sum, String> {
    let mut field = |name: &str| field_idx(name).ok_or_else(|| format!("it names an unknown field: {name}"));
    let mut sum = Sum::default();
    let mut rest = tokens;
    let mut is_first = true;
    loop {
        let sign = match rest.first() {
            Some(Token::Plus) if !is_first => 1.0,
            Some(Token::Minus) => -1.0,
            Some(_) if is_first => 1.0,
            None if !is_first => return Ok(sum),
            None => return Err("one of its sides is empty".into()),
            Some(_) => return Err("it lacks a + or - between two terms".into()),
        };
        if !is_first || rest.first() == Some(&Token::Minus) {
            rest = &rest[1..];
        }
        rest = match rest {
            [Token::Number(factor), Token::Times, Token::Name(name), rest @ ..]
            | [Token::Name(name), Token::Times, Token::Number(factor), rest @ ..] => {
                sum.terms.push((sign * factor, field(name)?));
                rest
            }
            [_, Token::Times, ..] => return Err("only a number and a field can be multiplied".into()),
            [Token::Name(name), rest @ ..] => {
                sum.terms.push((sign, field(name)?));
                rest
            }
            [Token::Number(number), rest @ ..] => {
                sum.constant += sign * number;
                rest
            }
            _ => return Err("it lacks a field or a number after a sign".into()),
        };
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["total", "a", "1b"];

    fn parse(text: &str) -> Result<Rule, String> {
        Rule::parse(text, |name| NAMES.iter().position(|n| *n == name))
    }

    #[test]
    fn parse_reads_sums_differences_and_products() {
        let rule = parse("total = a - 1b*0.5+ 2 * a - 7").expect("it is well formed");
        let Comparison { left, relation, right, tolerance } = &rule.claim;
        assert_eq!((relation, *tolerance), (&Relation::Equal, 0.0));
        assert_eq!(*left, Sum { terms: vec![(1.0, 0)], constant: 0.0 });
        assert_eq!(*right, Sum { terms: vec![(1.0, 1), (-0.5, 2), (2.0, 1)], constant: -7.0 });
        assert_eq!(right.value(|field| [None, Some(10.0), Some(4.0)][field]), Some(21.0));
        assert_eq!(left.value(|_| None), None);
        assert_eq!(rule.fields(), [0, 1, 2]);
    }

    #[test]
    fn parse_field_of_another_form_keeps_its_form() {
        /// The right side, and the names and numbers in it.
        struct Case(&'static str, &'static [&'static str], f64);
        for Case(text, names, constant) in [
            Case("b-1.x", &["b-1.x"], 0.0),
            Case("c1-2019.total-2.5", &["c1-2019.total"], -2.5),
            Case("a - b.c - 1", &["a", "b.c"], -1.0),
            Case("a-b.c", &["a-b.c"], 0.0),
            Case("2*b.c+a_1-b.1b", &["b.c", "a_1", "b.1b"], 0.0),
            Case("a-b.1 - b.1", &["a-b.1", "b.1"], 0.0),
            Case("total-2.5", &["total"], -2.5),
            Case("total-2.5*b", &["total", "b"], 0.0),
        ] {
            let mut found: Vec<String> = Vec::new();
            let rule = Rule::parse(&format!("{text} = 0"), |name| {
                found.push(name.to_owned());
                Some(found.len() - 1)
            });
            let rule = rule.expect(text);
            assert_eq!(
                (found, rule.claim.left.constant),
                (names.iter().map(|&n| n.to_owned()).collect(), constant),
                "{text}"
            );
        }
    }

    #[test]
    fn remap_fields_to_several_takes_their_sum() {
        let rule = parse("if a > 1 then total = 2 * 1b - 3").expect("it is well formed");
        let over =
            rule.remap_fields(&|field| Some([vec![4], vec![0], vec![1, 2, 3]][field].clone())).expect("all are there");
        assert_eq!(over.fields(), [0, 4, 1, 2, 3]);
        assert_eq!(over.holds(&|field| Bounds::exactly([2.0, 10.0, 20.0, 0.5, 58.0][field])), Some(true));
        assert_eq!(over.holds(&|field| Bounds::exactly([2.0, 10.0, 20.0, 1.5, 58.0][field])), Some(false));
        assert_eq!(rule.remap_fields(&|field| (field != 2).then(|| vec![field])), None);
    }

    #[test]
    fn parse_reads_every_relation() {
        for (sign, relation) in [
            ("=", Relation::Equal),
            ("<=", Relation::AtMost),
            (">=", Relation::AtLeast),
            ("<", Relation::Less),
            (">", Relation::More),
        ] {
            assert_eq!(parse(&format!("-a {sign} 3")).map(|rule| rule.claim.relation), Ok(relation));
        }
    }

    #[test]
    fn holds_is_decided_by_the_bounds() {
        /// Values of the three fields.
        struct Case(&'static str, [Option<f64>; 3], Option<bool>);
        for Case(text, values, holds) in [
            Case("total = a + 1b", [Some(0.3), Some(0.1), Some(0.2)], Some(true)),
            Case("total = a + 1b", [Some(0.31), Some(0.1), Some(0.2)], Some(false)),
            Case("total = a + 1b within 0.01", [Some(0.31), Some(0.1), Some(0.2)], Some(true)),
            Case("total = 0.19 * a within 0.005", [Some(3.61), Some(19.01), None], Some(true)),
            Case("total = a + 1b", [Some(3.0), None, Some(2.0)], None),
            Case("total = a + 1b", [Some(3.0), None, Some(4.0)], Some(false)),
            Case("total = a - 1b", [Some(3.0), None, Some(4.0)], None),
            Case("total + a <= 1", [Some(2.0), None, None], Some(false)),
            Case("total + a <= 1", [Some(1.0), None, None], None),
            Case("total - a > -1", [Some(2.0), None, None], None),
            Case("total > -1 - a", [Some(2.0), None, None], Some(true)),
            Case("a <= 1b", [None, Some(2.0), Some(2.0)], Some(true)),
            Case("a < 1b", [None, Some(2.0), Some(2.0)], Some(false)),
            Case("a > 1b", [None, Some(2.01), Some(2.0)], Some(true)),
            Case("a >= 1b", [None, Some(1.99), Some(2.0)], Some(false)),
            Case("if a > 0 then 1b > 0", [None, Some(1.0), Some(0.0)], Some(false)),
            Case("if a > 0 then 1b > 0", [None, Some(0.0), None], Some(true)),
            Case("if a > 2 then 1b > 4", [None, None, Some(3.0)], None),
        ] {
            let rule = parse(text).expect(text);
            let bounds = |field: usize| values[field].map_or(Bounds::NOT_NEGATIVE, Bounds::exactly);
            assert_eq!(rule.holds(&bounds), holds, "{text} {values:?}");
        }
    }

    #[test]
    fn holds_of_numbers_that_may_be_negative_is_rarely_decided() {
        let bounds = |field: usize| [Bounds::exactly(3.0), Bounds::ANY, Bounds::exactly(4.0)][field];
        let holds = |text: &str| parse(text).expect(text).holds(&bounds);
        assert_eq!(holds("total = a + 1b"), None);
        assert_eq!(holds("total >= a"), None);
        assert_eq!(holds("total < 1b + 0 * a"), Some(true));
    }

    #[test]
    fn parse_malformed_rule_is_an_error_with_the_reason() {
        struct Case(&'static str, &'static str);
        for Case(text, why) in [
            Case("", "none of ="),
            Case("total", "none of ="),
            Case("total = a = 1b", "more than one"),
            Case("total =", "sides is empty"),
            Case("= a", "sides is empty"),
            Case("total = a 1b", "lacks a + or -"),
            Case("total = a +", "after a sign"),
            Case("total = a + + a", "after a sign"),
            Case("total = a * 1b", "a number and a field"),
            Case("total = 2 * 3", "a number and a field"),
            Case("total = 2 * ", "a number and a field"),
            Case("total = c", "unknown field: c"),
            Case("total = 1.2.3", "malformed number: 1.2.3"),
            Case("if a > 1 1b = 2", "without a then"),
            Case("if then a = 1b", "none of ="),
            Case("if a > 1 then", "none of ="),
            Case("total = a within", "lacks a + or -"),
            Case("total = a / 2", "unexpected character: /"),
            Case("total = \u{e4}", "unexpected character: \u{e4}"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
