//! Rules across pages: which fields of a document each rule names, and what happens where a page is missing or duplicated.
//!
//! A form that is no page of a document may occur any number of times: its field means the sum over all of them. A page of
//! a document occurs once. Where it is missing, a rule about it cannot be evaluated, and the fields that the rule would
//! check need review.

use super::{
    FieldState, FieldValue, ReviewReason,
    document::{Document, DocumentRule, Sheet},
};
use crate::form::{FormTemplate, OtherField, Rule};

/// The rules of all pages.
#[derive(Default)]
pub(super) struct DocumentRules {
    /// Rules that can be evaluated.
    pub evaluable: Vec<DocumentRule>,
    /// The fields of rules that cannot be evaluated.
    pub blocked: Vec<BlockedFields>,
    /// The fields of rules that are evaluated on one copy of a duplicated page.
    pub duplicated: Vec<DuplicatedFields>,
}

/// Fields that must not be accepted.
pub(super) struct BlockedFields {
    /// Among the document's.
    pub fields: Vec<usize>,
    pub reason: ReviewReason,
}

/// Fields of a page that occurs several times. Rules use the first copy.
pub(super) struct DuplicatedFields {
    /// For each field that the rule names, its indices on all copies.
    pub copies: Vec<Vec<usize>>,
    /// The fields to block where copies differ.
    pub blocked: BlockedFields,
}

/// A field that a rule names, with its indices on all pages of its form.
struct Named<'a> {
    form: &'a str,
    /// Whether its form is a page of a document.
    is_page: bool,
    places: Vec<usize>,
}

impl Document<'_> {
    /// The rules of all pages, without those that do not apply: they name a form that is absent, or a sum over pages that
    /// may not all have been read.
    pub fn rules(&self) -> DocumentRules {
        let mut rules = DocumentRules::default();
        for sheet in &self.sheets {
            for rule in &sheet.template.rules {
                match sheet.template.names_other_forms(rule) {
                    false => rules.evaluable.extend(self.own_rule(sheet, rule)),
                    true if self.is_page(&sheet.template.name) => {}
                    true => self.add_across(sheet.template, Some(sheet), rule, &mut rules),
                }
            }
        }
        // once for each document, even if the page with the rule is missing
        for template in self.templates.iter().filter(|template| self.is_page(&template.name)) {
            for rule in template.rules.iter().filter(|rule| template.names_other_forms(rule)) {
                self.add_across(template, None, rule, &mut rules);
            }
        }
        rules
    }

    fn own_rule(&self, sheet: &Sheet<'_>, rule: &Rule) -> Option<DocumentRule> {
        let rule = rule.remap_fields(&|idx| sheet.place(idx).map(|place| vec![place]))?;
        Some(DocumentRule { rule, spans_pages: false })
    }

    /// Adds a rule of `template` about other forms, too: of the page `sheet`, or of all pages with that form, which is
    /// then a page of a document.
    fn add_across(&self, template: &FormTemplate, sheet: Option<&Sheet<'_>>, rule: &Rule, rules: &mut DocumentRules) {
        let indices = rule.fields();
        let named = indices.iter().map(|&idx| match idx.checked_sub(template.fields.len()) {
            Some(other) => self.of_other(template.other_fields.get(other)?),
            None => {
                let places = match sheet {
                    Some(sheet) => vec![sheet.place(idx)?],
                    None => self.places(&template.name, idx)?,
                };
                Some(Named { form: &template.name, is_page: sheet.is_none(), places })
            }
        });
        let Some(named) = named.collect::<Option<Vec<Named<'_>>>>() else { return };
        let block =
            |reason| BlockedFields { fields: named.iter().flat_map(|named| named.places.clone()).collect(), reason };
        let pages = || named.iter().filter(|named| named.is_page);
        if let Some(missing) = pages().find(|named| named.places.is_empty()) {
            return rules.blocked.push(block(ReviewReason::MissingPage(missing.form.to_owned())));
        }
        if let Some(surplus) = pages().find(|named| self.n_copies(named.form) > 1) {
            let blocked = block(ReviewReason::SurplusPage(surplus.form.to_owned()));
            let copies: Vec<Vec<usize>> = pages().map(|named| named.places.clone()).collect();
            let is_read = pages().all(|named| named.places.len() == self.n_copies(named.form));
            let is_sure = |&place: &usize| !matches!(self.fields[place].value.state, FieldState::Review(_));
            let sure = |copies: &Vec<usize>| copies.len() == 1 || copies.iter().all(is_sure);
            if !is_read || !copies.iter().all(sure) || self.copies_differ(&copies) {
                return rules.blocked.push(blocked);
            }
            rules.duplicated.push(DuplicatedFields { copies, blocked });
        }
        let fields_for = |idx: usize| {
            let Named { is_page, places, .. } = &named[indices.iter().position(|named| *named == idx)?];
            Some(if *is_page { places[..1].to_vec() } else { places.clone() })
        };
        rules.evaluable.extend(rule.remap_fields(&fields_for).map(|rule| DocumentRule { rule, spans_pages: true }));
    }

    /// Whether some field differs between two copies of its page.
    pub fn copies_differ(&self, copies: &[Vec<usize>]) -> bool {
        let value = |place: usize| -> &FieldValue { self.fields[place].value };
        let differ = |a: &FieldValue, b: &FieldValue| (&a.guess, &a.state) != (&b.guess, &b.state);
        copies.iter().any(|copies| copies.windows(2).any(|two| differ(value(two[0]), value(two[1]))))
    }

    /// Sends fields that must not be accepted to review. A field that already needs review keeps its reason.
    pub fn block(&mut self, BlockedFields { fields, reason }: &BlockedFields) {
        for &field in fields {
            let state = &mut self.fields[field].value.state;
            if matches!(state, FieldState::Accepted | FieldState::Blank) {
                *state = FieldState::Review(reason.clone());
            }
        }
    }

    /// A field of another form, on all pages of that form. `None` where there is no such page, or where an unread page may
    /// be one. For a page of a document that is present: its copies, possibly none.
    fn of_other<'o>(&self, OtherField { form, field }: &'o OtherField) -> Option<Named<'o>> {
        let template = self.templates.iter().find(|template| template.name == *form)?;
        let idx = template.fields.iter().position(|known| known.name == *field)?;
        let (is_page, places) = (self.is_page(form), self.places(form, idx)?);
        let is_known =
            || !places.is_empty() && self.unread.iter().all(|unread| unread.is_some_and(|other| other != form));
        (is_page || is_known()).then_some(Named { form, is_page, places })
    }

    /// The places of a field on all pages with its form. `None` where one of them has no such field.
    fn places(&self, form: &str, idx: usize) -> Option<Vec<usize>> {
        self.sheets.iter().filter(|sheet| sheet.template.name == form).map(|sheet| sheet.place(idx)).collect()
    }

    fn is_page(&self, form: &str) -> bool {
        self.pages.contains(form)
    }

    /// Pages with that form, read or not.
    fn n_copies(&self, form: &str) -> usize {
        let unread = self.unread.iter().filter(|unread| **unread == Some(form));
        self.sheets.iter().filter(|sheet| sheet.template.name == form).count() + unread.count()
    }
}

