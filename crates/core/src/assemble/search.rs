//! The most likely combination of readings of several fields under rules, and the probability of each reading given them.

use super::params::RuleParams;
use crate::form::{Bounds, Rule};
use formread_raster::checkpoint;

/// One of the readings of a field.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// In canonical form, empty for blank; `None` for a reading that is not listed: another number, or ink that is no
    /// writing.
    pub text: Option<String>,
    /// Its number in rules.
    pub number: Bounds,
    /// Minus its log probability, and what the field's own checks add.
    pub cost: f64,
}

/// A field that takes part.
pub(super) struct Variable {
    /// Among the document's fields.
    pub field_idx: usize,
    /// The most likely first.
    pub choices: Vec<Choice>,
}

/// A rule, its fields as indices into the variables.
pub(super) struct Constraint<'a> {
    pub rule: &'a Rule,
    pub variables: Vec<usize>,
    /// Its cost where it cannot be decided, and where it does not hold.
    pub unknown_cost: f64,
    pub broken_cost: f64,
}

/// What the search found.
pub(super) struct Found {
    pub cost: f64,
    /// The most likely combination: of each variable the index of its choice.
    pub best: Vec<usize>,
    /// Of each variable, of each choice, the sum of the weights of the combinations with it, against `cost_0`.
    pub weights: Vec<Vec<f64>>,
    /// How many readings may still be tried.
    pub left: usize,
}

/// The most likely combination of choices, and the weight of each choice: depth first, best choice first, bounded by the
/// least cost of the rest (Land and Doig, "An automatic method of solving discrete programming problems", 1960).
///
/// `numbers` is scratch space: the number that is picked for each field.
pub(super) fn search(
    variables: &[Variable],
    constraints: &[Constraint<'_>],
    numbers: &mut [Bounds],
    params: &RuleParams,
) -> Found {
    // the least cost of the variables from one on
    let mut least_from = vec![0.0; variables.len() + 1];
    for (place, variable) in variables.iter().enumerate().rev() {
        least_from[place] = least_from[place + 1] + variable.choices.first().map_or(0.0, |choice| choice.cost);
    }
    let mut search = Search {
        variables,
        complete_at: vec![Vec::new(); variables.len()],
        least_from,
        picked: vec![0; variables.len()],
        numbers,
        found: Found {
            cost: f64::INFINITY,
            best: vec![0; variables.len()],
            weights: variables.iter().map(|variable| vec![0.0; variable.choices.len()]).collect(),
            left: params.max_tried,
        },
        margin: params.search_margin_log,
    };
    for constraint in constraints {
        if let Some(&last) = constraint.variables.iter().max() {
            search.complete_at[last].push(constraint);
        }
    }
    search.run();
    search.found
}

struct Search<'a> {
    variables: &'a [Variable],
    /// For each variable, the constraints of which it is the last to be chosen.
    complete_at: Vec<Vec<&'a Constraint<'a>>>,
    least_from: Vec<f64>,
    picked: Vec<usize>,
    numbers: &'a mut [Bounds],
    found: Found,
    margin: f64,
}

impl Search<'_> {
    /// Without recursion: a document may connect more fields than a thread's stack allows.
    fn run(&mut self) {
        let last = self.variables.len();
        // for each variable, the next choice to try, and the cost of those before it
        let (mut next, mut costs) = (vec![0; last], vec![0.0; last]);
        let mut place = 0;
        while place < last {
            checkpoint();
            match self.try_choice(place, next[place], costs[place]) {
                Tried::NoMore if place == 0 => return,
                Tried::NoMore => place -= 1,
                Tried::TooCostly => next[place] += 1,
                Tried::Fits(cost) => {
                    next[place] += 1;
                    if place + 1 == last {
                        self.count(cost);
                    } else {
                        place += 1;
                        (next[place], costs[place]) = (0, cost);
                    }
                }
            }
        }
    }

    /// Picks a choice of a variable, those before it being picked at `cost`.
    fn try_choice(&mut self, place: usize, choice_idx: usize, cost: f64) -> Tried {
        let variable = &self.variables[place];
        let Some(choice) = variable.choices.get(choice_idx) else { return Tried::NoMore };
        let (so_far, most) = (cost + choice.cost, self.found.cost + self.margin);
        if so_far + self.least_from[place + 1] > most || self.found.left == 0 {
            return Tried::NoMore;
        }
        self.found.left -= 1;
        self.picked[place] = choice_idx;
        self.numbers[variable.field_idx] = choice.number;
        let by_rules: f64 = self.complete_at[place].iter().map(|constraint| self.cost_of(constraint)).sum();
        let cost = so_far + by_rules;
        if cost + self.least_from[place + 1] <= most { Tried::Fits(cost) } else { Tried::TooCostly }
    }

    /// Records the picked combination, with its total `cost`.
    fn count(&mut self, cost: f64) {
        if cost < self.found.cost {
            self.found.cost = cost;
            self.found.best.clone_from(&self.picked);
        }
        let weight = (self.least_from[0] - cost).exp();
        for (weights, &choice) in self.found.weights.iter_mut().zip(&self.picked) {
            weights[choice] += weight;
        }
    }

    fn cost_of(&self, constraint: &Constraint<'_>) -> f64 {
        match constraint.rule.holds(&|field| self.numbers[field]) {
            Some(true) => 0.0,
            None => constraint.unknown_cost,
            Some(false) => constraint.broken_cost,
        }
    }
}

/// The result of one choice.
enum Tried {
    /// Neither it nor any after it can be part of a likely combination, or no more may be tried.
    NoMore,
    /// It breaks a rule, and no likely combination allows that.
    TooCostly,
    /// The variables so far cost this much.
    Fits(f64),
}