impl Sheet<'_> {
    /// Among the document's fields, the page's field of that index.
    fn place(&self, idx: usize) -> Option<usize> {
        (idx < self.n_fields).then_some(self.first + idx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assemble::{
            AcceptTable, PageReading, PageRecord,
            document::tests::{ACROSS, DOUBTFUL, NOT_SURE, cover, document, failed, forms, page, said, sheet, unread},
            params::RuleParams,
            reconcile,
        },
        form::{DocumentPage, parse_template},
    };
    use formread_raster::error::PageReject;

    const ACCEPTED: FieldState = FieldState::Accepted;

    /// A cover and a sheet, the pages of a document of which the last page has nothing to do with them, and a note, which
    /// is a form by itself.
    fn tax_forms() -> Vec<FormTemplate> {
        let form = |name: &str, rule: &str, field: &str| {
            let head = format!("name = \"{name}\"\ntitle = \"t\"\npage = [100, 100]\nrules = [\"{rule}\"]\n");
            let field = format!("[[field]]\nname = \"{field}\"\nkind = \"integer\"\nbox = [10, 10, 50, 8]\n");
            parse_template(&(head + &field)).expect("it is well formed")
        };
        let mut forms = forms();
        forms.push(form("last", "z > 0", "z"));
        for (page, form) in (1..).zip(&mut forms) {
            form.document = Some(DocumentPage { name: "tax".to_owned(), page, of: 3, line: 0 });
        }
        forms.push(form("note", "n = cover.a", "n"));
        forms
    }

    /// Each page by itself, then all together, twice.
    fn reconciled(pages: &[PageReading]) -> Vec<PageRecord> {
        let (forms, accept, mut pages) = (tax_forms(), AcceptTable::default(), document(pages.to_vec()));
        pages
            .iter_mut()
            .for_each(|page| reconcile(&forms, std::slice::from_mut(page), &accept, &RuleParams::default()));
        reconcile(&forms, &mut pages, &accept, &RuleParams::default());
        let once = pages.clone();
        reconcile(&forms, &mut pages, &accept, &RuleParams::default());
        assert_eq!(pages, once, "asking twice changes nothing");
        pages
    }

    fn states(pages: &[PageReading]) -> Vec<FieldState> {
        said(&reconciled(pages)).into_iter().map(|(_, state)| state.clone()).collect()
    }

    fn missing(form: &str) -> FieldState {
        FieldState::Review(ReviewReason::MissingPage(form.to_owned()))
    }

    fn surplus(form: &str) -> FieldState {
        FieldState::Review(ReviewReason::SurplusPage(form.to_owned()))
    }

    fn sure(text: &str) -> [(&str, f64); 1] {
        [(text, 0.9995)]
    }

    fn some_cover(sum: &str) -> PageReading {
        cover(&sure("5"), &sure(sum))
    }

    /// `x` and 7 are `total`.
    fn some_sheet(x: &str, total: &str) -> PageReading {
        sheet(&sure(x), &sure("7"), &sure(total))
    }

    #[test]
    fn what_a_missing_page_would_check_awaits_review() {
        let last = || page("last", &[("z", &sure("1"))]);
        for (pages, want) in [
            (vec![some_cover("16"), last()], vec![missing("sheet"), missing("sheet"), ACCEPTED]),
            (vec![some_cover("16"), unread(None, PageReject::UnknownForm)], vec![missing("sheet"); 2]),
            (vec![unread(Some("sheet"), PageReject::PoorRegistration), some_cover("16")], vec![missing("sheet"); 2]),
            (vec![some_sheet("4", "11")], vec![ACCEPTED, ACCEPTED, missing("cover")]),
            (vec![last()], vec![ACCEPTED]),
            (vec![some_sheet("4", "12")], vec![failed("total = x + y"); 3]),
            (vec![cover(DOUBTFUL, &sure("16"))], vec![NOT_SURE, missing("sheet")]),
            (vec![cover(&[], &sure("16"))], vec![missing("sheet"), missing("sheet")]),
            (vec![page("note", &[("n", &sure("5"))]), last()], vec![missing("cover"), ACCEPTED]),
            (vec![page("note", &[("n", &sure("5"))])], vec![ACCEPTED]),
        ] {
            assert_eq!(states(&pages), want, "{pages:?}");
        }
    }

    #[test]
    fn a_page_that_is_there_is_asked_whatever_else_is_in_the_file() {
        let strange = || [unread(None, PageReject::UnknownForm), unread(Some("last"), PageReject::PoorRegistration)];
        let with = |sum: &str| [&strange()[..], &[some_sheet("4", "11"), some_cover(sum)]].concat();
        assert_eq!(states(&with("16")), vec![ACCEPTED; 5]);
        let failed = || failed(ACROSS);
        assert_eq!(states(&with("99")), [ACCEPTED, ACCEPTED, failed(), failed(), failed()]);
    }

    #[test]
    fn a_page_that_is_there_twice_is_asked_once_and_only_where_both_say_the_same() {
        let sheets = || [some_sheet("4", "11"), some_sheet("4", "11")];
        let with = |sum: &str| [&sheets()[..], &[some_cover(sum)]].concat();
        assert_eq!(states(&with("16")), vec![ACCEPTED; 8]);
        let (a, s, f) = (ACCEPTED, surplus("sheet"), failed(ACROSS));
        let of = |states: [&FieldState; 8]| states.map(FieldState::clone);
        assert_eq!(states(&with("27")), of([&a, &a, &f, &a, &a, &s, &f, &f]), "they are no sum");

        let first = some_sheet("4", "11");
        for (second, cover) in [
            (some_sheet("5", "12"), some_cover("16")),
            (some_sheet("5", "12"), some_cover("17")),
            (sheet(&sure("4"), &sure("7"), DOUBTFUL), some_cover("16")),
            (unread(Some("sheet"), PageReject::PoorRegistration), some_cover("16")),
        ] {
            let n_fields = if matches!(second, PageReading::Read { .. }) { 3 } else { 0 };
            let want = [[&a, &a, &s], [&a, &a, &s]].concat()[..3 + n_fields]
                .iter()
                .chain(&[&s, &s])
                .map(|s| (*s).clone())
                .collect::<Vec<_>>();
            assert_eq!(states(&[first.clone(), second.clone(), cover]), want, "{second:?}");
        }

        let two_covers = |sum: &str| [some_cover("16"), some_cover(sum), some_sheet("4", "11")];
        assert_eq!(states(&two_covers("16")), vec![ACCEPTED; 7]);
        let s = surplus("cover");
        assert_eq!(states(&two_covers("99")), [&s, &s, &s, &s, &a, &a, &s].map(FieldState::clone));
    }
}
